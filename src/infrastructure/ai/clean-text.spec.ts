import fc from 'fast-check';
import { clampUnit, cleanLine, cleanLines, truncate } from './clean-text.js';

describe('cleanLine', () => {
  it.each([
    ['  two\n\n lines\t', 'two lines'],
    ['nul\u0000 and bell\u0007', 'nul and bell'],
    // Shown, this would read "exe.gpj".
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['zero\u200bwidth\ufeff', 'zerowidth'],
    ['half a pair \ud83d', 'half a pair \ufffd'],
    ['👩‍🚒 works', '👩🚒 works'],
  ])('%j -> %j', (dirty, clean) => {
    expect(cleanLine(dirty, 100)).toBe(clean);
  });

  it('gives an empty line for what is no text', () => {
    for (const value of [undefined, null, 7, {}, ['a']]) expect(cleanLine(value, 10)).toBe('');
  });

  it('never gives more than asked for, nor anything that a row or a page must not hold', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 1, max: 100 }),
        (text, max) => {
          const clean = cleanLine(text, max);
          expect(clean.length).toBeLessThanOrEqual(max);
          expect(clean.isWellFormed()).toBe(true);
          // eslint-disable-next-line no-control-regex
          expect(clean).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        },
      ),
    );
  });
});

it('cleanLines drops empty and repeated lines and stops at the limit', () => {
  expect(cleanLines(['a', ' ', 'a ', 'b', 3, 'c'], 2, 10)).toEqual(['a', 'b']);
  expect(cleanLines('no list', 2, 10)).toEqual([]);
});

it('truncate shows the cut and keeps surrogate pairs whole', () => {
  expect(truncate('short', 5)).toBe('short');
  expect(truncate('longer', 5)).toBe('long…');
  expect(truncate('abc👍def', 5)).toBe('abc…');
});

it('clampUnit keeps numbers within 0..1', () => {
  expect([clampUnit(0.5), clampUnit(-1), clampUnit(95), clampUnit(NaN, 0.3), clampUnit('1')]).toEqual([
    0.5, 0, 1, 0.3, 0,
  ]);
});
