import fc from 'fast-check';
import type { DetectedLabel, TextAnalysisInput } from '../ai.types.js';
import { CATEGORIES, LIMITS } from '../vocabulary.js';
import { extractSentences, topKeywords } from './keywords.js';
import { LocalTextAnalyzer } from './local-text-analyzer.js';
import { sentimentOf } from './sentiment.js';

const analyzer = new LocalTextAnalyzer();
const base: TextAnalysisInput = {
  fileType: 'image',
  title: '',
  labels: [],
  detectedText: [],
  transcript: '',
  imageSummaries: [],
  facts: [],
};
const analyze = async (input: Partial<TextAnalysisInput>) =>
  (await analyzer.analyze({ ...base, ...input })).analysis;
const object = (name: string, confidence = 0.9): DetectedLabel => ({ name, confidence, kind: 'object' });
const measured = (...names: string[]): DetectedLabel[] =>
  names.map((name) => ({ name, confidence: 1, kind: 'color' }));

const TALK = `Welcome to the harbour of Lisbon. Today we look at how fishing boats are built. First the keel of the boat is
laid. A good keel makes a good boat. Um, let me see. The boat builders of Lisbon use oak for the keel and pine for the
deck. Thank you for watching.`;

describe('LocalTextAnalyzer', () => {
  it('sums up a video by its most telling sentences', async () => {
    const analysis = await analyze({
      fileType: 'video',
      title: 'boat_building-IMG_2041.MP4',
      transcript: TALK,
      durationSeconds: 125,
      imageSummaries: ['A picture.'],
    });
    expect(analysis.summary).toContain(
      'The boat builders of Lisbon use oak for the keel and pine for the deck.',
    );
    expect(analysis.summary).not.toContain('let me see');
    expect(analysis.keywords.slice(0, 6)).toEqual(expect.arrayContaining(['boat', 'keel']));
    expect(analysis.keywords).not.toContain('2041');
    expect(analysis).toMatchObject({ sentiment: 'POSITIVE', language: 'en', contentWarnings: [] });
  });

  it('says what is known of a video without words', async () => {
    const { summary } = await analyze({
      fileType: 'video',
      durationSeconds: 42.4,
      imageSummaries: ['A dark picture.', 'A bright one.'],
    });
    expect(summary).toBe('A video of 42 seconds; its first picture: A dark picture.');
    expect((await analyze({ fileType: 'video', durationSeconds: 600 })).summary).toBe(
      'A video of 10 minutes',
    );
  });

  it('falls back to the text in the picture, the name, the type', async () => {
    expect((await analyze({ imageSummaries: ['A red picture.'] })).summary).toBe('A red picture.');
    expect((await analyze({ detectedText: ['Beach', 'Bar'] })).summary).toBe('With the text “Beach Bar”.');
    expect((await analyze({ title: 'sunset_at-home.jpeg' })).summary).toBe('sunset at home.');
    expect((await analyze({})).summary).toBe('A file of type image.');
  });

  it.each<[string, string | null, Partial<TextAnalysisInput>]>([
    [
      'an invoice',
      'documents',
      { detectedText: ['INVOICE 2024-118', 'Total 1,487.50 EUR', 'VAT 19 %', 'payment due'] },
    ],
    [
      'a page of text',
      'documents',
      {
        labels: measured('bright', 'white'),
        detectedText: [Array.from({ length: 50 }, (_, index) => `wort${index}`).join(' ')],
      },
    ],
    ['a screenshot by its name', 'screenshots', { title: 'Screenshot 2026-01-02 at 10.11.12.png' }],
    ['a dog by what a model saw', 'nature', { labels: [object('dog'), object('meadow')] }],
    ['a cake by its title', 'food', { title: 'chocolate cake.jpg' }],
    ['a street', 'places', { title: 'old town street' }],
    ['a wedding', 'events', { title: 'wedding.mp4', fileType: 'video' }],
    ['measured colours', null, { labels: measured('blue', 'white', 'bright') }],
    ['one unsure label', null, { labels: [object('dog', 0.5)] }],
    ['as much food as nature', null, { title: 'pizza dog' }],
    ['nothing', null, {}],
  ])('%s is in category %s', async (_what, category, input) => {
    expect((await analyze(input)).category).toBe(category);
  });

  it.each([
    [['This knife attack ended in murder'], ['violence']],
    [
      ['Gun range, 9 mm ammunition', 'bloody steak'],
      ['blood', 'weapons'],
    ],
    [['shot with my new camera', 'the bar closes at nine', 'classic assessment in Scunthorpe'], []],
  ])('warns by whole words: %j -> %j', async (detectedText, warnings) => {
    expect((await analyze({ detectedText })).contentWarnings).toEqual(warnings);
  });

  it('gives valid fields for whatever it is handed', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { maxLength: 10 }), text, async (title, lines, transcript) => {
        const labels = lines.map((name) => object(name));
        const result = await analyze({
          title,
          detectedText: lines,
          transcript,
          labels,
          imageSummaries: lines,
        });
        expect(result.summary.length).toBeGreaterThan(0);
        expect(result.summary.length).toBeLessThanOrEqual(LIMITS.summaryCharacters);
        expect(result.keywords.length).toBeLessThanOrEqual(LIMITS.keywords);
        expect([...CATEGORIES, null]).toContain(result.category);
        expect(['POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED']).toContain(result.sentiment);
        const stored = [result.summary, ...result.keywords].join('');
        // eslint-disable-next-line no-control-regex
        expect(stored).not.toMatch(/[\u0000-\u001f\u202a-\u202e]/);
        expect(stored.isWellFormed()).toBe(true);
      }),
    );
  });

  it('takes a two-hour transcript without holding anybody up, and stops when it is told to', async () => {
    const start = performance.now();
    await analyze({ fileType: 'video', transcript: TALK.repeat(400) });
    expect(performance.now() - start).toBeLessThan(3_000);
    await expect(analyzer.analyze(base, AbortSignal.abort())).rejects.toMatchObject({
      code: 'provider-cancelled',
    });
  });
});

describe('sentimentOf', () => {
  it.each([
    ['What a wonderful day, we love it', 'POSITIVE'],
    ['The worst hotel, terrible noise', 'NEGATIVE'],
    ['This is not good', 'NEGATIVE'],
    ["It wasn't a bad day", 'POSITIVE'],
    ['The food was great but the room was dirty and horrible', 'MIXED'],
    ['The train leaves at nine', 'NEUTRAL'],
    ['Das Essen war gut', 'NEUTRAL'],
    ['', 'NEUTRAL'],
    // The negation belongs to the sentence before.
    ['We did not. Happy birthday!', 'POSITIVE'],
  ])('%s: %s', (text, sentiment) => {
    expect(sentimentOf(text)).toBe(sentiment);
  });
});

describe('topKeywords', () => {
  it('joins inflections, weighs sources and drops noise', () => {
    expect(
      topKeywords(
        [
          { text: 'IMG_1234.jpg beaches', weight: 3 },
          { text: 'the beach, a beach and 17 dogs in 2019', weight: 1 },
        ],
        3,
      ),
    ).toEqual(['beach', '2019', 'dog'].map((word) => (word === 'dog' ? 'dogs' : word)));
  });
});

describe('extractSentences', () => {
  it('keeps the order and the bound', () => {
    const result = extractSentences(TALK, 2, 160);
    expect(result.length).toBeLessThanOrEqual(160);
    expect(result).toContain('oak for the keel');
  });
  it('gives nothing for nothing', () => {
    expect(extractSentences('', 3, 100)).toBe('');
    expect(extractSentences('and the of', 3, 100)).toBe('');
  });
});
