/** A still that could become a key frame. */
export interface KeyframeCandidate {
  timestampSeconds: number;
  /** How different it is from the frame before it, 0..1 (ffmpeg's `scene`). */
  sceneScore: number;
  /** Grey values 0..255 of a small version of the picture, same length for all candidates. */
  signature: Uint8Array;
}

/** Mean grey below which a picture without contrast counts as black. */
const BLACK_MEAN = 16;
const FLAT_DEVIATION = 6;
/** Sensor noise and compression move the mean by about 1 and single cells by up to 10 of 255. */
const SAME_PICTURE_MEAN_DIFFERENCE = 2.5;
const SAME_PICTURE_CELL_DIFFERENCE = 24;

/**
 * Chooses which candidates to keep: no black pictures, no picture that looks like the one kept before it, and at
 * most `max`, spread over the whole length.
 * @param candidates in order of time
 * @param max at least 1
 * @returns indices into `candidates`, ascending; at least one when there is any candidate
 */
export function selectKeyframes(
  candidates: readonly KeyframeCandidate[],
  options: { durationSeconds: number; max: number },
): number[] {
  const visible = candidates
    .map((_, index) => index)
    .filter((index) => !isBlack(candidates[index] as KeyframeCandidate));
  const pool = visible.length > 0 ? visible : candidates.length > 0 ? [0] : [];

  const distinct: number[] = [];
  for (const index of pool) {
    const previous = distinct.at(-1);
    const same =
      previous !== undefined &&
      looksAlike(
        (candidates[previous] as KeyframeCandidate).signature,
        (candidates[index] as KeyframeCandidate).signature,
      );
    if (!same) distinct.push(index);
  }
  return distinct.length <= options.max ? distinct : strongestPerSlot(candidates, distinct, options);
}

/** Cuts the length into `max` equal slots and keeps the clearest scene change of each. */
function strongestPerSlot(
  candidates: readonly KeyframeCandidate[],
  indices: readonly number[],
  { durationSeconds, max }: { durationSeconds: number; max: number },
): number[] {
  const lastTimestamp = (candidates[indices.at(-1) as number] as KeyframeCandidate).timestampSeconds;
  const length = Math.max(durationSeconds, lastTimestamp) || 1;
  const slots = new Map<number, number>();
  for (const index of indices) {
    const { timestampSeconds, sceneScore } = candidates[index] as KeyframeCandidate;
    const slot = Math.min(max - 1, Math.floor((timestampSeconds / length) * max));
    const best = slots.get(slot);
    if (best === undefined || sceneScore > (candidates[best] as KeyframeCandidate).sceneScore)
      slots.set(slot, index);
  }
  return [...slots.values()].sort((a, b) => a - b);
}

/** True for fades and leader: dark all over and without contrast. */
export function isBlack({ signature }: Pick<KeyframeCandidate, 'signature'>): boolean {
  const { mean, deviation } = greyStatistics(signature);
  return mean < BLACK_MEAN && deviation < FLAT_DEVIATION;
}

/** Mean and standard deviation of grey values, both 0..255. */
export function greyStatistics(values: Uint8Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  return { mean, deviation: Math.sqrt(variance) };
}

function looksAlike(a: Uint8Array, b: Uint8Array): boolean {
  let total = 0;
  let largest = 0;
  for (let index = 0; index < a.length; index += 1) {
    const difference = Math.abs((a[index] as number) - (b[index] as number));
    total += difference;
    largest = Math.max(largest, difference);
  }
  return (
    total / Math.max(1, a.length) < SAME_PICTURE_MEAN_DIFFERENCE && largest < SAME_PICTURE_CELL_DIFFERENCE
  );
}
