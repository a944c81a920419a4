import { describe, expect, it } from '@jest/globals';
import { faultsOf, proofOf, readThreats, threatsOf } from '../../scripts/threats.js';

it('every threat has a verdict that its tests bear out (npm run test:threats)', () => {
  const threats = readThreats();
  expect(threats.map(({ id }) => id)).toEqual(
    Object.entries({ A: 12, B: 18, C: 23 }).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    ),
  );
  expect(faultsOf(threats)).toEqual([]);
});

describe('the report of threats', () => {
  const list = (verdict: string): string =>
    `| # | fault | must happen | verdict |\n|---|---|---|---|\n| A7 | Leak | None | ${verdict} |\n`;
  const named = { name: 'test/e2e/a.spec.ts', source: `it.each([1, 2])('A7: nothing %s', () => {});` };
  // The id stands in a comment and in a string that names no test.
  const unnamed = { name: 'test/e2e/b.spec.ts', source: `// A7\nit('nothing', () => expect('A7'));` };

  it.each([
    ['full', true, []],
    ['part: the rest', true, []],
    ['unproved: later', false, []],
    ['full', false, ['A7 is said to be proved, and no test names it']],
    ['part: the rest', false, ['A7 is said to be proved, and no test names it']],
    ['unproved: later', true, ['A7 is unproved, and has tests: test/e2e/a.spec.ts']],
    ...['', 'full: nearly', 'part', 'part:', 'unproved', 'yes'].map((verdict) => [
      verdict,
      true,
      [expect.stringContaining('A7 has no verdict')],
    ]),
  ] as [string, boolean, string[]][])('verdict %j, with a test: %s', (verdict, isTested, faults) => {
    const threats = threatsOf(list(verdict), isTested ? [named, unnamed] : [unnamed]);
    expect(threats).toEqual([{ id: 'A7', title: 'Leak', verdict, specs: isTested ? [named.name] : [] }]);
    expect(faultsOf(threats)).toEqual(faults);
    expect(proofOf(threats[0]!) === null).toBe(faults.some((fault) => typeof fault !== 'string'));
  });

  it('takes ids of requirements for no threats', () => {
    const row = '| C18 | Deep JSON | 400 | full |';
    const source = `it('C18: partitions', () => {});`;
    const specsOf = (name: string): string[] => threatsOf(row, [{ name, source }])[0]!.specs;
    expect(specsOf('test/integration/partitions.spec.ts')).toEqual([]);
    expect(specsOf('test/e2e/http.spec.ts')).toEqual(['test/e2e/http.spec.ts']);
  });
});
