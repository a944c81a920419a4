import { clampRange, keyframeRanges, languageCode, normaliseCues, roundSeconds } from './media-times.js';

it('rounds to the millisecond and never below zero', () => {
  expect(roundSeconds(1.23456)).toBe(1.235);
  expect(roundSeconds(-0.5)).toBe(0);
});

describe('clampRange', () => {
  it.each([
    [1, 2, 10, { startSeconds: 1, endSeconds: 2 }],
    [-1, 2, 10, { startSeconds: 0, endSeconds: 2 }],
    [9, 12, 10, { startSeconds: 9, endSeconds: 10 }],
    [10, 12, 10, null],
    [5, 5, 10, null],
    [5, 5.0004, 10, null],
    [5, 4, null, null],
    [5, Number.POSITIVE_INFINITY, 10, null],
    [100, 200, null, { startSeconds: 100, endSeconds: 200 }],
  ])('%d to %d of %s', (start, end, duration, expected) => {
    expect(clampRange(start, end, duration)).toEqual(expected);
  });
});

it('keeps cues with words within the video, sorted, each once', () => {
  const cues = normaliseCues(
    [
      { startSeconds: 5, endSeconds: 6, text: 'two\u0000' },
      { startSeconds: 1, endSeconds: 3, text: '  one ' },
      { startSeconds: 1, endSeconds: 3, text: 'one' },
      { startSeconds: 4, endSeconds: 4.5, text: '\u200b' },
      { startSeconds: 9, endSeconds: 30, text: 'cut' },
      { startSeconds: 11, endSeconds: 12, text: 'after the end' },
    ],
    10,
  );
  expect(cues).toEqual([
    { startSeconds: 1, endSeconds: 3, text: 'one' },
    { startSeconds: 5, endSeconds: 6, text: 'two' },
    { startSeconds: 9, endSeconds: 10, text: 'cut' },
  ]);
});

it('lets a key frame stand until the next one and the last until the end', () => {
  expect(keyframeRanges([0, 2.5, 8], 10)).toEqual([
    { startSeconds: 0, endSeconds: 2.5 },
    { startSeconds: 2.5, endSeconds: 8 },
    { startSeconds: 8, endSeconds: 10 },
  ]);
});

it('gives a key frame at the very end a range all the same', () => {
  expect(keyframeRanges([10], 10)).toEqual([{ startSeconds: 10, endSeconds: 10.001 }]);
  expect(keyframeRanges([3], null)).toEqual([{ startSeconds: 3, endSeconds: 4 }]);
});

it.each([
  ['ger', 'de'],
  ['deu', 'de'],
  ['de-AT', 'de'],
  ['spa', 'es'],
  ['swe', 'sv'],
  ['rum', 'ro'],
  ['en', 'en'],
  ['haw', 'haw'],
  ['und', null],
  ['zxx', null],
  ['english', null],
  ['x', null],
  ['', null],
  [null, null],
])('knows the language %s as %s', (language, expected) => {
  expect(languageCode(language)).toBe(expected);
});
