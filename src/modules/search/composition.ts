import { STORED_DIMENSIONS } from '../../infrastructure/ai/ai.types.js';
import { l2Normalize } from '../../infrastructure/ai/vectors.js';

export interface WeightedVector {
  /** Of unit length. */
  vector: Float32Array;
  /** Above 0. */
  weight: number;
  /** Subtracted instead of added. */
  isExcluded: boolean;
}

/**
 * Length of the sum below which the parts are taken to cancel each other out, as a share of all weights. A stored half
 * float is off by up to 2^-11 of its value, so a text minus a file that was embedded from the same text leaves about
 * 0.0003 of pure rounding, and its direction means nothing.
 */
export const MIN_TARGET_LENGTH = 1e-3;

/**
 * "This, but at night, and less of that" as one vector: the weighted sum of what is wanted minus the weighted sum of
 * what is not, brought to unit length (J. J. Rocchio, "Relevance Feedback in Information Retrieval", in G. Salton, ed.,
 * The SMART Retrieval System, Prentice-Hall 1971, chapter 14; there with the means of whole sets of documents).
 *
 * Raising the weight of a wanted part never takes the target farther from it: with the others' sum split into a along
 * the part and b across it, the cosine is (w + a) / sqrt((w + a)^2 + b^2), which rises with w. And as every file's
 * similarity is linear in w up to a common factor, the mean similarity of the best k files to that part never falls.
 *
 * @param parts at least one; vectors of the same length, at most STORED_DIMENSIONS
 * @returns unit vector, or null when the parts cancel each other out
 */
export function composeTarget(parts: readonly WeightedVector[]): Float32Array | null {
  // By the greatest weight first, so that weights as small as numbers go do not vanish when they are squared.
  const greatest = Math.max(...parts.map(({ weight }) => weight));
  const sum = new Float64Array(parts[0]?.vector.length ?? STORED_DIMENSIONS);
  let weights = 0;
  for (const { vector, weight, isExcluded } of parts) {
    const share = weight / greatest;
    weights += share;
    const factor = isExcluded ? -share : share;
    for (let index = 0; index < sum.length; index++) sum[index]! += factor * vector[index]!;
  }
  const length = Math.hypot(...sum);
  return length < MIN_TARGET_LENGTH * weights ? null : l2Normalize(sum);
}
