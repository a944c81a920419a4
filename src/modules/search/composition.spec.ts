import fc from 'fast-check';
import { decodeHalfvecText, encodeHalfvecText, l2Normalize } from '../../infrastructure/ai/vectors.js';
import { composeTarget, type WeightedVector } from './composition.js';

const DIMENSIONS = 12;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, element, index) => sum + element * b[index]!, 0);

const unit = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: DIMENSIONS, maxLength: DIMENSIONS })
  .map((elements) => l2Normalize(elements))
  .filter((vector): vector is Float32Array => vector !== null);
const weight = fc.double({ min: 0.01, max: 10, noNaN: true });
const part = fc.record<WeightedVector>({ vector: unit, weight, isExcluded: fc.boolean() });
const wanted = (vector: Float32Array, weight = 1): WeightedVector => ({ vector, weight, isExcluded: false });
const excluded = (vector: Float32Array, weight = 1): WeightedVector => ({ vector, weight, isExcluded: true });
/** Vectors are float32: seven digits each, over twelve of them. */
const TOLERANCE = 1e-5;

/** Length of the sum of all parts as a share of their weights: near 0 when they nearly cancel out. */
function relativeLength(parts: readonly WeightedVector[]): number {
  const sum = Array.from({ length: DIMENSIONS }, (_, index) =>
    parts.reduce((total, each) => total + (each.isExcluded ? -1 : 1) * each.weight * each.vector[index]!, 0),
  );
  return Math.sqrt(dot(sum, sum)) / parts.reduce((total, each) => total + each.weight, 0);
}

const x = Float32Array.of(1, 0);
const y = Float32Array.of(0, 1);

describe('composeTarget', () => {
  it('adds what is wanted and takes away what is not, by weight', () => {
    expect(composeTarget([wanted(x, 2)])).toEqual(x);
    const both = composeTarget([wanted(x, 3), wanted(y, 4)])!;
    expect([both[0], both[1]]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
    const without = composeTarget([wanted(x), excluded(y)])!;
    expect([without[0], without[1]]).toEqual([expect.closeTo(Math.SQRT1_2), expect.closeTo(-Math.SQRT1_2)]);
  });

  it('gives nothing when the parts cancel each other out, also up to the rounding of stored vectors', () => {
    expect(composeTarget([wanted(x), excluded(x)])).toBeNull();
    expect(composeTarget([wanted(x, 2), wanted(y), excluded(x, 2), excluded(y)])).toBeNull();
    fc.assert(
      fc.property(unit, weight, (vector, w) => {
        const stored = l2Normalize(decodeHalfvecText(encodeHalfvecText(vector)))!;
        expect(composeTarget([wanted(vector, w), excluded(stored, w)])).toBeNull();
      }),
    );
  });

  it('works with weights as small as numbers go', () => {
    expect(composeTarget([wanted(x, 5e-324)])).toEqual(x);
    expect(composeTarget([wanted(x, 10), excluded(y, 5e-324)])).toEqual(x);
  });

  it('has unit length, and depends neither on the order of the parts nor on a common factor', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), weight, (parts, factor) => {
        const target = composeTarget(parts);
        fc.pre(target !== null && parts.length > 0);
        expect(Math.sqrt(dot(target!, target!))).toBeCloseTo(1, 5);
        const reversed = composeTarget([...parts].reverse());
        const scaled = composeTarget(parts.map((each) => ({ ...each, weight: each.weight * factor })));
        // A sum that nearly cancels out magnifies rounding by up to 1 / MIN_TARGET_LENGTH.
        expect(reversed === null ? 1 : dot(reversed, target!)).toBeGreaterThan(1 - 1e-3);
        expect(scaled === null ? 1 : dot(scaled, target!)).toBeGreaterThan(1 - 1e-3);
      }),
    );
  });

  it('never leads farther from a wanted part when its weight is raised, nor nearer to an excluded one', () => {
    fc.assert(
      fc.property(
        part,
        fc.array(part, { maxLength: 7 }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        (changed, others, factor) => {
          const before = composeTarget([changed, ...others]);
          const after = composeTarget([{ ...changed, weight: changed.weight * factor }, ...others]);
          fc.pre(before !== null && after !== null);
          const gain = dot(after!, changed.vector) - dot(before!, changed.vector);
          expect(changed.isExcluded ? -gain : gain).toBeGreaterThan(-TOLERANCE);
        },
      ),
    );
  });

  it('never lowers the mean similarity of the best k files to a wanted part when its weight is raised', () => {
    fc.assert(
      fc.property(
        unit,
        weight,
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.array(part, { maxLength: 7 }),
        fc.array(unit, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 10 }),
        (vector, w, factor, others, files, k) => {
          const meanOfBest = (target: Float32Array): number => {
            const best = [...files].sort((a, b) => dot(b, target) - dot(a, target)).slice(0, k);
            return best.reduce((sum, file) => sum + dot(file, vector), 0) / best.length;
          };
          const parts = [wanted(vector, w), ...others];
          const heavier = [wanted(vector, w * factor), ...others];
          const [before, after] = [composeTarget(parts), composeTarget(heavier)];
          // Where parts nearly cancel out, and where hardly anything changes, rounding decides.
          fc.pre(before !== null && after !== null && dot(before, after) < 1 - 1e-4);
          fc.pre([parts, heavier].every((each) => relativeLength(each) > 0.05));
          expect(meanOfBest(after!)).toBeGreaterThanOrEqual(meanOfBest(before!) - 1e-3);
        },
      ),
    );
  });

  it("gives scores that are the parts' similarities, weighted and added up", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), unit, unit, (parts, one, other) => {
        const target = composeTarget(parts);
        fc.pre(target !== null);
        const explained = (file: Float32Array): number =>
          parts.reduce(
            (sum, each) => sum + (each.isExcluded ? -1 : 1) * each.weight * dot(file, each.vector),
            0,
          );
        const scale = parts.reduce((sum, each) => sum + each.weight, 0);
        const difference = dot(one, target!) - dot(other, target!);
        const explainedDifference = (explained(one) - explained(other)) / scale;
        // Clearly different in one, the same order in the other.
        if (Math.abs(explainedDifference) > 1e-4) {
          expect(Math.sign(difference)).toBe(Math.sign(explainedDifference));
        }
      }),
    );
  });
});
