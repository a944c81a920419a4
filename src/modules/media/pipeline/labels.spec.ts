import type { ImageAnalysis } from '../../../infrastructure/ai/ai.types.js';
import {
  keywordLabels,
  mergeFrameColors,
  mergeFrameLabels,
  mergeTextLines,
  normaliseColors,
  normaliseLabels,
  validPerceptualHash,
} from './labels.js';

function analysisOf(overrides: Partial<ImageAnalysis>): ImageAnalysis {
  return {
    labels: [],
    text: [],
    summary: null,
    facesCount: 0,
    contentWarnings: [],
    colors: [],
    perceptualHash: '0000000000000000',
    raw: {},
    ...overrides,
  };
}

describe('normaliseLabels', () => {
  it('keeps one label per name, whatever its case, with the highest confidence', () => {
    const labels = normaliseLabels([
      { name: 'Dog', confidence: 0.4, kind: 'object' },
      { name: ' dog\u0000 ', confidence: 0.9, kind: 'Animal' },
      { name: 'DOG', confidence: 0.2, kind: 'object' },
    ]);
    expect(labels).toEqual([{ name: 'dog', confidence: 0.9, kind: 'animal' }]);
  });

  it('drops empty names, bounds confidences, and does not let a picture claim the kind of the keywords', () => {
    const labels = normaliseLabels([
      { name: ' \u200b', confidence: 0.5, kind: 'object' },
      { name: 'sea', confidence: 7, kind: 'keyword' },
      { name: 'sky', confidence: Number.NaN, kind: '' },
    ]);
    expect(labels).toEqual([
      { name: 'sea', confidence: 1, kind: 'object' },
      { name: 'sky', confidence: 0, kind: 'object' },
    ]);
  });

  it('gives what the table takes: lower case, at most 100 characters, at most 60 labels, strongest first', () => {
    const many = Array.from({ length: 90 }, (_, index) => ({
      name: `${'Ä'.repeat(80)}${index}`.slice(index % 30),
      confidence: index / 100,
      kind: 'x'.repeat(80),
    }));
    const labels = normaliseLabels(many);
    expect(labels.length).toBeLessThanOrEqual(60);
    for (const { name, kind } of labels) {
      expect(name).toBe(name.toLowerCase());
      expect(name.length).toBeLessThanOrEqual(100);
      expect(kind.length).toBeLessThanOrEqual(30);
    }
    expect(labels.map(({ confidence }) => confidence)).toEqual(
      labels.map(({ confidence }) => confidence).sort((a, b) => b - a),
    );
  });
});

it('turns at most ten keywords into labels of falling confidence', () => {
  const labels = keywordLabels([
    'Harbour',
    'harbour',
    '',
    ...Array.from({ length: 20 }, (_, i) => `word ${i}`),
  ]);
  expect(labels).toHaveLength(10);
  expect(labels[0]).toEqual({ name: 'harbour', confidence: 0.9, kind: 'keyword' });
  expect(labels[1]).toEqual({ name: 'word 0', confidence: 0.85, kind: 'keyword' });
  expect(labels[9]?.confidence).toBe(0.45);
});

it('weights the labels of a video by how long they are seen, and never below half', () => {
  const dog = { name: 'dog', confidence: 0.8, kind: 'object' };
  const cat = { name: 'cat', confidence: 0.8, kind: 'object' };
  const labels = mergeFrameLabels([
    { share: 0.75, analysis: analysisOf({ labels: [dog] }) },
    { share: 0.25, analysis: analysisOf({ labels: [{ ...dog, confidence: 0.6 }, cat] }) },
  ]);
  expect(labels).toEqual([
    { name: 'dog', confidence: 0.8, kind: 'object' },
    { name: 'cat', confidence: 0.5, kind: 'object' },
  ]);
});

it('adds up the colours of a video by time and keeps the shade that is seen most', () => {
  const colors = mergeFrameColors([
    { share: 0.5, analysis: analysisOf({ colors: [{ name: 'blue', hex: '#0000AA', share: 0.2 }] }) },
    {
      share: 0.5,
      analysis: analysisOf({
        colors: [
          { name: 'blue', hex: '#0000ff', share: 0.6 },
          { name: 'red', hex: '#ff0000', share: 0.4 },
        ],
      }),
    },
  ]);
  expect(colors).toEqual([
    { name: 'blue', hex: '#0000ff', share: 0.4 },
    { name: 'red', hex: '#ff0000', share: 0.2 },
  ]);
});

it('leaves out colours that are none', () => {
  expect(normaliseColors([{ name: 'x', hex: 'javascript:1', share: 0.5 }])).toEqual([]);
});

it('keeps each line of text once, in the order it was first seen', () => {
  expect(mergeTextLines(['Beach Bar', 'OPEN  today', 'beach bar', '', 'Open today'])).toEqual([
    'Beach Bar',
    'OPEN today',
  ]);
});

it('takes 16 hex digits as a perceptual hash and nothing else', () => {
  expect(validPerceptualHash('00FFaa0011223344')).toBe('00ffaa0011223344');
  expect(validPerceptualHash('00ff')).toBeNull();
});
