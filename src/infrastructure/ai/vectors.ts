import { STORED_DIMENSIONS } from './ai.types.js';
import { floatToHalfBits, halfBitsToFloat, MAX_HALF } from './half-float.js';

/** A vector that cannot be stored or read; says which element and why. */
export class InvalidVectorError extends Error {
  override name = 'InvalidVectorError';
}

/**
 * Pads a model's vector with zeros to the stored length. Zeros change neither the cosine (they add nothing to the dot
 * product or the norm) nor the order by Hamming distance (binary quantisation gives the same bit for all of them).
 * @param vector 1 to 1536 finite elements, not all zero
 * @returns a new vector of 1536 elements
 * @throws InvalidVectorError
 */
export function toStoredVector(vector: Float32Array): Float32Array {
  if (vector.length < 1 || vector.length > STORED_DIMENSIONS) {
    throw new InvalidVectorError(
      `a vector has 1 to ${STORED_DIMENSIONS} elements, this one has ${vector.length}`,
    );
  }
  checkElements(vector);
  if (vector.every((element) => floatToHalfBits(element) << 17 === 0)) {
    throw new InvalidVectorError('the vector has no direction: every element is zero at half precision');
  }
  const stored = new Float32Array(STORED_DIMENSIONS);
  stored.set(vector);
  return stored;
}

/**
 * Divides a vector by its length, so that the dot product of two is their cosine.
 * @returns a new vector, or null when an element is not finite or the length is zero
 */
export function l2Normalize(vector: ArrayLike<number>): Float32Array | null {
  let sumOfSquares = 0;
  for (let index = 0; index < vector.length; index++) sumOfSquares += vector[index]! * vector[index]!;
  const norm = Math.sqrt(sumOfSquares);
  if (!(norm > 0) || !Number.isFinite(norm)) return null;
  // A loop, because Float32Array.from with a function walks an iterator and takes fifty times as long.
  const unit = new Float32Array(vector.length);
  for (let index = 0; index < vector.length; index++) unit[index] = vector[index]! / norm;
  return unit;
}

/**
 * The binary form of pgvector's halfvec (`halfvec_recv`): int16 number of elements, int16 unused (0), then one half
 * float each, all big endian. 3,076 bytes for 1536 elements.
 * @throws InvalidVectorError for an element that is not finite or too great for a half
 */
export function encodeHalfvecBinary(vector: Float32Array): Buffer {
  checkElements(vector);
  const buffer = Buffer.allocUnsafe(4 + 2 * vector.length);
  buffer.writeInt16BE(vector.length, 0);
  buffer.writeInt16BE(0, 2);
  for (let index = 0; index < vector.length; index++) {
    buffer.writeUInt16BE(floatToHalfBits(vector[index]!), 4 + 2 * index);
  }
  return buffer;
}

/**
 * The text form, `[0.1,-0.25,0]`. Each element is first rounded to half precision and then printed with the fewest
 * digits that read back as the same half: `0.1` and not `0.10000000149011612`.
 * @throws InvalidVectorError
 */
export function encodeHalfvecText(vector: Float32Array): string {
  checkElements(vector);
  const parts = new Array<string>(vector.length);
  for (let index = 0; index < vector.length; index++)
    parts[index] = halfText(floatToHalfBits(vector[index]!));
  return `[${parts.join(',')}]`;
}

/**
 * Reads the text form of a vector or halfvec.
 * @throws InvalidVectorError when it is not one
 */
export function decodeHalfvecText(text: string): Float32Array {
  if (!text.startsWith('[') || !text.endsWith(']') || text.length < 3) {
    throw new InvalidVectorError('the text of a vector looks like [1,2,3]');
  }
  const parts = text.slice(1, -1).split(',');
  const vector = new Float32Array(parts.length);
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]!;
    // fround: what is too great for a float32 becomes infinity, and is refused as well.
    const element = part.trim() === '' ? NaN : Math.fround(Number(part));
    if (!Number.isFinite(element))
      throw new InvalidVectorError(`element ${index} of the vector is not a number`);
    vector[index] = element;
  }
  return vector;
}

function checkElements(vector: Float32Array): void {
  for (let index = 0; index < vector.length; index++) {
    const element = vector[index]!;
    // 65,504 is the greatest half; what rounds to it is still fine, 65,520 and more would become infinity.
    if (!(Math.abs(element) < MAX_HALF + 16)) {
      throw new InvalidVectorError(
        `element ${index} of the vector is ${element}, not a number that a half can hold`,
      );
    }
  }
}

/** Texts of the halves met so far; there are only 63,488 finite ones. */
const halfTexts: (string | undefined)[] = new Array<string | undefined>(65_536);

function halfText(bits: number): string {
  const known = halfTexts[bits];
  if (known !== undefined) return known;
  const value = halfBitsToFloat(bits);
  let text = '0';
  for (let digits = 1; digits <= 5 && value !== 0; digits++) {
    // Number() drops trailing zeros and, from 1e-7 on, writes an exponent, which PostgreSQL reads.
    text = String(Number(value.toPrecision(digits)));
    if (floatToHalfBits(Number(text)) === bits) break;
  }
  halfTexts[bits] = text;
  return text;
}
