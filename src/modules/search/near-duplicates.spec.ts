import fc from 'fast-check';
import { NEAR_DUPLICATE_BITS, nearDuplicateBits } from './near-duplicates.js';

describe('nearDuplicateBits', () => {
  it.each([
    ['0f0f0f0f0f0f0f0f', 10],
    ['0000000000000fff', 6],
    ['fffffffffffff000', 6],
    ['0000000000000001', 0],
    // One colour or a plain gradient: everything without structure would be a copy of it.
    ['0000000000000000', null],
    ['ffffffffffffffff', null],
    ['not a hash', null],
    ['', null],
  ])('%s -> %s', (hash, bits) => {
    expect(nearDuplicateBits(hash)).toBe(bits);
  });

  it('never takes a picture without any structure for a copy of one that has some', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 2n }), (value) => {
        const hash = value.toString(16).padStart(16, '0');
        const ones = [...value.toString(2)].filter((bit) => bit === '1').length;
        const bits = nearDuplicateBits(hash)!;
        expect(bits).toBeLessThanOrEqual(NEAR_DUPLICATE_BITS);
        // The distances to the hashes of all zeros and of all ones.
        expect(bits).toBeLessThan(Math.min(ones, 64 - ones));
      }),
    );
  });
});
