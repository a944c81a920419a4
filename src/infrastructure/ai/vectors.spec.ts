import fc from 'fast-check';
import { floatToHalfBits, halfBitsToFloat } from './half-float.js';
import {
  InvalidVectorError,
  decodeHalfvecText,
  encodeHalfvecBinary,
  encodeHalfvecText,
  l2Normalize,
  toStoredVector,
} from './vectors.js';

const FINITE_HALVES = Array.from({ length: 65_536 }, (_, bits) => bits).filter(
  (bits) => (bits & 0x7c00) !== 0x7c00,
);
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, element, index) => sum + element * b[index]!, 0);

describe('half floats', () => {
  it('every finite half survives the way to a float and back', () => {
    expect(FINITE_HALVES).toHaveLength(63_488);
    expect(FINITE_HALVES.filter((bits) => floatToHalfBits(halfBitsToFloat(bits)) !== bits)).toEqual([]);
  });

  it('rounds to nearest, ties to even: the middle between any two neighbours and the floats beside it', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = halfBitsToFloat(bits);
      const middle = (low + halfBitsToFloat(bits + 1)) / 2;
      const step = (halfBitsToFloat(bits + 1) - low) / 64;
      const even = (bits & 1) === 0 ? bits : bits + 1;
      if (floatToHalfBits(middle) !== even) wrong.push(middle);
      if (floatToHalfBits(middle - step) !== bits) wrong.push(middle - step);
      if (floatToHalfBits(-middle - step) !== (0x8000 | (bits + 1))) wrong.push(-middle - step);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519.99, 0x7bff],
    [65_520, 0x7c00],
    [1e30, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.001, 0x0001],
    [-1e-40, 0x8000],
    [0.1, 0x2e66],
  ])('%d has the bits %d', (value, bits) => {
    expect(floatToHalfBits(value)).toBe(bits);
  });

  it("agrees with this Node's own half floats, where it has them", () => {
    const Float16 = (
      globalThis as { Float16Array?: new (buffer: ArrayBuffer) => { [index: number]: number } }
    ).Float16Array;
    const hasOwn = Float16 !== undefined;
    fc.assert(
      fc.property(fc.float(), (value) => {
        const bits = new Uint16Array(1);
        if (hasOwn) new Float16(bits.buffer)[0] = value;
        else bits[0] = floatToHalfBits(value);
        const own = floatToHalfBits(value);
        expect(Number.isNaN(value) ? own & 0x7fff : own).toBe(Number.isNaN(value) ? 0x7e00 : bits[0]);
      }),
      { numRuns: 5_000 },
    );
    // Node 24 and later have them: there the comparison above must not be with ourselves.
    expect(hasOwn || Number(process.versions.node.split('.')[0]) < 24).toBe(true);
  });
});

describe('toStoredVector', () => {
  it('pads 1024 dimensions to 1536 without changing the cosine', () => {
    const random = (seed: number) =>
      Float32Array.from({ length: 1024 }, (_, index) => Math.sin(seed * (index + 1)));
    const [a, b] = [l2Normalize(random(1.7))!, l2Normalize(random(2.3))!];
    const [storedA, storedB] = [toStoredVector(a), toStoredVector(b)];
    expect(storedA).toHaveLength(1536);
    expect(dot(storedA, storedB)).toBe(dot(a, b));
    expect([...storedA.subarray(1024)].every((element) => element === 0)).toBe(true);
  });

  it.each([
    [new Float32Array(0), '1 to 1536 elements'],
    [new Float32Array(1537).fill(1), 'this one has 1537'],
    [new Float32Array(10), 'no direction'],
    [new Float32Array(10).fill(1e-9), 'no direction'],
    [Float32Array.of(1, NaN), 'element 1'],
    [Float32Array.of(Infinity), 'element 0'],
    [Float32Array.of(1, 70_000), 'element 1'],
  ])('refuses %#', (vector, message) => {
    expect(() => toStoredVector(vector)).toThrow(InvalidVectorError);
    expect(() => toStoredVector(vector)).toThrow(message);
  });
});

describe('l2Normalize', () => {
  it('gives length 1', () => {
    expect([...l2Normalize([3, 4])!].map((element) => element.toFixed(3))).toEqual(['0.600', '0.800']);
  });
  it('gives null for what has no direction', () => {
    for (const vector of [[0, 0], [NaN, 1], [Infinity, 1], [1e200, 1e200], []])
      expect(l2Normalize(vector)).toBeNull();
  });
});

describe('halfvec encodings', () => {
  it('the binary form is 3,076 bytes, big endian, with the dimensions in front', () => {
    const buffer = encodeHalfvecBinary(toStoredVector(Float32Array.of(1, -0.5, 65_504)));
    expect(buffer).toHaveLength(3_076);
    expect(buffer.subarray(0, 12).toString('hex')).toBe('06000000' + '3c00' + 'b800' + '7bff' + '0000');
  });

  it('refuses what a half cannot hold', () => {
    for (const element of [NaN, -Infinity, 65_520, -1e10]) {
      expect(() => encodeHalfvecBinary(Float32Array.of(element))).toThrow('element 0');
      expect(() => encodeHalfvecText(Float32Array.of(element))).toThrow('element 0');
    }
  });

  it('the text form has short numbers', () => {
    expect(encodeHalfvecText(Float32Array.of(0.1, -0.25, 0, -0, 1, 65_504, 1e-7))).toBe(
      '[0.1,-0.25,0,0,1,65500,1e-7]',
    );
    expect(encodeHalfvecText(Float32Array.of(Math.fround(1 / 3)))).toBe('[0.3333]');
  });

  it('every finite half is printed with at most five digits and read back as itself, also by way of a float32', () => {
    const wrong = FINITE_HALVES.filter((bits) => {
      const text = encodeHalfvecText(Float32Array.of(halfBitsToFloat(bits))).slice(1, -1);
      const digits = text
        .replace(/e.*$|[-.]/g, '')
        .replace(/^0+/, '')
        .replace(/0+$/, '');
      const back = floatToHalfBits(decodeHalfvecText(`[${text}]`)[0]!);
      return digits.length > 5 || back !== (bits === 0x8000 ? 0 : bits);
    });
    expect(wrong).toEqual([]);
  });

  it('reads the text form of vector and halfvec', () => {
    expect([...decodeHalfvecText('[1,-2.5,3e-05]')]).toEqual([1, -2.5, Math.fround(3e-5)]);
  });

  it.each(['', '[]', '1,2', '[1,,2]', '[a]', '[NaN]', '[1e300]', '[1,2'])('refuses %j', (text) => {
    expect(() => decodeHalfvecText(text)).toThrow(InvalidVectorError);
  });
});
