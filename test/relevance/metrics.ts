/**
 * Measures of a ranked answer against graded judgements. A grade says how well an item answers a query: 3 = exactly it,
 * 2 = good, 1 = related, 0 = not at all. Pure functions.
 */

/** How far down people look: one screen. */
export const DEPTH = 10;
/** From this grade on an item is an answer and not only related. */
export const ANSWER_GRADE = 2;

/**
 * Discounted cumulative gain: the sum of (2^grade - 1) / log2(rank + 1), rank 1 = first. The discounted sum is of
 * Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (ACM TOIS 20(4), 2002); the exponential
 * gain, which makes one exact answer worth more than two good ones, of Burges et al., "Learning to rank using gradient
 * descent" (ICML 2005).
 * @param grades in the order of the answer, best first
 */
export function discountedCumulativeGain(grades: readonly number[], depth = DEPTH): number {
  return grades
    .slice(0, depth)
    .reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0);
}

/**
 * nDCG: the gain of the answer divided by that of the best possible order (Järvelin & Kekäläinen 2002).
 * @param grades of the items answered, best first; 0 for what was not judged
 * @param judged every grade given to the query, in any order
 * @returns 0..1; null when nothing was judged above 0, so that no order is better than another
 */
export function normalizedDiscountedCumulativeGain(
  grades: readonly number[],
  judged: readonly number[],
  depth = DEPTH,
): number | null {
  const ideal = discountedCumulativeGain(
    [...judged].sort((a, b) => b - a),
    depth,
  );
  return ideal === 0 ? null : discountedCumulativeGain(grades, depth) / ideal;
}

/**
 * 1 / rank of the first answer, 0 when there is none; its mean over queries is the MRR of Voorhees, "The TREC-8 question
 * answering track report" (1999).
 * @param grades of the items answered, best first
 */
export function reciprocalRank(grades: readonly number[], answerGrade = ANSWER_GRADE): number {
  const index = grades.findIndex((grade) => grade >= answerGrade);
  return index === -1 ? 0 : 1 / (index + 1);
}

/** @returns null for an empty list */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How many of the values are true, 0..1. @returns null for an empty list */
export function shareOf(values: readonly boolean[]): number | null {
  return mean(values.map(Number));
}
