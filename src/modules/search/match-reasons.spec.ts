import fc from 'fast-check';
import { matchReasons, MAX_REASONS, REASON_CODES } from './match-reasons.js';
import { matchedPartsQuery, type MatchedPartsRow } from './sql/match-reasons.sql.js';
import type { MomentRow } from './sql/page-details.sql.js';

const nowhere: MatchedPartsRow = {
  mediaFileId: 'm',
  inTitle: false,
  inFileName: false,
  tags: [],
  categories: [],
  labels: [],
  inSummary: false,
  inFileDetails: false,
  inText: false,
  inSpeech: false,
};
const at = (
  kind: MomentRow['kind'],
  startSeconds: number,
  overrides: Partial<MomentRow> = {},
): MomentRow => ({
  mediaFileId: 'm',
  kind,
  startSeconds,
  endSeconds: startSeconds + 2,
  score: 0.5,
  text: '',
  ...overrides,
});
const texts = (matches: Partial<Parameters<typeof matchReasons>[0]>): string[] =>
  matchReasons({ parts: null, wordMoments: [], vectorMoments: [], isVectorHit: false, ...matches }).map(
    (reason) => reason.text,
  );

it('names each part in its short form, the weightiest first', () => {
  const parts: MatchedPartsRow = {
    ...nowhere,
    inTitle: true,
    inFileName: true,
    tags: ['Holiday'],
    categories: ['nature'],
    labels: ['dog'],
    inSummary: true,
    inFileDetails: true,
    inText: true,
  };
  expect(
    texts({
      parts,
      wordMoments: [at('visual', 7), at('speech', 42)],
      vectorMoments: [at('visual', 12.54)],
      isVectorHit: true,
    }),
  ).toEqual([
    'title',
    'file name',
    'tag:Holiday',
    'category:nature',
    'label:dog',
    'summary',
    'file details',
    'text in picture',
    'speech@42.0s',
    'scene@7.0s',
    'meaning@12.5s',
  ]);
});

it('tells values and times apart from the short form', () => {
  expect(
    matchReasons({
      parts: { ...nowhere, tags: ['sea'] },
      wordMoments: [at('speech', 42.04)],
      vectorMoments: [],
      isVectorHit: false,
    }),
  ).toEqual([
    { code: 'tag', value: 'sea', text: 'tag:sea' },
    { code: 'speech', atSeconds: 42.04, text: 'speech@42.0s' },
  ]);
});

it('says meaning without a time when no window of its own is near', () => {
  expect(texts({ isVectorHit: true })).toEqual(['meaning']);
  expect(texts({ isVectorHit: true, vectorMoments: [at('speech', 3)] })).toEqual(['meaning@3.0s']);
  // The window holds the very words: the line says it better.
  const spoken = { wordMoments: [at('speech', 3)], vectorMoments: [at('speech', 2)] };
  expect(texts({ ...spoken, isVectorHit: true })).toEqual(['speech@3.0s', 'meaning']);
  expect(texts({})).toEqual([]);
});

it('says speech without a time where the transcript has no lines', () => {
  expect(texts({ parts: { ...nowhere, inSpeech: true } })).toEqual(['speech']);
});

it('counts neighbouring lines once, the best moments first', () => {
  const wordMoments = [at('speech', 10), at('speech', 12.5), at('speech', 60, { score: 1 })];
  expect(texts({ wordMoments })).toEqual(['speech@60.0s', 'speech@10.0s']);
});

it('leaves out further reasons of one kind before the only one of another', () => {
  const labels = Array.from({ length: 30 }, (_, index) => `label ${index}`);
  const found = texts({ parts: { ...nowhere, inTitle: true, labels }, isVectorHit: true });
  expect(found).toEqual([
    'title',
    ...Array.from({ length: MAX_REASONS - 2 }, (_, index) => `label:label ${index}`),
    'meaning',
  ]);
});

it('keeps hostile names as harmless plain text', () => {
  const labels = [
    '<img src=x onerror=alert(1)>',
    '\u0002dog\u0003',
    'a\r\nb\u0000',
    '\u202egpj.exe',
    '\u200b',
    ' ',
  ];
  expect(texts({ parts: { ...nowhere, labels } })).toEqual([
    'label:<img src=x onerror=alert(1)>',
    'label:dog',
    'label:a b',
    'label:gpj.exe',
  ]);
});

it('is bounded, ordered, without doubles and without control characters, whatever was found', () => {
  const name = fc.string({ unit: 'binary', maxLength: 150 });
  const parts = fc.record<MatchedPartsRow>({
    mediaFileId: fc.constant('m'),
    inTitle: fc.boolean(),
    inFileName: fc.boolean(),
    tags: fc.array(name),
    categories: fc.array(name),
    labels: fc.array(name),
    inSummary: fc.boolean(),
    inFileDetails: fc.boolean(),
    inText: fc.boolean(),
    inSpeech: fc.boolean(),
  });
  const moments = fc.array(
    fc
      .tuple(
        fc.constantFrom('speech' as const, 'visual' as const),
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
      )
      .map(([kind, start, score]) => at(kind, start, { score })),
    { maxLength: 24 },
  );
  fc.assert(
    fc.property(
      fc.record({
        parts: fc.option(parts),
        wordMoments: moments,
        vectorMoments: moments,
        isVectorHit: fc.boolean(),
      }),
      (matches) => {
        const reasons = matchReasons(matches);
        expect(reasons.length).toBeLessThanOrEqual(MAX_REASONS);
        expect(new Set(reasons.map((reason) => reason.text)).size).toBe(reasons.length);
        const weights = reasons.map((reason) => REASON_CODES.indexOf(reason.code));
        expect(weights).toEqual(weights.toSorted((a, b) => a - b));
        for (const { text, value, atSeconds } of reasons) {
          expect(text).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
          expect(text.isWellFormed()).toBe(true);
          expect(value?.length ?? 0).toBeLessThanOrEqual(100);
          expect(value === undefined || atSeconds === undefined).toBe(true);
        }
        // Every kind of evidence there is gets its place.
        const isIn = (code: string): boolean => reasons.some((reason) => reason.code === code);
        expect(isIn('title')).toBe(matches.parts?.inTitle ?? false);
        expect(isIn('meaning') || !matches.isVectorHit).toBe(true);
        expect(isIn('scene')).toBe(matches.wordMoments.some((moment) => moment.kind === 'visual'));
      },
    ),
  );
});

it('printed SQL', () => {
  const userId = '0190a1c4-0000-7000-8000-000000000001';
  expect(matchedPartsQuery({ userId, mediaFileIds: [userId], terms: 'dog' }).text).toMatchSnapshot();
});
