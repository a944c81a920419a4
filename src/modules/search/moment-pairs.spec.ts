import fc from 'fast-check';
import {
  gapSeconds,
  MAX_PAIRS,
  PAIR_ORDERS,
  pairMoments,
  rankPairs,
  scoreOfPair,
  type MomentPair,
  type PairOrder,
} from './moment-pairs.js';
import type { Moment } from './moments.js';

const at = (startSeconds: number, endSeconds: number, overrides: Partial<Moment> = {}): Moment => ({
  startSeconds,
  endSeconds,
  kind: 'speech',
  score: 0.5,
  text: `${startSeconds}`,
  ...overrides,
});

const moment: fc.Arbitrary<Moment> = fc
  .record({
    start: fc.integer({ min: 0, max: 120 }),
    length: fc.integer({ min: 0, max: 15 }),
    score: fc.integer({ min: 0, max: 1000 }),
    kind: fc.constantFrom('speech' as const, 'visual' as const),
  })
  .map(({ start, length, score, kind }) => at(start, start + length, { kind, score: score / 1000 }));
const moments = fc.array(moment, { maxLength: 25 });
const window = fc.record({
  withinSeconds: fc.integer({ min: 0, max: 60 }),
  order: fc.constantFrom(...PAIR_ORDERS),
});

/** The definition, word by word: every pair allowed, the best of each first moment, the best of what overlaps. */
function byDefinition(
  first: readonly Moment[],
  second: readonly Moment[],
  { withinSeconds, order }: { withinSeconds: number; order: PairOrder },
): { score: number; startSeconds: number; endSeconds: number }[] {
  const candidates = first.flatMap((a) => {
    const pairs = second
      .filter((b) => {
        const gap = Math.max(a.startSeconds, b.startSeconds) - Math.min(a.endSeconds, b.endSeconds);
        const isOrdered =
          order === 'any' ||
          (order === 'before' ? a.startSeconds < b.startSeconds : b.startSeconds < a.startSeconds);
        return isOrdered && gap <= withinSeconds;
      })
      .map((b) => ({
        score: scoreOfPair(a, b, withinSeconds),
        startSeconds: Math.min(a.startSeconds, b.startSeconds),
        endSeconds: Math.max(a.endSeconds, b.endSeconds),
      }));
    return best(pairs).slice(0, 1);
  });
  const chosen: typeof candidates = [];
  let left = best(candidates);
  while (left.length > 0 && chosen.length < 3) {
    const top = left[0]!;
    chosen.push(top);
    left = left.filter((one) => one.startSeconds > top.endSeconds || one.endSeconds < top.startSeconds);
  }
  return chosen;
}

const best = <T extends { score: number; startSeconds: number; endSeconds: number }>(pairs: T[]): T[] =>
  pairs.toSorted(
    (a, b) => b.score - a.score || a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds,
  );

describe('pairMoments', () => {
  it('pairs what is said at 10 s with what is said at 18 s, and not with what comes five minutes later', () => {
    const said = at(10, 12, { score: 1 });
    const answer = at(18, 20, { score: 0.64 });
    const late = at(310, 312, { score: 1 });
    expect(pairMoments([said], [late, answer], { withinSeconds: 10, order: 'any' })).toEqual([
      {
        startSeconds: 10,
        endSeconds: 20,
        score: expect.closeTo(0.8 * (1 - 0.25 * 0.6)),
        first: said,
        second: answer,
      },
    ]);
    expect(pairMoments([said], [late], { withinSeconds: 10, order: 'any' })).toEqual([]);
  });

  it('keeps to the order asked, by the starts', () => {
    const [a, b] = [at(10, 30), at(15, 20)];
    const found = (order: PairOrder, first: Moment, second: Moment): number =>
      pairMoments([first], [second], { withinSeconds: 0, order }).length;
    expect([found('before', a, b), found('after', a, b), found('any', a, b)]).toEqual([1, 0, 1]);
    expect([found('before', b, a), found('after', b, a), found('any', b, a)]).toEqual([0, 1, 1]);
    // What starts at the same time is neither before nor after.
    expect([found('before', a, a), found('after', a, a), found('any', a, a)]).toEqual([0, 0, 1]);
  });

  it('takes the gap that is just allowed, and none longer', () => {
    const found = (start: number): number =>
      pairMoments([at(0, 5)], [at(start, start + 1)], { withinSeconds: 10, order: 'any' }).length;
    expect([found(15), found(15.001)]).toEqual([1, 0]);
  });

  it('does as its definition says', () => {
    fc.assert(
      fc.property(moments, moments, window, (first, second, asked) => {
        const pairs = pairMoments(first, second, asked);
        expect(
          pairs.map(({ score, startSeconds, endSeconds }) => ({ score, startSeconds, endSeconds })),
        ).toEqual(byDefinition(first, second, asked));
        for (const pair of pairs) {
          expect(first).toContain(pair.first);
          expect(second).toContain(pair.second);
          expect(gapSeconds(pair.first, pair.second)).toBeLessThanOrEqual(asked.withinSeconds);
          expect(pair.score).toBe(scoreOfPair(pair.first, pair.second, asked.withinSeconds));
        }
        expect(pairs.length).toBeLessThanOrEqual(MAX_PAIRS);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of what comes in, nor change it', () => {
    fc.assert(
      fc.property(moments, moments, window, (first, second, asked) => {
        const before = structuredClone([first, second]);
        const windows = (pairs: MomentPair[]): number[][] =>
          pairs.map(({ score, startSeconds, endSeconds }) => [score, startSeconds, endSeconds]);
        expect(windows(pairMoments(first.toReversed(), second.toReversed(), asked))).toEqual(
          windows(pairMoments(first, second, asked)),
        );
        expect([first, second]).toEqual(before);
      }),
    );
  });

  it('swaps before and after with the queries: the best window is the same', () => {
    fc.assert(
      fc.property(moments, moments, fc.integer({ min: 0, max: 60 }), (first, second, withinSeconds) => {
        const score = (pairs: MomentPair[]): number | undefined => pairs[0]?.score;
        expect(score(pairMoments(first, second, { withinSeconds, order: 'before' }))).toBe(
          score(pairMoments(second, first, { withinSeconds, order: 'after' })),
        );
      }),
    );
  });

  it('pairs two out of 900 moments each that are near to each other, whatever their scores', () => {
    const often = Array.from({ length: 900 }, (_, index) => at(index * 10, index * 10 + 1, { score: 1 }));
    const seldom = at(4_502, 4_503, { score: 0.1 });
    const far = Array.from({ length: 899 }, (_, index) => at(20_000 + index * 10, 20_001 + index * 10));
    const pairs = pairMoments(often, [...far, seldom], { withinSeconds: 1, order: 'any' });
    expect(pairs.map(({ first, second }) => [first.startSeconds, second])).toEqual([[4_500, seldom]]);
  });

  it('bounds its work: of 50,000 moments the best are paired', () => {
    const many = Array.from({ length: 50_000 }, (_, index) =>
      at(index * 10, index * 10 + 5, { score: index / 1e5 }),
    );
    const started = performance.now();
    const pairs = pairMoments(many, many, { withinSeconds: 5, order: 'any' });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(pairs[0]!.first).toBe(many.at(-1));
  });
});

describe('scoreOfPair', () => {
  it('lies between 0 and 1, and falls with the gap but never below three quarters', () => {
    fc.assert(
      fc.property(moment, moment, fc.integer({ min: 1, max: 600 }), (a, b, withinSeconds) => {
        fc.pre(gapSeconds(a, b) <= withinSeconds);
        const score = scoreOfPair(a, b, withinSeconds);
        const mean = Math.sqrt(a.score * b.score);
        expect(score).toBeGreaterThanOrEqual(0.75 * mean - 1e-9);
        expect(score).toBeLessThanOrEqual(mean + 1e-9);
        if (gapSeconds(a, b) === 0) expect(score).toBeCloseTo(mean);
      }),
    );
  });

  it('keeps scores that are out of range within it', () => {
    expect(scoreOfPair(at(0, 1, { score: 7 }), at(0, 1, { score: 1 }), 0)).toBe(1);
    expect(scoreOfPair(at(0, 1, { score: -1 }), at(0, 1), 10)).toBe(0);
  });

  it('prefers two fair moments to a certain and a doubtful one', () => {
    const pair = (a: number, b: number): number =>
      scoreOfPair(at(0, 1, { score: a }), at(0, 1, { score: b }), 9);
    expect(pair(0.5, 0.5)).toBeGreaterThan(pair(1, 0.04));
  });
});

it('ranks videos by their best window, then by id, and leaves those without one out', () => {
  const pair = (score: number): MomentPair => ({ ...at(0, 1), score, first: at(0, 1), second: at(0, 1) });
  const ranked = rankPairs(
    new Map([
      ['c', [pair(0.5)]],
      ['none', []],
      ['a', [pair(0.5), pair(0.4)]],
      ['b', [pair(0.9)]],
    ]),
  );
  expect(ranked.map(({ mediaFileId, score }) => [mediaFileId, score])).toEqual([
    ['b', 0.9],
    ['a', 0.5],
    ['c', 0.5],
  ]);
});
