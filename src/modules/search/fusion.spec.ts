import fc from 'fast-check';
import { reciprocalRankFusion } from './fusion.js';

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 400 }).map(String), { maxLength: 200 });
const alpha = fc.double({ min: 0, max: 1, noNaN: true });
const order = (vector: string[], text: string[], weight: number): string[] =>
  reciprocalRankFusion(vector, text, weight).map((hit) => hit.id);

it('gives exactly the text order for alpha 0 and exactly the vector order for alpha 1', () => {
  fc.assert(
    fc.property(ids, ids, (vector, text) => {
      expect(order(vector, text, 0)).toEqual(text);
      expect(order(vector, text, 1)).toEqual(vector);
    }),
  );
});

it('scores within 0..1, best first, every id once', () => {
  fc.assert(
    fc.property(ids, ids, alpha, (vector, text, weight) => {
      const hits = reciprocalRankFusion(vector, text, weight);
      expect(new Set(hits.map((hit) => hit.id)).size).toBe(hits.length);
      for (const [index, hit] of hits.entries()) {
        expect(hit.score).toBeGreaterThan(0);
        expect(hit.score).toBeLessThanOrEqual(1 + 1e-12);
        if (index > 0) expect(hit.score).toBeLessThanOrEqual(hits[index - 1]!.score);
      }
    }),
  );
});

it('keeps the order of two ids that both lists agree on', () => {
  fc.assert(
    fc.property(ids, ids, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (vector, text, weight) => {
      const both = vector.filter((id) => text.includes(id));
      const fused = order(vector, text, weight);
      for (const a of both) {
        for (const b of both) {
          if (vector.indexOf(a) < vector.indexOf(b) && text.indexOf(a) < text.indexOf(b)) {
            expect(fused.indexOf(a)).toBeLessThan(fused.indexOf(b));
          }
        }
      }
    }),
    { numRuns: 50 },
  );
});

it('gives 1 to what is first in both lists, and counts ranks from 1', () => {
  const [first, second, third] = reciprocalRankFusion(['a', 'b'], ['a', 'c'], 0.5);
  expect(first).toEqual({ id: 'a', score: 1, vectorRank: 1, textRank: 1 });
  expect(second).toEqual({ id: 'b', score: (0.5 * 61) / 62, vectorRank: 2, textRank: null });
  expect(third).toMatchObject({ id: 'c', vectorRank: null, textRank: 2 });
});
