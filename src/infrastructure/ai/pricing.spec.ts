import fc from 'fast-check';
import {
  DEFAULT_PRICES,
  addAmounts,
  parsePriceTable,
  priceOf,
  priceSeconds,
  priceTokens,
} from './pricing.js';

const mini = {
  inputPerMillionTokens: '0.15',
  cachedInputPerMillionTokens: '0.075',
  outputPerMillionTokens: '0.60',
};

describe('priceTokens', () => {
  it.each([
    // One token of text-embedding-3-small: DECIMAL(10,4) would store it as 0.0000.
    [{ inputPerMillionTokens: '0.02' }, { input: 1 }, '0.00000002'],
    [{ inputPerMillionTokens: '0.02' }, { input: 1_000_000 }, '0.02'],
    [mini, { input: 1_000, output: 500 }, '0.00045'],
    [mini, { input: 1_000, cachedInput: 400, output: 0 }, '0.00012'],
    [{ ...mini, perImage: '0.001' }, { input: 100, images: 3 }, '0.003015'],
    [{ inputPerMillionTokens: '0.0000000003' }, { input: 1 }, '0.0000000001'],
    [mini, { input: 0 }, '0'],
    [{ inputPerMillionTokens: '0', outputPerMillionTokens: '0' }, { input: 5_000, output: 10 }, '0'],
  ])('%j x %j = %s', (price, tokens, amount) => {
    expect(priceTokens(price, tokens)).toBe(amount);
  });

  it('is exact where floats are not', () => {
    expect(priceTokens({ inputPerMillionTokens: '0.1' }, { input: 3 })).toBe('0.0000003');
    expect(addAmounts('0.1', '0.2')).toBe('0.3');
    // 10,000 calls of 37 tokens cost as much as one call of 370,000.
    const one = priceTokens({ inputPerMillionTokens: '0.13' }, { input: 37 });
    expect(addAmounts(...Array.from({ length: 10_000 }, () => one))).toBe(
      priceTokens({ inputPerMillionTokens: '0.13' }, { input: 370_000 }),
    );
  });

  it('agrees with rational arithmetic and never rounds down', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.integer({ min: 0, max: 10 ** 9 }),
        (tokens, micro) => {
          const price = `${Math.floor(micro / 1e6)}.${String(micro % 1e6).padStart(6, '0')}`;
          const [whole = '', fraction = ''] = priceTokens(
            { inputPerMillionTokens: price },
            { input: tokens },
          ).split('.');
          const units = BigInt(whole + fraction.padEnd(10, '0'));
          // Exact: tokens * micro / 10^12 dollars, in 10^-10 dollars that is tokens * micro / 100.
          const exact = BigInt(tokens) * BigInt(micro);
          expect(units * 100n - exact).toBeGreaterThanOrEqual(0n);
          expect(units * 100n - exact).toBeLessThan(100n);
        },
      ),
    );
  });

  it('refuses numbers of tokens that cannot be', () => {
    for (const input of [-1, 0.5, NaN, Infinity, 2 ** 60])
      expect(() => priceTokens(mini, { input })).toThrow(RangeError);
    expect(() => priceTokens(mini, { input: 1, cachedInput: 2 })).toThrow('part of input');
    expect(() => priceTokens({ inputPerMillionTokens: '1' }, { input: 1, output: 1 })).toThrow(
      'outputPerMillionTokens',
    );
  });
});

describe('priceSeconds', () => {
  it.each([
    [60, '0.006'],
    [1, '0.0001'],
    [0.2, '0.0001'],
    [61.5, '0.0062'],
    [0, '0'],
  ])('%d seconds of whisper-1 cost %s', (seconds, amount) => {
    expect(priceSeconds(priceOf(DEFAULT_PRICES, 'whisper-1'), seconds)).toBe(amount);
  });

  it('refuses impossible lengths', () => {
    for (const seconds of [-1, NaN, Infinity])
      expect(() => priceSeconds({ perMinute: '1' }, seconds)).toThrow(RangeError);
  });
});

describe('parsePriceTable', () => {
  it('gives the defaults for nothing', () => {
    expect(parsePriceTable(undefined)).toBe(DEFAULT_PRICES);
    expect(parsePriceTable(' ')).toBe(DEFAULT_PRICES);
  });

  it('puts own models on top of the defaults', () => {
    const table = parsePriceTable(
      '{"models":{"my-model":{"inputPerMillionTokens":"0"},"whisper-1":{"perMinute":"0.01","maxTokensPerImage":5}}}',
    );
    expect(table.models['my-model']).toEqual({ inputPerMillionTokens: '0' });
    expect(table.models['whisper-1']).toEqual({ perMinute: '0.01', maxTokensPerImage: 5 });
    expect(table.models['text-embedding-3-small']).toEqual({ inputPerMillionTokens: '0.02' });
  });

  it('does not take dollar prices for another currency', () => {
    const table = parsePriceTable('{"currency":"EUR","models":{"a":{"perMinute":"1"}}}');
    expect(table).toEqual({ currency: 'EUR', models: { a: { perMinute: '1' } } });
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'must be a JSON object'],
    ['{"currency":"usd"}', 'three capital letters'],
    ['{"models":[]}', '"models"'],
    ['{"models":{"a":1}}', 'price of model "a"'],
    ['{"models":{"a":{"perMinute":0.1}}}', 'decimal string'],
    ['{"models":{"a":{"perMinute":"-1"}}}', 'must be a decimal >= 0'],
    ['{"models":{"a":{"perMinute":"1e3"}}}', 'must be a decimal >= 0'],
    ['{"models":{"a":{"perHour":"1"}}}', 'is not known'],
    ['{"models":{"a":{"maxTokensPerImage":"1"}}}', 'whole number'],
  ])('%s is refused', (json, message) => {
    expect(() => parsePriceTable(json)).toThrow(message);
  });
});

it('a model without a price is refused, also one that is named like a built-in property', () => {
  expect(() => priceOf(DEFAULT_PRICES, 'gpt-unknown')).toThrow('no price is known for model "gpt-unknown"');
  expect(() => priceOf(DEFAULT_PRICES, 'constructor')).toThrow('no price is known');
});
