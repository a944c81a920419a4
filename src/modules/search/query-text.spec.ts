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

it.each([
  ['dog "hot dog" -cat', ['dog', '"hot dog"'], '"hot dog"'],
  ['dog & cat - 7', ['dog', 'cat', '7'], null],
  ['dog or "hot dog"', null, null],
  ['-cat', [], null],
])('parts of %s', (query, words, demandedTerms) => {
  expect(parseQuery(query)).toMatchObject({ words, demandedTerms });
});

it.each([
  ['IMG_2231.jpg', '"IMG 2231 jpg"'],
  ['beach -PXL_20240501.MP.jpg', 'beach -"PXL 20240501 MP jpg"'],
  ['beachHouse.MP4', '"beach House MP4"'],
  ['node.js "a_b.jpg" 3.5', 'node.js "a_b.jpg" 3.5'],
])('file names: %s', (query, terms) => {
  expect(parseQuery(query).terms).toBe(terms);
});

it('reads plain exclusions only when asked to', () => {
  const query = 'beach without "red cars" or people';
  expect(parseQuery(query)).toMatchObject({ terms: query, excludedTerms: null, plainlyExcluded: [] });
  expect(parseQuery(query, { plainExclusions: true })).toMatchObject({
    terms: 'beach -"red cars" -people',
    wantedTerms: 'beach',
    meaning: 'beach',
    excludedTerms: '"red cars" -"beach without red cars" or people -"beach without red cars or people"',
    plainlyExcluded: ['red cars', 'people'],
  });
});
