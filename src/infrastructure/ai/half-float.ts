/**
 * IEEE 754 half precision (binary16): 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
 * Own code because Float16Array and Math.f16round are younger than the oldest supported Node; the spec compares it
 * with them wherever they exist.
 */

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** The greatest finite half. */
export const MAX_HALF = 65_504;

/**
 * Rounds to the nearest half, ties to even, as PostgreSQL's halfvec does.
 * @param value rounded to float32 first
 * @returns the 16 bits; a magnitude of 65,520 or more gives infinity
 */
export function floatToHalfBits(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;

  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  // 65,520, the middle between the greatest half and the next power of two: rounds to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal half: drop 13 fraction bits; adding 0xfff plus the last kept bit rounds to nearest even, and a carry
    // into the exponent is exactly what is wanted.
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal half: a multiple of 2^-24. Below 2^-25 (and at it, by ties to even) nothing is left.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const kept = fraction >>> shift;
  const remainder = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const roundUp = remainder > half || (remainder === half && (kept & 1) === 1);
  return sign | (kept + (roundUp ? 1 : 0));
}

/** The number that 16 bits stand for. */
export function halfBitsToFloat(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
