/**
 * Of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods"
 * (SIGIR 2009): 60 keeps the first few ranks of one list from drowning the other.
 */
export const RECIPROCAL_RANK_K = 60;

export interface FusedHit {
  id: string;
  /** 0..1; 1 = first in both lists. */
  score: number;
  /** 1 = best; null = not in this list. */
  vectorRank: number | null;
  textRank: number | null;
}

/**
 * Fuses two ranked lists by their ranks alone: alpha / (k + vector rank) + (1 - alpha) / (k + text rank), a list
 * that lacks the id counting 0, times (k + 1) so that the best possible score is 1.
 * @param vectorIds ids, best first, without repetition; likewise textIds
 * @param alpha 0..1, the weight of the vector list. 0 gives exactly the text list, 1 exactly the vector list
 * @returns best first; equal scores by vector rank, then by text rank; what has no weight at all is left out
 */
export function reciprocalRankFusion(
  vectorIds: readonly string[],
  textIds: readonly string[],
  alpha: number,
  k: number = RECIPROCAL_RANK_K,
): FusedHit[] {
  const hits = new Map<string, FusedHit>();
  const hitOf = (id: string): FusedHit => {
    let hit = hits.get(id);
    if (hit === undefined) hits.set(id, (hit = { id, score: 0, vectorRank: null, textRank: null }));
    return hit;
  };
  for (const [index, id] of vectorIds.entries()) hitOf(id).vectorRank = index + 1;
  for (const [index, id] of textIds.entries()) hitOf(id).textRank = index + 1;
  const part = (weight: number, rank: number | null): number =>
    rank === null ? 0 : (weight * (k + 1)) / (k + rank);
  for (const hit of hits.values()) hit.score = part(alpha, hit.vectorRank) + part(1 - alpha, hit.textRank);
  return [...hits.values()]
    .filter((hit) => hit.score > 0)
    .sort(
      (a, b) =>
        b.score - a.score ||
        (a.vectorRank ?? Infinity) - (b.vectorRank ?? Infinity) ||
        (a.textRank ?? Infinity) - (b.textRank ?? Infinity),
    );
}
