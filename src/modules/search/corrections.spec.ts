import fc from 'fast-check';
import {
  combinationsOf,
  correctableWords,
  nearestCandidates,
  replaceWords,
  type Candidate,
} from './corrections.js';

const wordsOf = (terms: string): string[] => correctableWords(terms).map(({ word }) => word);

describe('correctable words', () => {
  it.each([
    ['sunste over water', ['sunste', 'over', 'water']],
    ['"sunste beach" huose', ['huose']],
    ['"unclosed phrase', []],
    ['beach -sunste', ['beach']],
    ['beach -"red sunste" blue', ['beach', 'blue']],
    ['beach --sunste', ['beach']],
    ['beach –sunste −sunste', ['beach']],
    ['beach - sunste', ['beach', 'sunste']],
    ['dog or beach OR cat', ['beach']],
    ['well-knwon', ['well', 'knwon']],
    ['2024 20240101 covid19', ['covid19']],
    ['🌅🌅🌅🌅 sunste🌅', ['sunste']],
    ['Grundstükc', ['Grundstükc']],
    ['x'.repeat(41), []],
    ['x'.repeat(40), ['x'.repeat(40)]],
    ["%_\\ ' & | ! ( ) :* <-> cat", []],
    ['', []],
    ['- " -" ""', []],
  ])('of %j are %j', (terms, expected) => {
    expect(wordsOf(terms)).toEqual(expected);
  });

  it('a letter written as two code points counts once', () => {
    expect(wordsOf('u\u0308be')).toEqual([]);
    expect(wordsOf('u\u0308ber')).toEqual(['u\u0308ber']);
  });

  it('stand where they say, in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (terms) => {
        for (const { word, start, end } of correctableWords(terms))
          expect(terms.slice(start, end)).toBe(word);
      }),
    );
  });
});

describe('the best candidate', () => {
  const bestCandidate = (word: string, of: readonly Candidate[]) => nearestCandidates(word, of)[0] ?? null;
  const candidates = (...words: string[]) => words.map((word) => ({ word, similarity: 0.5 }));

  it('has the fewest edits, then the most similarity, then comes first in the alphabet', () => {
    expect(bestCandidate('sunste', candidates('sunsets', 'sunset'))).toBe('sunset');
    const alike = [
      { word: 'beaks', similarity: 0.4 },
      { word: 'beans', similarity: 0.5 },
      { word: 'beads', similarity: 0.5 },
    ];
    expect(bestCandidate('beazs', alike)).toBe('beads');
    expect(bestCandidate('beazs', [...alike].reverse())).toBe('beads');
  });

  it('is at most 1 edit from 4 and 5 letters, 2 from 6 on, and none from fewer', () => {
    expect(bestCandidate('dgo', candidates('dog'))).toBeNull();
    expect(bestCandidate('tset', candidates('test'))).toBe('test');
    expect(bestCandidate('baehc', candidates('beach'))).toBeNull();
    expect(bestCandidate('baech', candidates('beach'))).toBe('beach');
    expect(bestCandidate('usnste', candidates('sunset'))).toBe('sunset');
    expect(bestCandidate('usnsted', candidates('sunset'))).toBeNull();
  });

  it('is never the word itself, and never another number', () => {
    expect(bestCandidate('sunset', candidates('sunset'))).toBeNull();
    expect(bestCandidate('img0001', candidates('img0002', 'img00012'))).toBeNull();
    expect(bestCandidate('covdi19', candidates('covid18', 'covid19'))).toBe('covid19');
    expect(bestCandidate('sunste', [])).toBeNull();
  });
});

describe('the corrected query', () => {
  const corrections = new Map([
    ['sunste', 'sunset'],
    ['Baech', 'beach'],
  ]);

  it.each([
    ['sunste', 'sunset'],
    ['  sunste   at  Baech ', '  sunset   at  beach '],
    ['sunste "sunste Baech" or Baech', 'sunset "sunste Baech" or beach'],
    ['sunste -sunste -"Baech"', 'sunset -sunste -"Baech"'],
    ['sunste or sunste', 'sunset or sunset'],
    ['🌅sunste🌅', '🌅sunset🌅'],
    ['sunstes sunste', 'sunstes sunset'],
  ])('keeps everything else: %j -> %j', (terms, expected) => {
    expect(replaceWords(terms, corrections)?.terms).toBe(expected);
  });

  it('names each replacement once, in the order of the query', () => {
    expect(replaceWords('Baech sunste Baech', corrections)?.replaced).toEqual([
      { from: 'Baech', to: 'beach' },
      { from: 'sunste', to: 'sunset' },
    ]);
  });

  it('is null when nothing was replaced', () => {
    expect(replaceWords('dog -sunste', corrections)).toBeNull();
    expect(replaceWords('sunste', new Map())).toBeNull();
  });
});

it('equally near candidates are three at most, and combined with the likeliest first', () => {
  const near = ['recipe', 'receipt', 'recipts', 'script', 'recipx'].map((word, index) => ({
    word,
    similarity: 1 - index / 10,
  }));
  expect(nearestCandidates('recipt', near)).toEqual(['recipe', 'receipt', 'recipts']);
  const combined = combinationsOf(
    new Map([
      ['restuarant', ['restaurant', 'restaurants']],
      ['recipt', ['recipe', 'receipt', 'recipts']],
      ['teh', ['the']],
    ]),
  ).map((combination) => [...combination.values()].join(' '));
  expect(combined).toHaveLength(6);
  expect(combined.slice(0, 3)).toEqual([
    'restaurant recipe the',
    'restaurant receipt the',
    'restaurants recipe the',
  ]);
  expect(combinationsOf(new Map())).toEqual([new Map()]);
});
