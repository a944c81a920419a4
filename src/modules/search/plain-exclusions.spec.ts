import fc from 'fast-check';
import { takePlainExclusions } from './plain-exclusions.js';
import { TOKEN } from './query-tokens.js';

const take = (query: string) => takePlainExclusions([...query.matchAll(TOKEN)].map(([token]) => token));

it.each([
  ['beach without people', 'beach', ['people']],
  ['cat but not minka', 'cat', ['minka']],
  ['Strand ohne Menschen', 'Strand', ['Menschen']],
  ['plage sans les enfants', 'plage', ['enfants']],
  ['street without red cars in the snow', 'street in the snow', ['red cars']],
  ['street without "red cars" parked', 'street parked', ['red cars']],
  ['photos without people taken in Rome', 'photos taken in Rome', ['people']],
  ['beach without people walking their dogs', 'beach walking their dogs', ['people']],
  ['beach without people or a dog', 'beach', ['people', 'dog']],
  ['beach without people, at sunset', 'beach at sunset', ['people']],
  ['beach without people but not Sylt', 'beach', ['people', 'Sylt']],
])('%s', (query, kept, excluded) => {
  const taken = take(query);
  expect(taken.tokens.join(' ')).toBe(kept);
  expect(taken.exclusions.map(({ words }) => words)).toEqual(excluded);
});

it.each([
  'without a trace',
  'with or without you',
  'but not today',
  'there is no planet b',
  'beach without',
  'beach without -people',
  'beach without in',
  '"beach without people"',
  'a butter knot',
])('excludes nothing in: %s', (query) => {
  expect(take(query)).toEqual({ tokens: [...query.matchAll(TOKEN)].map(([token]) => token), exclusions: [] });
});

it('keeps what was typed, with the word before, for files that say it themselves', () => {
  expect(take('the "Doctors" without Borders!').exclusions).toEqual([
    { words: 'Borders', literal: 'Doctors without Borders' },
  ]);
});

it('takes any text, and never all of it', () => {
  const word = fc.constantFrom(
    'without',
    'but',
    'not',
    'or',
    'a',
    'beach',
    '"red car"',
    'people,',
    '-x',
    '!',
    'ohne',
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 9 }), (tokens) => {
      const taken = takePlainExclusions(tokens);
      expect(taken.tokens.length).toBeGreaterThan(0);
      for (const { words, literal } of taken.exclusions) {
        expect(words).not.toBe('');
        expect(literal).not.toContain('"');
      }
    }),
  );
});
