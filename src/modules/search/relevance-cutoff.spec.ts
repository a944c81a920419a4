import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { automaticCutoff, evenlySpacedIds } from './relevance-cutoff.js';

const bounds = { floor: 0.1, certain: 0.5 };

/** Normally distributed numbers from a fixed seed (Box and Muller 1958). */
function normals(count: number, mean: number, deviation: number, seed = 1): number[] {
  let state = seed;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return Array.from(
    { length: count },
    () => mean + deviation * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()),
  );
}

describe('the automatic cut-off', () => {
  it('lies where 1,000 unrelated vectors hardly reach', () => {
    const cutoff = automaticCutoff(normals(200, 0.1, 0.04), 1000, bounds);
    // 0.1 + sqrt(2 ln(1000 / 0.05)) * 0.04 = 0.278, give or take the sample.
    expect(cutoff).toBeGreaterThan(0.25);
    expect(cutoff).toBeLessThan(0.31);
    expect(Math.max(...normals(1000, 0.1, 0.04, 7))).toBeLessThan(cutoff);
  });

  it('is not moved by the related ones in the sample', () => {
    const background = normals(190, 0.1, 0.04);
    const clean = automaticCutoff(background, 1000, bounds);
    const mixed = automaticCutoff([...background, ...Array<number>(10).fill(0.9)], 1000, bounds);
    expect(Math.abs(mixed - clean)).toBeLessThan(0.03);
  });

  it('is the floor for a sample too small, and stays within the bounds', () => {
    expect(automaticCutoff([0.9, 0.8], 2, bounds)).toBe(0.1);
    expect(automaticCutoff(normals(100, 0.7, 0.05), 1000, bounds)).toBe(0.5);
    expect(automaticCutoff(Array<number>(50).fill(0), 50, bounds)).toBe(0.1);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true })), fc.nat(1e6), (sample, count) => {
        const cutoff = automaticCutoff(sample, count, bounds);
        return cutoff >= bounds.floor && cutoff <= bounds.certain;
      }),
    );
  });

  it('rises with the size of the library', () => {
    const sample = normals(200, 0, 0.03);
    expect(automaticCutoff(sample, 100_000, bounds)).toBeGreaterThan(automaticCutoff(sample, 200, bounds));
  });
});

describe('sample ids', () => {
  it('are in order, between the ends, both included', () => {
    const [first, last] = ['0190a1c4-0000-7000-8000-000000000001', '0190a1c4-ffff-7000-8000-000000000001'];
    const ids = evenlySpacedIds(first, last, 5);
    expect(ids).toEqual([...ids].sort());
    expect([ids[0], ids[4]]).toEqual([first, last]);
    expect(evenlySpacedIds(first, first, 3)).toEqual([first, first, first]);
  });
});
