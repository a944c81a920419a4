import type { Moment } from './moments.js';

/** `before`: the first query's moment starts before the second's; `after`: it starts after it; `any`: either. */
export const PAIR_ORDERS = ['any', 'before', 'after'] as const;
export type PairOrder = (typeof PAIR_ORDERS)[number];

/** A stretch of one video in which both queries happen. */
export interface MomentPair {
  startSeconds: number;
  endSeconds: number;
  /** 0..1, see scoreOfPair. */
  score: number;
  /** What answers the first query, and what the second. */
  first: Moment;
  second: Moment;
}

export interface PairWindow {
  /** The most seconds from the end of the earlier moment to the start of the later one. */
  withinSeconds: number;
  order: PairOrder;
}

export const MAX_PAIRS = 3;
/** Moments of one query that are looked at in one video: the best, where it has more. Bounds the work of wide windows. */
export const MOMENTS_PAIRED = 1_000;
/** What of the score a pair keeps whose moments are as far apart as allowed. */
const FARTHEST_FACTOR = 0.75;

/** Seconds between two moments; 0 when they touch or overlap. */
export function gapSeconds(
  a: Pick<Moment, 'startSeconds' | 'endSeconds'>,
  b: Pick<Moment, 'startSeconds' | 'endSeconds'>,
): number {
  return Math.max(0, a.startSeconds - b.endSeconds, b.startSeconds - a.endSeconds);
}

/**
 * sqrt(first x second) x (1 - (1 - FARTHEST_FACTOR) x gap / within), between 0 and 1.
 *
 * The geometric mean, because both queries have to happen: one certain and one doubtful moment (1 and 0.04: 0.2) are
 * less than two fair ones (0.5), where the arithmetic mean would say the opposite. Closeness only tips the balance: who
 * says "within 30 seconds" is content with 30, so the farthest pair keeps three quarters.
 */
export function scoreOfPair(first: Moment, second: Moment, withinSeconds: number): number {
  const gap = gapSeconds(first, second);
  const distance = gap === 0 ? 0 : Math.min(1, gap / withinSeconds);
  return Math.sqrt(unit(first.score) * unit(second.score)) * (1 - (1 - FARTHEST_FACTOR) * distance);
}

/**
 * The best windows of one video in which both queries happen: each moment of the first query with the partner that
 * gives the best score, then windows that overlap or touch reduced to the best of them.
 *
 * O(n log n + p) for n moments of which p pairs lie within the window: the second query's moments are gone through in order
 * of time, as far as the window reaches.
 * @param first moments of the first query, any order
 * @param second moments of the second query, any order
 * @returns at most MAX_PAIRS, best first, then by time
 */
export function pairMoments(
  first: readonly Moment[],
  second: readonly Moment[],
  window: PairWindow,
): MomentPair[] {
  const partners = strongest(second).sort((a, b) => a.startSeconds - b.startSeconds || byScoreAndTime(a, b));
  const longest = Math.max(0, ...partners.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds));
  const pairs = strongest(first).flatMap((moment) => {
    let best: MomentPair | undefined;
    const reach = window.withinSeconds + longest;
    for (let index = firstFrom(partners, moment.startSeconds - reach); index < partners.length; index++) {
      const partner = partners[index]!;
      if (partner.startSeconds > moment.endSeconds + window.withinSeconds) break;
      if (!isInOrder(moment, partner, window.order)) continue;
      if (gapSeconds(moment, partner) > window.withinSeconds) continue;
      const pair = pairOf(moment, partner, window.withinSeconds);
      if (best === undefined || byScoreAndTime(pair, best) < 0) best = pair;
    }
    return best === undefined ? [] : [best];
  });
  const kept: MomentPair[] = [];
  for (const pair of pairs.sort(byScoreAndTime)) {
    if (kept.length === MAX_PAIRS) break;
    if (kept.every((other) => gapSeconds(pair, other) > 0)) kept.push(pair);
  }
  return kept;
}

export interface MediaPairs {
  mediaFileId: string;
  /** That of the best window. */
  score: number;
  /** At most MAX_PAIRS, best first. */
  pairs: MomentPair[];
}

/** Videos in which both queries happen, by their best window; one video is one hit, however long it is. */
export function rankPairs(pairsOf: ReadonlyMap<string, MomentPair[]>): MediaPairs[] {
  return [...pairsOf]
    .flatMap(([mediaFileId, pairs]) =>
      pairs[0] === undefined ? [] : [{ mediaFileId, score: pairs[0].score, pairs }],
    )
    .sort((a, b) => b.score - a.score || (a.mediaFileId < b.mediaFileId ? -1 : 1));
}

function pairOf(first: Moment, second: Moment, withinSeconds: number): MomentPair {
  return {
    startSeconds: Math.min(first.startSeconds, second.startSeconds),
    endSeconds: Math.max(first.endSeconds, second.endSeconds),
    score: scoreOfPair(first, second, withinSeconds),
    first,
    second,
  };
}

function isInOrder(first: Moment, second: Moment, order: PairOrder): boolean {
  if (order === 'before') return first.startSeconds < second.startSeconds;
  return order === 'any' || first.startSeconds > second.startSeconds;
}

function byScoreAndTime(a: Omit<Moment, 'kind' | 'text'>, b: Omit<Moment, 'kind' | 'text'>): number {
  return b.score - a.score || a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds;
}

/** Index of the first moment that starts at `seconds` or later; binary search. @param moments by their starts */
function firstFrom(moments: readonly Moment[], seconds: number): number {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle]!.startSeconds < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

function strongest(moments: readonly Moment[]): Moment[] {
  return [...moments].sort(byScoreAndTime).slice(0, MOMENTS_PAIRED);
}

function unit(score: number): number {
  return Math.min(1, Math.max(0, score));
}
