import type { Transaction } from '../../infrastructure/database/database.js';
import type { RankInput, RankedMedia, Ranker, SearchPlan } from './ranker.js';

/** As many as a page shows by default. */
export const RECALL_DEPTH = 20;
/** Two ways of adding up 1,536 products differ by less; a file that is as near as the last right one is right. */
const TIE = 1e-6;

export interface RecallSample {
  /** How the search was run. With `exact` there is nothing to lose and the recall is 1. */
  plan: SearchPlan;
  /** 0..1: the share of the nearest files that the search found. */
  recall: number;
}

/**
 * Runs one search as it is planned and once more comparing every vector, in the caller's transaction and so under the
 * same policies, and compares the first files. Costs as much as an exact search of the user's whole library.
 * @param input semantic mode, with a vector
 */
export async function sampleRecall(
  ranker: Pick<Ranker, 'rank'>,
  tx: Transaction,
  input: RankInput & { vector: NonNullable<RankInput['vector']> },
): Promise<RecallSample> {
  const planned = await ranker.rank(tx, input);
  if (planned.plan !== 'ann') return { plan: planned.plan, recall: 1 };
  // The plan depends on the number of vectors alone: a user of none is searched exactly.
  const exact = await ranker.rank(tx, { ...input, vector: { ...input.vector, vectorCount: 0 } });
  return { plan: planned.plan, recall: recallAt(RECALL_DEPTH, exact.media, planned.media) };
}

/**
 * How many of the nearest files were found. Files of equal similarity stand for each other, so that duplicates in a
 * library do not count as losses.
 * @param exact the right answer, best first
 * @returns 0..1; 1 when there was nothing to find
 */
export function recallAt(
  depth: number,
  exact: readonly Pick<RankedMedia, 'vectorSimilarity'>[],
  found: readonly Pick<RankedMedia, 'vectorSimilarity'>[],
): number {
  const wanted = exact.slice(0, depth);
  const last = wanted.at(-1);
  if (last === undefined) return 1;
  const limit = (last.vectorSimilarity ?? 0) - TIE;
  const right = found.slice(0, wanted.length).filter((media) => (media.vectorSimilarity ?? -1) >= limit);
  return right.length / wanted.length;
}
