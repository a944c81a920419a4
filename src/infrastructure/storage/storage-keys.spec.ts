import fc from 'fast-check';
import {
  assertSafeKey,
  assertSafePrefix,
  InvalidStorageKeyError,
  keyframeKey,
  keyframesPrefix,
  mediaPrefix,
  originalKey,
  thumbnailKey,
  userPrefix,
} from './storage-keys.js';

const USER = '01890a5d-ac96-774b-bcce-b302099a8057';
const MEDIA = '01890a5d-ac96-774b-bcce-b302099a8058';

describe('storage keys', () => {
  it('lie below their user and their file', () => {
    expect(originalKey(USER, MEDIA, 'jpg')).toBe(`tenant/${USER}/media/${MEDIA}/original.jpg`);
    expect(thumbnailKey(USER, MEDIA)).toBe(`tenant/${USER}/media/${MEDIA}/thumbnail.webp`);
    expect(keyframeKey(USER, MEDIA, 'run-1', 7)).toBe(
      `tenant/${USER}/media/${MEDIA}/keyframes/run-1/0007.jpg`,
    );
    expect(keyframeKey(USER, MEDIA, 'run-1', 7).startsWith(keyframesPrefix(USER, MEDIA))).toBe(true);
    expect(keyframesPrefix(USER, MEDIA).startsWith(mediaPrefix(USER, MEDIA))).toBe(true);
    expect(mediaPrefix(USER, MEDIA).startsWith(userPrefix(USER))).toBe(true);
  });

  it('sort key frames by time', () => {
    const keys = Array.from({ length: 120 }, (_, index) => keyframeKey(USER, MEDIA, 'r', index));
    expect([...keys].sort()).toEqual(keys);
  });

  it.each([
    '',
    '/etc/passwd',
    '../x',
    'a/../b',
    'a/./b',
    'a//b',
    'a/',
    'a\\b',
    'a\0b',
    'C:/x',
    '.incoming/x',
    'a/.hidden',
    'a b',
    'ä',
    'a%2e%2e',
    'a\nb',
    '\u202eexe.jpg',
    'x'.repeat(201),
    'a/'.repeat(600) + 'a',
  ])('refuse %j', (key) => {
    expect(() => assertSafeKey(key)).toThrow(InvalidStorageKeyError);
  });

  it('refuse to be built from anything but ids', () => {
    expect(() => originalKey('..', MEDIA, 'jpg')).toThrow(InvalidStorageKeyError);
    expect(() => originalKey(USER, MEDIA, 'jpg/../../x')).toThrow(InvalidStorageKeyError);
    expect(() => keyframeKey(USER, MEDIA, '../run', 1)).toThrow(InvalidStorageKeyError);
  });

  it('accept prefixes that are empty, end with a slash or within a segment', () => {
    for (const prefix of ['', 'tenant/', 'tenant', 'tenant/ab'])
      expect(() => assertSafePrefix(prefix)).not.toThrow();
    for (const prefix of ['/', '..', 'a//', '../', 'a/../']) expect(() => assertSafePrefix(prefix)).toThrow();
  });

  it('never let a key out of its folder, whatever it is made of', () => {
    const pieces = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      '\0',
      'a',
      'tenant',
      '~',
      '%2e',
      ' ',
      ':',
      '\u202e',
      '\n',
      '-',
    );
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
    fc.assert(
      fc.property(hostile, (key) => {
        try {
          assertSafeKey(key);
        } catch (error) {
          return error instanceof InvalidStorageKeyError;
        }
        return plain.test(key);
      }),
      { numRuns: 10_000 },
    );
  });
});
