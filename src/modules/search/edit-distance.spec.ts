import fc from 'fast-check';
import { optimalStringAlignmentDistance as distance } from './edit-distance.js';

it.each([
  ['sunset', 'sunset', 0],
  ['sunste', 'sunset', 1],
  ['sunse', 'sunset', 1],
  ['sunsset', 'sunset', 1],
  ['sunset', 'sunsat', 1],
  ['recieve', 'receive', 1],
  ['usnste', 'sunset', 2],
  // No part is edited twice: the unrestricted distance would be 2.
  ['ca', 'abc', 3],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['', '', 0],
  ['kitten', 'sitting', 3],
  // Counted in code points, not in UTF-16 units.
  ['a🙂b', 'ab', 1],
])('from "%s" to "%s" it is %d', (from, to, expected) => {
  expect(distance(from, to)).toBe(expected);
});

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 9 });

it('is symmetric, zero for equal words only, and at most the longer length', () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      const found = distance(a, b);
      expect(found).toBe(distance(b, a));
      expect(found === 0).toBe(a === b);
      expect(found).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(found).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});

it('a swap, a deletion, an insertion and a replacement cost one each', () => {
  fc.assert(
    fc.property(word, word, (head, tail) => {
      expect(distance(`${head}xy${tail}`, `${head}yx${tail}`)).toBe(1);
      expect(distance(`${head}x${tail}`, `${head}${tail}`)).toBe(1);
      expect(distance(`${head}${tail}`, `${head}x${tail}`)).toBe(1);
      expect(distance(`${head}x${tail}`, `${head}y${tail}`)).toBe(1);
    }),
  );
});
