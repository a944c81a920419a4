import fc from 'fast-check';
import { bestMoments, mergeNeighbours } from './moments.js';
import type { MomentRow } from './sql/page-details.sql.js';

const hit = (startSeconds: number, endSeconds: number, overrides: Partial<MomentRow> = {}): MomentRow => ({
  mediaFileId: 'm',
  kind: 'speech',
  startSeconds,
  endSeconds,
  score: 0.5,
  text: `${startSeconds}`,
  ...overrides,
});

it('merges neighbours up to two seconds apart, with the best one’s score and text', () => {
  expect(mergeNeighbours([hit(12, 15, { score: 0.9 }), hit(8, 10), hit(17.01, 20)])).toEqual([
    { startSeconds: 8, endSeconds: 15, kind: 'speech', score: 0.9, text: '12' },
    { startSeconds: 17.01, endSeconds: 20, kind: 'speech', score: 0.5, text: '17.01' },
  ]);
});

it('never merges speech with pictures', () => {
  expect(mergeNeighbours([hit(1, 2), hit(1, 2, { kind: 'visual' })])).toHaveLength(2);
});

it('prefers the exact line to the window that holds it', () => {
  const window = hit(30, 45, { score: 0.7 });
  expect(bestMoments([hit(33, 35, { score: 1 })], [window])).toEqual([
    { startSeconds: 33, endSeconds: 35, kind: 'speech', score: 1, text: '33' },
  ]);
  expect(bestMoments([hit(45, 47)], [window])[0]).toMatchObject({ startSeconds: 30, endSeconds: 47 });
});

it('gives at most three, best first, apart from each other, and covers every hit that counts', () => {
  const row = fc
    .record({
      startSeconds: fc.integer({ min: 0, max: 500 }),
      length: fc.integer({ min: 1, max: 20 }),
      score: fc.double({ min: -1, max: 2, noNaN: true }),
      kind: fc.constantFrom('speech' as const, 'visual' as const),
    })
    .map(({ startSeconds, length, score, kind }) =>
      hit(startSeconds, startSeconds + length, { score, kind }),
    );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const moments = bestMoments(rows, []);
      expect(moments.length).toBeLessThanOrEqual(3);
      for (const [index, moment] of moments.entries()) {
        expect(moment.score).toBeGreaterThanOrEqual(0);
        expect(moment.score).toBeLessThanOrEqual(1);
        if (index > 0) expect(moment.score).toBeLessThanOrEqual(moments[index - 1]!.score);
      }
      const merged = mergeNeighbours(rows);
      for (const one of rows) {
        expect(
          merged.some(
            (moment) =>
              moment.kind === one.kind &&
              moment.startSeconds <= one.startSeconds &&
              moment.endSeconds >= one.endSeconds,
          ),
        ).toBe(true);
      }
    }),
  );
});

it('cuts a long text without splitting a character', () => {
  const [moment] = bestMoments([hit(0, 1, { text: '😀'.repeat(400) })], []);
  expect(moment!.text.length).toBeLessThanOrEqual(300);
  expect(moment!.text.isWellFormed()).toBe(true);
});
