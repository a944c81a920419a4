import fc from 'fast-check';
import { parseQuery } from './query-text.js';

it.each([
  ['dog beach', 'dog beach', 'dog beach', null],
  ['dog -sunset', 'dog', 'dog', 'sunset'],
  ['dog -sunset -"red car"', 'dog', 'dog', 'sunset or "red car"'],
  ['"red car" or bike', '"red car" or bike', 'red car bike', null],
  ['"dog -cat"', '"dog -cat"', 'dog -cat', null],
  ['well-known e-mail', 'well-known e-mail', 'well-known e-mail', null],
  ['--dog', '', '', 'dog'],
  ['- dog', '- dog', '- dog', null],
  ['OR', 'OR', '', null],
  ['"open end', '"open end', 'open end', null],
])('%s', (query, wantedTerms, meaning, excludedTerms) => {
  expect(parseQuery(query)).toMatchObject({ terms: query, wantedTerms, meaning, excludedTerms });
});

it('takes any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (query) => {
      const parsed = parseQuery(query);
      expect(parsed.meaning).not.toContain('"');
      expect(parsed.excludedTerms).not.toBe('');
    }),
  );
});
