/**
 * Random projection of named features onto dense vectors. Every feature owns a fixed pseudo-random vector of +1 and -1
 * in all dimensions; a text is the weighted sum of its features' vectors. By Johnson and Lindenstrauss the cosine of
 * two sums is that of the underlying feature sets with a standard error of about 1 / sqrt(dimensions) (0.026 at 1536),
 * and by Charikar (STOC 2002) the share of differing signs of such sums is their angle / pi, so that the order
 * survives binary quantisation. A sparse hashing vector, by contrast, is zero almost everywhere and loses it.
 */

/**
 * Adds `weight` times the sign vector of `feature` to `sum`. The signs depend on the feature's name only: they are the
 * output bits of xoroshiro64** (Blackman and Vigna, 2018), seeded by a 64-bit hash of the name.
 */
export function addFeature(sum: Float64Array, feature: string, weight: number): void {
  const [high, low] = hash64(feature);
  let s0 = high;
  // The generator's state must not be all zero.
  let s1 = (high | low) === 0 ? 1 : low;
  const twice = 2 * weight;
  const dimensions = sum.length;
  for (let start = 0; start < dimensions; start += 32) {
    let bits = Math.imul(s0, 0x9e3779bb);
    bits = Math.imul((bits << 5) | (bits >>> 27), 5);
    s1 ^= s0;
    s0 = ((s0 << 26) | (s0 >>> 6)) ^ s1 ^ (s1 << 9);
    s1 = (s1 << 13) | (s1 >>> 19);
    const end = Math.min(start + 32, dimensions);
    for (let index = start; index < end; index++) {
      sum[index]! += weight - twice * (bits & 1);
      bits >>>= 1;
    }
  }
}

/**
 * Two independent 32-bit hashes of a string: multiply-xor over its UTF-16 units (cyrb53 of bryc, public domain) with
 * the finaliser of MurmurHash3 (Austin Appleby, public domain). Not for secrets.
 */
export function hash64(text: string): [number, number] {
  let h1 = 0xdeadbeef | 0;
  let h2 = 0x41c6ce57 | 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    h1 = Math.imul(h1 ^ unit, 0x9e3779b1);
    h2 = Math.imul(h2 ^ unit, 0x5f356495);
  }
  const a = finalize(h1 ^ Math.imul(h2 ^ (h2 >>> 13), 0xc2b2ae35));
  const b = finalize(h2 ^ Math.imul(h1 ^ (h1 >>> 13), 0x85ebca6b));
  return [a, b];
}

function finalize(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
