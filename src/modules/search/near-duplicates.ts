/**
 * Bits of a 64-bit difference hash up to which two pictures count as the same one, rescaled, re-encoded or slightly
 * retouched: 0 to 10 after Neal Krawetz, who described the hash ("Kind of Like That", 2013).
 */
export const NEAR_DUPLICATE_BITS = 10;
/** More copies than this are neither looked up nor counted. */
export const MAX_NEAR_DUPLICATES = 1_000;

/**
 * Bits in which another picture's hash may differ from this one. A hash whose bits are nearly all equal is that of a
 * picture with hardly any structure: within 10 bits of it lies every other such picture. So at most half of the bits
 * that say something may differ.
 * @param perceptualHash 16 hex digits
 * @returns 0..10; null when the hash says nothing at all
 */
export function nearDuplicateBits(perceptualHash: string): number | null {
  if (!/^[0-9a-f]{16}$/i.test(perceptualHash)) return null;
  let ones = 0;
  for (let bits = BigInt(`0x${perceptualHash}`); bits > 0n; bits >>= 1n) ones += Number(bits & 1n);
  const structure = Math.min(ones, 64 - ones);
  return structure === 0 ? null : Math.min(NEAR_DUPLICATE_BITS, Math.floor(structure / 2));
}
