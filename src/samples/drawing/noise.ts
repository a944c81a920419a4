/**
 * Seeded random numbers in 0..1 (mulberry32 by Tommy Ettinger, public domain). Every drawing has its own
 * seed, so that the same library version draws the same pixels everywhere.
 */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Hash of a lattice point to 0..1; the finaliser of MurmurHash3. */
export function latticeHash(x: number, y: number, seed = 0): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Value noise in 0..1: hashed lattice values, blended smoothly between lattice points. */
export function valueNoise(x: number, y: number, seed = 0): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  let [u, v] = [x - left, y - top];
  u = u * u * (3 - 2 * u);
  v = v * v * (3 - 2 * v);
  const a = latticeHash(left, top, seed);
  const b = latticeHash(left + 1, top, seed);
  const c = latticeHash(left, top + 1, seed);
  const d = latticeHash(left + 1, top + 1, seed);
  return a + (b - a) * u + (c - a + (a - b - c + d) * u) * v;
}

/** Fractal noise in 0..1: octaves of value noise, each twice as fine and half as strong. */
export function fractalNoise(x: number, y: number, octaves: number, seed = 0): number {
  let [sum, weight, total] = [0, 1, 0];
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * valueNoise(x, y, seed + octave);
    total += weight;
    weight /= 2;
    x *= 2;
    y *= 2;
  }
  return sum / total;
}
