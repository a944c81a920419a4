import path from 'node:path';
import fc from 'fast-check';
import {
  cleanFilename,
  faultOfCustomMetadata,
  faultOfLine,
  faultOfNames,
  normalizeLine,
  normalizeNames,
  titleFromFilename,
} from './text-rules.js';

describe('cleanFilename', () => {
  it.each([
    ['holiday.jpg', 'holiday.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\eve\\photo.png', 'photo.png'],
    ['/absolute/path/', 'unnamed'],
    ['..', 'unnamed'],
    ['', 'unnamed'],
    ['a\u0000b\r\nc.jpg', 'abc.jpg'],
    ['photo\u202Egpj.exe', 'photogpj.exe'],
    ['Cafe\u0301.jpg', 'Café.jpg'],
    ['写真 📷.heic', '写真 📷.heic'],
    ['\ud800.jpg', '\ufffd.jpg'],
  ])('%j becomes %j', (raw, expected) => {
    expect(cleanFilename(raw)).toBe(expected);
  });

  it('keeps the extension of a name of 4,000 characters', () => {
    const cleaned = cleanFilename(`${'é'.repeat(4000)}.jpeg`);
    expect(Array.from(cleaned)).toHaveLength(255);
    expect(cleaned.endsWith('é.jpeg')).toBe(true);
  });

  it('C15: whatever the name, what is kept is one path part of at most 255 printable characters', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc
        .array(fc.constantFrom('..', '/', '\\', '\u0000', '\u202e', 'a', '.jpg', '%2e%2e', ' '), {
          maxLength: 40,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (raw) => {
        const cleaned = cleanFilename(raw);
        expect(cleaned).not.toBe('');
        expect(Array.from(cleaned).length).toBeLessThanOrEqual(255);
        expect(cleaned).not.toMatch(/[/\\\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
        expect(path.resolve('/root', cleaned)).toBe(path.join('/root', cleaned));
        expect(path.dirname(path.join('/root', cleaned))).toBe('/root');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('titleFromFilename', () => {
  it.each([
    ['beach.jpg', 'beach'],
    ['archive.tar.gz', 'archive.tar'],
    ['.hidden', '.hidden'],
    ['no extension', 'no extension'],
    ['v1.2 final version of it', 'v1.2 final version of it'],
  ])('%j gives %j', (filename, title) => {
    expect(titleFromFilename(filename)).toBe(title);
  });
});

describe('lines and names', () => {
  it('normalises what a person typed', () => {
    expect(normalizeLine('  Cafe\u0301\u202E ')).toBe('Café');
    expect(normalizeNames([' Beach', 'beach ', 'BEACH', 'Sea'])).toEqual(['Beach', 'Sea']);
  });

  it.each([
    ['a title', null],
    ['', 'must not be empty'],
    ['two\nlines', 'must be one line of text without control characters'],
    ['nul\u0000', 'must be one line of text without control characters'],
    ['\ud800', 'must be one line of text without control characters'],
    ['x'.repeat(256), 'must be at most 255 characters long'],
    // 255 code points, 510 UTF-16 units: fits into varchar(255).
    ['😀'.repeat(255), null],
    [42, 'must be a text'],
  ])('%j: %j', (value, fault) => {
    expect(faultOfLine(value, 255)).toBe(fault);
  });

  it('looks at the list and at each name', () => {
    expect(faultOfNames(['a', 'b'], 2)).toBeNull();
    expect(faultOfNames(['a', 'b', 'c'], 2)).toBe('must hold at most 2 names');
    expect(faultOfNames('a', 2)).toBe('must be a list of names');
    expect(faultOfNames(['x'.repeat(101)], 2)).toBe('each name must be at most 100 characters long');
  });
});

describe('custom metadata', () => {
  it.each<[string, unknown, string | null]>([
    ['an object', { camera: { lens: [50, 'mm'] } }, null],
    ['an array', [], 'must be a JSON object'],
    ['null', null, 'must be a JSON object'],
    ['text', 'x', 'must be a JSON object'],
    ['16 KB and more', { text: 'x'.repeat(16 * 1024) }, 'must be at most 16384 bytes of JSON'],
    ['NUL in a value', { a: ['\u0000'] }, 'must not hold NUL characters or broken text'],
    ['NUL in a key', { 'a\u0000': 1 }, 'must not hold NUL characters or broken text'],
    ['half a surrogate pair', { a: '\udc00' }, 'must not hold NUL characters or broken text'],
    [
      'a thousand levels',
      JSON.parse('{"a":'.repeat(1000) + '1' + '}'.repeat(1000)),
      'must not be nested deeper than 10 levels',
    ],
  ])('%s', (_what, value, fault) => {
    expect(faultOfCustomMetadata(value)).toBe(fault);
  });
});
