import { AppError } from '../../infrastructure/errors/app-error.js';
import { readByImageFields } from './by-image-fields.js';

const pointersOf = (entries: [string, string][]): string[] => {
  try {
    readByImageFields(entries);
  } catch (error) {
    if (error instanceof AppError) return error.extra.errors?.map(({ pointer }) => pointer) ?? [];
    throw error;
  }
  return [];
};

describe('readByImageFields', () => {
  it('takes what is sent and fills in the rest', () => {
    expect(readByImageFields([])).toEqual({ limit: 20, includePrivate: false, mode: 'all' });
    expect(
      readByImageFields([
        ['limit', ' 100 '],
        ['includePrivate', 'true'],
        ['mode', 'near-duplicates'],
      ]),
    ).toEqual({ limit: 100, includePrivate: true, mode: 'near-duplicates' });
    expect(readByImageFields([['limit', '']]).limit).toBe(20);
  });

  it('tells every fault at once', () => {
    expect(
      pointersOf([
        ['limit', '0'],
        ['includePrivate', 'yes'],
        ['mode', 'text'],
        ['title', 'x'],
      ]),
    ).toEqual(['/title', '/limit', '/includePrivate', '/mode']);
  });

  it.each(['101', '-1', '1.5', '1e2', '0x10', '99999', 'ten', '１'])('refuses the limit %s', (limit) => {
    expect(pointersOf([['limit', limit]])).toEqual(['/limit']);
  });

  it('refuses fields sent twice, and echoes names harmlessly', () => {
    expect(
      pointersOf([
        ['mode', 'all'],
        ['mode', 'all'],
      ]),
    ).toEqual(['/mode']);
    expect(pointersOf([['__proto__', 'x']])).toEqual(['/__proto__']);
    expect(pointersOf([['a/b~c<script>', 'x']])).toEqual(['/a?b?c?script?']);
  });
});
