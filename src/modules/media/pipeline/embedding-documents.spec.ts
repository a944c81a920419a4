import fc from 'fast-check';
import {
  buildEmbeddingDocuments,
  fileNameWords,
  mergeCues,
  MAX_DOCUMENTS,
  type KnownMedia,
} from './embedding-documents.js';

function media(overrides: Partial<KnownMedia> = {}): KnownMedia {
  return {
    fileType: 'image',
    title: 'Sunset',
    originalFilename: 'IMG_1234.jpg',
    description: null,
    labels: [],
    tags: [],
    categories: [],
    summary: null,
    detectedText: [],
    transcript: null,
    durationSeconds: null,
    keyframes: [],
    cues: [],
    cueSource: null,
    analysisIds: { full: 'full-id', visual: 'visual-id', audio: 'audio-id' },
    ...overrides,
  };
}

it('puts everything known of a picture into one main document', () => {
  const [document, ...more] = buildEmbeddingDocuments(
    media({
      originalFilename: 'beachHouse-2024.jpg',
      labels: [
        { name: 'blue', confidence: 0.5, kind: 'color' },
        { name: 'sea', confidence: 0.9, kind: 'object' },
      ],
      tags: ['holiday'],
      categories: ['nature'],
      summary: 'A house by the sea.',
      detectedText: ['Beach Bar'],
    }),
  );
  expect(more).toEqual([]);
  expect(document).toEqual({
    segmentType: 'full',
    startSeconds: null,
    endSeconds: null,
    isPrimary: true,
    text: 'Sunset\nbeach House\nsea, blue\nholiday\nnature\nA house by the sea.\nBeach Bar',
    confidence: 0.7,
    quality: 'high',
    sourceFields: {
      fields: ['title', 'fileName', 'labels', 'tags', 'categories', 'summary', 'detectedText'],
    },
    analysisId: 'full-id',
  });
});

it('says how much a document is worth', () => {
  const quality = (overrides: Partial<KnownMedia>) => buildEmbeddingDocuments(media(overrides))[0]?.quality;
  expect(quality({})).toBe('low');
  expect(quality({ labels: [{ name: 'sea', confidence: 1, kind: 'object' }] })).toBe('medium');
  expect(quality({ transcript: 'Ahoy.' })).toBe('high');
});

it('always has a main text with something to see in it', () => {
  expect(buildEmbeddingDocuments(media({ title: ' ', originalFilename: '.jpg' }))[0]?.text).toBe('image');
});

it('cuts a long transcript in the main document', () => {
  const [document] = buildEmbeddingDocuments(
    media({ fileType: 'video', transcript: 'word '.repeat(10_000) }),
  );
  expect(document?.text.length).toBeLessThan(2_050);
});

it('makes one visual document per key frame that holds words, with the times it stands for', () => {
  const frame = { description: null, labels: [], detectedText: [] };
  const documents = buildEmbeddingDocuments(
    media({
      fileType: 'video',
      durationSeconds: 10,
      keyframes: [
        { ...frame, timestampSeconds: 4, detectedText: ['STATION'] },
        {
          ...frame,
          timestampSeconds: 0,
          description: 'A dark street.',
          labels: [{ name: 'dark', confidence: 0.8, kind: 'light' }],
        },
        { ...frame, timestampSeconds: 7 },
      ],
    }),
  );
  expect(documents.slice(1)).toMatchObject([
    {
      segmentType: 'visual',
      startSeconds: 0,
      endSeconds: 4,
      text: 'A dark street.\ndark',
      confidence: 0.8,
      quality: 'medium',
      analysisId: 'visual-id',
    },
    {
      segmentType: 'visual',
      startSeconds: 4,
      endSeconds: 7,
      text: 'STATION',
      confidence: null,
      quality: 'high',
    },
  ]);
});

describe('mergeCues', () => {
  it('joins cues to about 15 s and keeps their exact times', () => {
    const cues = [
      { startSeconds: 0.5, endSeconds: 4, text: 'One.' },
      { startSeconds: 5, endSeconds: 9.25, text: 'Two.' },
      { startSeconds: 12, endSeconds: 17, text: 'Three.' },
      { startSeconds: 40, endSeconds: 41, text: 'Four.' },
    ];
    expect(mergeCues(cues, 100)).toEqual([
      { startSeconds: 0.5, endSeconds: 9.25, text: 'One. Two.', cues: 2 },
      { startSeconds: 12, endSeconds: 17, text: 'Three.', cues: 1 },
      { startSeconds: 40, endSeconds: 41, text: 'Four.', cues: 1 },
    ]);
  });

  it('does not repeat the lines of roll-up captions', () => {
    const cues = [1, 2, 3].map((second) => ({
      startSeconds: second,
      endSeconds: second + 1,
      text: 'Hello there',
    }));
    expect(mergeCues(cues, 100)).toEqual([{ startSeconds: 1, endSeconds: 4, text: 'Hello there', cues: 3 }]);
  });

  it('widens the windows of a long film instead of leaving its end out', () => {
    const cues = Array.from({ length: 4_800 }, (_, index) => ({
      startSeconds: index * 3,
      endSeconds: index * 3 + 3,
      text: `line ${index}`,
    }));
    const segments = mergeCues(cues, 100);
    expect(segments.length).toBeLessThanOrEqual(100);
    expect(segments.at(-1)?.endSeconds).toBe(14_400);
    expect(segments.reduce((sum, segment) => sum + segment.cues, 0)).toBe(4_800);
  });
});

it('never makes more documents than the limit, nor one that the table or a model would refuse', () => {
  const cue = fc.record({
    start: fc.integer({ min: 0, max: 7_200 }),
    length: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(fc.array(cue, { maxLength: 2_000 }), fc.integer({ min: 0, max: 40 }), (cues, frames) => {
      const documents = buildEmbeddingDocuments(
        media({
          fileType: 'video',
          durationSeconds: 7_200,
          cues: cues.map(({ start, length }) => ({
            startSeconds: start,
            endSeconds: start + length,
            text: 'words',
          })),
          keyframes: Array.from({ length: frames }, (_, index) => ({
            timestampSeconds: index * 180,
            description: 'x',
            labels: [],
            detectedText: [],
          })),
        }),
      );
      expect(documents.length).toBeLessThanOrEqual(MAX_DOCUMENTS);
      expect(documents.filter(({ isPrimary }) => isPrimary)).toHaveLength(1);
      for (const { segmentType, startSeconds, endSeconds, text } of documents) {
        expect(text.trim()).not.toBe('');
        if (segmentType === 'full') expect([startSeconds, endSeconds]).toEqual([null, null]);
        else expect(startSeconds as number).toBeLessThan(endSeconds as number);
      }
    }),
    { numRuns: 50 },
  );
});

it.each([
  ['IMG_1234.jpg', ''],
  ['DSCN0010.JPG', ''],
  ['VID-20240501-WA0001.mp4', ''],
  ['beachHouse-2024.final.jpg', 'beach House final'],
  ['Übung_Straße.png', 'Übung Straße'],
  ['海辺の家.webp', '海辺の家'],
])('reads the words of the file name %s', (filename, words) => {
  expect(fileNameWords(filename)).toBe(words);
});
