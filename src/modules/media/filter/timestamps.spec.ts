import { toUtc, toUtcByDefault } from './timestamps.js';

it('turns dates and times into UTC', () => {
  expect(toUtc('2026-11-21')).toBe('2026-11-21T00:00:00.000Z');
  expect(toUtc('2026-11-21T10:00:00.5+02:00')).toBe('2026-11-21T08:00:00.500Z');
  expect(toUtc('2026-11-21T10:00:00')).toBeNull();
  expect(toUtc('2026-02-30')).toBeNull();
  expect(toUtc('9999-12-31T23:59:59-14:00')).toBeNull();
});

it('takes a time without a zone as UTC where that is wanted', () => {
  expect(toUtcByDefault('2026-11-21T10:00:00')).toBe('2026-11-21T10:00:00.000Z');
  expect(toUtcByDefault('2026-11-21T10:00:00+01:00')).toBe('2026-11-21T09:00:00.000Z');
  expect(toUtcByDefault('yesterday')).toBeNull();
});
