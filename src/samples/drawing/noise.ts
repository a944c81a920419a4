// Taken out of Math once: test runners evaluate modules in a context where each look at a global is slow,
// and these are called for every pixel.
const { floor, imul } = Math;

/**
 * Seeded random numbers in 0..1 (mulberry32 by Tommy Ettinger, public domain). Every drawing has its own
 * seed, so that the same library version draws the same pixels everywhere.
 */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = imul(t ^ (t >>> 15), t | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Hash of a lattice point to 0..1; the finaliser of MurmurHash3. */
export function latticeHash(x: number, y: number, seed = 0): number {
  let h = imul(x, 0x27d4eb2d) ^ imul(y, 0x165667b1) ^ imul(seed, 0x9e3779b1);
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Side of the square of lattice values that valueNoise repeats; a power of two, so that & wraps it. */
const LATTICE_SIDE = 256;

/** The hashes, computed once: looking them up is what makes a noisy sky affordable. */
const LATTICE = Float32Array.from({ length: LATTICE_SIDE * LATTICE_SIDE }, (_, index) =>
  latticeHash(index % LATTICE_SIDE, floor(index / LATTICE_SIDE)),
);

/** Value noise in 0..1: hashed lattice values, blended smoothly between lattice points. */
export function valueNoise(x: number, y: number, seed = 0): number {
  const floorX = floor(x);
  const floorY = floor(y);
  const u = smooth(x - floorX);
  const v = smooth(y - floorY);
  // Another seed looks at another part of the lattice; the factors are odd, so that no two seeds meet soon.
  const left = (floorX + seed * 89) & (LATTICE_SIDE - 1);
  const right = (left + 1) & (LATTICE_SIDE - 1);
  const top = ((floorY + seed * 57) & (LATTICE_SIDE - 1)) * LATTICE_SIDE;
  const bottom = (top + LATTICE_SIDE) & (LATTICE_SIDE * LATTICE_SIDE - 1);
  const above = LATTICE[top + left]! + (LATTICE[top + right]! - LATTICE[top + left]!) * u;
  const below = LATTICE[bottom + left]! + (LATTICE[bottom + right]! - LATTICE[bottom + left]!) * u;
  return above + (below - above) * v;
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
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
