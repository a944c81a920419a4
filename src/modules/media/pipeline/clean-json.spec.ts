import { cleanJsonObject } from './clean-json.js';

it('keeps what JSON knows', () => {
  const value = { a: 'x', b: [1, null, true], c: { d: 0.5 } };
  expect(cleanJsonObject(value)).toEqual(value);
});

it('takes out what JSONB refuses', () => {
  expect(
    cleanJsonObject({
      'k\u0000ey': 'nul\u0000',
      surrogate: 'half \ud800',
      number: Number.NaN,
      list: [undefined, Number.POSITIVE_INFINITY],
      nothing: undefined,
      call: () => 1,
      big: 12n,
      date: new Date('2024-01-01T00:00:00Z'),
    }),
  ).toEqual({
    key: 'nul',
    surrogate: 'half \ufffd',
    number: null,
    list: [null, null],
    big: '12',
    date: '2024-01-01T00:00:00.000Z',
  });
});

it('ends where an answer never ends', () => {
  const endless: Record<string, unknown> = {};
  endless['self'] = endless;
  expect(JSON.stringify(cleanJsonObject(endless)).length).toBeLessThan(200);
  expect((cleanJsonObject({ text: 'x'.repeat(1_000_000) })['text'] as string).length).toBe(20_000);
});

it('does not take a key for the prototype', () => {
  const cleaned = cleanJsonObject(JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(Object.getPrototypeOf(cleaned)).toBe(Object.prototype);
});
