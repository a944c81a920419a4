/** Chance that a query which has nothing to do with the library finds something all the same. */
const FALSE_ANSWER_CHANCE = 0.05;
/** Fewer similarities than this say nothing about their spread. */
export const MIN_SAMPLE = 20;
/** How many of the user's vectors are compared with the query to learn what "unrelated" looks like for it. */
export const SAMPLE_SIZE = 200;
/** Makes the median absolute deviation of normally distributed values their standard deviation (Hampel 1974). */
const MAD_TO_DEVIATION = 1.4826;

/**
 * The similarity from which on a segment is more than chance, for one query in one library: the middle of the query's
 * similarities to a sample, plus as many deviations as the greatest of `vectorCount` unrelated ones exceeds with a
 * chance of 5 % at most. For normally distributed similarities that is sqrt(2 ln(n / p)) deviations, by the union bound
 * over the Gaussian tail exp(-z²/2). Median and median absolute deviation, because the related ones are in the sample too.
 * @param sample cosine similarities of the query to some of the user's own vectors
 * @param bounds never below `floor`; and never above `certain`, from where on the model's vectors are related whatever
 *   the rest looks like (a library in which nearly everything is about the query has no unrelated middle)
 */
export function automaticCutoff(
  sample: readonly number[],
  vectorCount: number,
  bounds: { floor: number; certain: number },
): number {
  if (sample.length < MIN_SAMPLE) return bounds.floor;
  const middle = median(sample);
  const deviation = MAD_TO_DEVIATION * median(sample.map((value) => Math.abs(value - middle)));
  const deviations = Math.sqrt(2 * Math.log(Math.max(vectorCount, sample.length) / FALSE_ANSWER_CHANCE));
  return Math.max(bounds.floor, Math.min(bounds.certain, middle + deviations * deviation));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
}

/**
 * Ids spread evenly between two, both included; the rows that come next in order make a sample that is the same each
 * time. (Ids made by the application are ordered by time.)
 */
export function evenlySpacedIds(first: string, last: string, count: number): string[] {
  const toNumber = (id: string): bigint => BigInt(`0x${id.replaceAll('-', '')}`);
  const [start, end] = [toNumber(first), toNumber(last)];
  return Array.from({ length: count }, (_, index) => {
    const value = start + ((end - start) * BigInt(index)) / BigInt(Math.max(1, count - 1));
    const hex = value.toString(16).padStart(32, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  });
}
