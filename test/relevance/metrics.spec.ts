import {
  discountedCumulativeGain,
  mean,
  normalizedDiscountedCumulativeGain,
  reciprocalRank,
  shareOf,
} from './metrics.js';

describe('discounted cumulative gain', () => {
  it('discounts 2^grade - 1 by log2(rank + 1)', () => {
    // 7 / 1 + 3 / 1.58496 + 0 / 2 + 1 / 2.32193, by hand
    expect(discountedCumulativeGain([3, 2, 0, 1])).toBeCloseTo(9.32347, 5);
  });

  it('is 0 for no hits and looks no further than the depth', () => {
    expect(discountedCumulativeGain([])).toBe(0);
    expect(discountedCumulativeGain([0, 0, 3], 2)).toBe(0);
  });
});

describe('nDCG', () => {
  it('is 1 for the best order and for any order of equals', () => {
    expect(normalizedDiscountedCumulativeGain([3, 2, 1], [1, 2, 3])).toBe(1);
    expect(normalizedDiscountedCumulativeGain([2, 2], [2, 2])).toBe(1);
  });

  it('divides by the gain of the best order', () => {
    // (1 / 1 + 7 / 1.58496) / (7 / 1 + 1 / 1.58496) = 5.41651 / 7.63093
    expect(normalizedDiscountedCumulativeGain([1, 3], [3, 1])).toBeCloseTo(0.70981, 5);
  });

  it('counts what was not found', () => {
    // 7 / (7 + 7 / 1.58496) = 1 / 1.63093
    expect(normalizedDiscountedCumulativeGain([3], [3, 3])).toBeCloseTo(0.61315, 5);
    expect(normalizedDiscountedCumulativeGain([], [3])).toBe(0);
  });

  it('asks for no more than fits into the depth', () => {
    expect(normalizedDiscountedCumulativeGain(Array(10).fill(3), Array(13).fill(3))).toBe(1);
  });

  it('says nothing where nothing was judged', () => {
    expect(normalizedDiscountedCumulativeGain([0, 0], [])).toBeNull();
    expect(normalizedDiscountedCumulativeGain([0], [0])).toBeNull();
  });
});

describe('reciprocal rank', () => {
  it('is 1 / rank of the first hit that is an answer', () => {
    expect(reciprocalRank([2])).toBe(1);
    expect(reciprocalRank([0, 1, 2, 3])).toBeCloseTo(1 / 3, 10);
    expect(reciprocalRank([1, 1])).toBe(0);
    expect(reciprocalRank([])).toBe(0);
  });
});

describe('means', () => {
  it('are null over nothing', () => {
    expect(mean([1, 0, 0.5])).toBe(0.5);
    expect(mean([])).toBeNull();
    expect(shareOf([true, false, false, true])).toBe(0.5);
    expect(shareOf([])).toBeNull();
  });
});
