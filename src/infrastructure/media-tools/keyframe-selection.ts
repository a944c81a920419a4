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
/** Above what sensor noise and compression do to a small grey version, below what a new line of text does. */
const SAME_PICTURE_MEAN_DIFFERENCE = 2.5;
const SAME_PICTURE_CELL_DIFFERENCE = 24;

export interface KeyframeSelection {
  durationSeconds: number;
  /** At least 1. */
  max: number;
  /** Of two pictures closer than this, the one with the clearer scene change stays. */
  minGapSeconds: number;
}

/**
 * Chooses which candidates to keep: no black pictures, no picture that looks like the one kept before it, none
 * too close to another, and at most `max`, spread over the whole length.
 * @param candidates in order of time
 * @returns indices into `candidates`, ascending; at least one when there is any candidate
 */
export function selectKeyframes(
  candidates: readonly KeyframeCandidate[],
  options: KeyframeSelection,
): number[] {
  const at = (index: number) => candidates[index] as KeyframeCandidate;
  const visible = [...candidates.keys()].filter((index) => !isBlack(at(index)));
  const pool = visible.length > 0 ? visible : [...candidates.keys()].slice(0, 1);

  const kept: number[] = [];
  for (const index of pool) {
    const previous = kept.at(-1);
    if (previous === undefined) kept.push(index);
    else if (at(index).timestampSeconds - at(previous).timestampSeconds < options.minGapSeconds) {
      if (at(index).sceneScore > at(previous).sceneScore) kept[kept.length - 1] = index;
    } else if (!looksAlike(at(previous).signature, at(index).signature)) kept.push(index);
  }
  return kept.length <= options.max ? kept : strongestPerSlot(candidates, kept, options);
}

/** Cuts the length into `max` equal slots and keeps the clearest scene change of each. */
function strongestPerSlot(
  candidates: readonly KeyframeCandidate[],
  indices: readonly number[],
  { durationSeconds, max }: KeyframeSelection,
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
