import fc from 'fast-check';
import { MAX_FILTER_CHARACTERS, parseMediaFilter, parseMediaFilterText } from './media-filter.parser.js';
import type { MediaFilter } from './media-filter.types.js';

const pointersOf = (value: unknown): string[] => [
  ...new Set(parseMediaFilter(value).faults.map((fault) => fault.pointer)),
];

/** `{ [field]: { [field]: ... value } }`, `depth` times. */
function nested(depth: number, wrap: (inner: unknown) => object, innermost: unknown): unknown {
  let value = innermost;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

const EVERYTHING: MediaFilter = {
  fileType: 'video',
  status: ['completed', 'failed'],
  uploadedFrom: '2026-01-01T00:00:00.000Z',
  uploadedTo: '2026-02-01T00:00:00.000Z',
  takenFrom: '2025-01-01T00:00:00.000Z',
  takenTo: '2025-02-01T00:00:00.000Z',
  durationSeconds: { min: 0.5, max: 30 },
  fileSizeBytes: { max: 9_007_199_254_740_991 },
  width: { min: 640 },
  height: { min: 480, max: 480 },
  facesCount: { min: 0 },
  orientation: ['landscape', 'square'],
  tags: { any: ['sea'], all: ['sun', 'sand'], none: ['rain'] },
  categories: { none: ['work'] },
  labels: [{ name: 'beach', minConfidence: 0.5 }, { name: 'dog' }],
  sentiment: ['POSITIVE'],
  contentWarnings: { none: ['blood'], isEmpty: true },
  colors: [{ name: 'dark blue', minShare: 0.2 }],
  isPrivate: false,
  includePrivate: true,
  customMetadata: {
    contains: { client: 'Northwind', nested: [1, { a: null }] },
    ranges: [
      { path: ['price'], min: 1, max: 2.5 },
      { path: ['shoot', 'date'], min: '2026-01-01', max: '2026-01-31T10:00:00Z' },
      { path: ['code'], min: 'a' },
    ],
    exists: [['client'], ['list', '0']],
  },
  hasTranscript: true,
  hasText: false,
  and: [{ or: [{ not: { fileType: 'image' } }] }],
  or: [],
  not: { tags: { any: ['x'] } },
};

it('takes every field, and changes nothing of a normalised filter', () => {
  expect(parseMediaFilter(EVERYTHING)).toEqual({ value: EVERYTHING, faults: [] });
  expect(parseMediaFilterText(JSON.stringify(EVERYTHING))).toEqual({ value: EVERYTHING, faults: [] });
});

it('normalises: null is absent, one word is a list, times are UTC, names NFC, fields in a fixed order', () => {
  const { value, faults } = parseMediaFilter({
    tags: { any: [' cafe\u0301 '], all: null },
    sentiment: 'MIXED',
    status: 'failed',
    fileType: null,
    takenFrom: '2026-01-01T00:00:00+02:00',
    colors: [{ name: 'Dark Blue', minShare: null }],
    categories: ['nature'],
  });
  expect(faults).toEqual([]);
  expect(JSON.stringify(value)).toBe(
    JSON.stringify({
      status: ['failed'],
      takenFrom: '2025-12-31T22:00:00.000Z',
      tags: { any: ['caf\u00e9'] },
      categories: ['nature'],
      sentiment: ['MIXED'],
      colors: [{ name: 'dark blue' }],
    }),
  );
});

it.each<[string, unknown, string[]]>([
  ['no object', 'x', ['']],
  ['a list', [], ['']],
  ['null', null, ['']],
  ['an unknown field', { usreId: 1 }, ['/usreId']],
  [
    'a field of Object',
    { constructor: 1, toString: 2, hasOwnProperty: null },
    ['/constructor', '/toString', '/hasOwnProperty'],
  ],
  ['__proto__', JSON.parse('{"__proto__":{"isPrivate":true}}'), ['/__proto__']],
  ['__proto__ deep inside', JSON.parse('{"or":[{"tags":{"__proto__":1}}]}'), ['/or/0/tags/__proto__']],
  ['a name to escape', { 'a/b~c': 1 }, ['/a~1b~0c']],
  [
    'an unknown word',
    { fileType: 'audio', status: ['completed', 'gone'], sentiment: 'HAPPY' },
    ['/fileType', '/status/1', '/sentiment'],
  ],
  ['more words than there are', { orientation: Array(4).fill('square') }, ['/orientation']],
  ['a date that is none', { takenFrom: '2026-02-30', uploadedTo: 5 }, ['/uploadedTo', '/takenFrom']],
  ['a list of a list', { and: [[{}]] }, ['/and/0']],
  [
    'numbers that are none',
    { width: { min: NaN }, height: { max: Infinity }, facesCount: { min: '1' } },
    ['/width/min', '/height/max', '/facesCount/min'],
  ],
  [
    'numbers out of range',
    { width: { min: -1, max: 1.5 }, fileSizeBytes: { min: 2 ** 53 }, durationSeconds: { max: 1e7 } },
    ['/durationSeconds/max', '/fileSizeBytes/min', '/width/min', '/width/max'],
  ],
  ['a range upside down', { width: { min: 2, max: 1 } }, ['/width/max']],
  ['a number as range', { width: 5 }, ['/width']],
  ['NUL in a name', { or: [{}, { tags: { any: ['x\u0000'] } }] }, ['/or/1/tags/any/0']],
  ['half a surrogate pair', { categories: ['ok', '\ud800'] }, ['/categories/1']],
  ['an empty name', { tags: { none: [' '] } }, ['/tags/none/0']],
  ['a long name', { tags: { none: ['x'.repeat(101), 'x'.repeat(1e6)] } }, ['/tags/none/0', '/tags/none/1']],
  ['no text', { tags: { none: [{}] }, labels: ['dog'] }, ['/tags/none/0', '/labels/0']],
  ['too many names', { tags: { any: Array(51).fill('x') } }, ['/tags/any']],
  ['a list of tags', { tags: ['x'] }, ['/tags']],
  [
    'a label without a name',
    { labels: [{}, { name: null }, { name: 'x', minConfidence: 2 }] },
    ['/labels/0/name', '/labels/1/name', '/labels/2/minConfidence'],
  ],
  [
    'an unknown colour',
    { colors: [{ name: 'mauve' }, { minShare: 1 }] },
    ['/colors/0/name', '/colors/1/name'],
  ],
  [
    'a word for true',
    { hasText: 'true', contentWarnings: { isEmpty: 1 } },
    ['/contentWarnings/isEmpty', '/hasText'],
  ],
  ['includePrivate in a group', { and: [{ includePrivate: true }] }, ['/and/0/includePrivate']],
  ['the fourth level', { and: [{ or: [{ not: { and: [] } }] }] }, ['/and/0/or/0/not/and']],
  [
    'metadata that cannot be stored',
    { customMetadata: { contains: { a: ['x', '\u0000'], '\ud800': 1, b: Infinity } } },
    ['/customMetadata/contains/a/1', '/customMetadata/contains/\ud800', '/customMetadata/contains/b'],
  ],
  ['metadata as a list', { customMetadata: { contains: [] } }, ['/customMetadata/contains']],
  [
    'metadata of 16 KB and more',
    { customMetadata: { contains: { a: 'x'.repeat(16_384) } } },
    ['/customMetadata/contains'],
  ],
  [
    'a path that is none',
    { customMetadata: { exists: [[], 'a', ['\u0000'], Array(11).fill('a')] } },
    [
      '/customMetadata/exists/0',
      '/customMetadata/exists/1',
      '/customMetadata/exists/2/0',
      '/customMetadata/exists/3',
    ],
  ],
  [
    'ranges without an end, a path, of two kinds, upside down',
    {
      customMetadata: {
        ranges: [
          { path: ['a'] },
          { min: 1 },
          { path: ['a'], min: 1, max: 'x' },
          { path: ['a'], min: 2, max: 1 },
          { path: ['a'], min: true },
        ],
      },
    },
    [
      '/customMetadata/ranges/0',
      '/customMetadata/ranges/1/path',
      '/customMetadata/ranges/2/max',
      '/customMetadata/ranges/3/max',
      '/customMetadata/ranges/4/min',
    ],
  ],
])('refuses %s', (_name, value, pointers) => {
  expect(pointersOf(value)).toEqual(pointers);
});

it('holds a hundred conditions and three levels, not more', () => {
  const groups = (count: number) => ({ or: Array.from({ length: count }, () => ({ fileType: 'image' })) });
  expect(pointersOf(groups(100))).toEqual([]);
  expect(pointersOf({ ...groups(100), hasText: true })).toEqual(['/or/99/fileType']);
  expect(pointersOf({ and: [groups(50), groups(51)] })).toEqual(['/and/1/or/50/fileType']);
  expect(pointersOf({ and: Array(101).fill({}) })).toEqual(['/and']);
  expect(pointersOf({ and: [{ or: Array(60).fill({}) }, { or: Array(60).fill({}) }] })).toEqual([
    '/and/1/or/40',
  ]);
  // Whatever a search took before there were groups.
  const names = Array.from({ length: 50 }, (_, index) => `name ${index}`);
  const old = {
    tags: { any: names, all: names, none: names },
    categories: names,
    labels: names.slice(0, 20).map((name) => ({ name })),
  };
  expect(
    pointersOf({
      ...old,
      fileType: 'image',
      uploadedFrom: '2026-01-01',
      uploadedTo: '2026-01-01',
      isPrivate: true,
    }),
  ).toEqual([]);
});

it('refuses text in a URL that is no JSON, too long or sent twice', () => {
  for (const text of [
    '',
    '{',
    'x',
    ['{}', '{}'],
    `{"tags":{"any":["${'x'.repeat(MAX_FILTER_CHARACTERS)}"]}}`,
  ]) {
    expect(parseMediaFilterText(text).faults).toMatchObject([{ pointer: '' }]);
  }
});

describe('hostile input', () => {
  it.each<[string, unknown]>([
    ['50,000 levels of not', nested(50_000, (not) => ({ not }), {})],
    ['50,000 levels of and', nested(50_000, (and) => ({ and: [and] }), {})],
    ['50,000 levels of metadata', { customMetadata: { contains: nested(50_000, (a) => ({ a }), 1) } }],
    ['a million names', { tags: { any: Array(1_000_000).fill('x') } }],
    ['a million groups', { or: Array(1_000_000).fill({ or: [] }) }],
    [
      'groups of groups of groups',
      { or: Array(100).fill({ or: Array(100).fill({ or: Array(100).fill({ fileType: 'x' }) }) }) },
    ],
    [
      'a hundred thousand unknown fields',
      Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, 1])),
    ],
    [
      'metadata of a hundred thousand values',
      { customMetadata: { contains: { a: Array(100_000).fill('\u0000') } } },
    ],
    ['a name of 10 MB', { tags: { any: ['\u0344'.repeat(5_000_000)] } }],
  ])('%s is refused at once, with few faults', (_name, value) => {
    const started = performance.now();
    const { faults } = parseMediaFilter(value);
    // Some milliseconds by itself. What this is against, each with each of a million, would take hours.
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThanOrEqual(50);
  });

  it('never throws, and what it takes it takes again unchanged', () => {
    const field = fc.constantFrom(...Object.keys(EVERYTHING), 'any', 'min', 'path', '__proto__');
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>('video', 'sea', '2026-01-01', 1, 0.5, true, null, NaN, '\u0000', []),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(field, tie('json'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        const { value: filter, faults } = parseMediaFilter(value);
        if (faults.length === 0) expect(parseMediaFilter(filter)).toEqual({ value: filter, faults: [] });
        for (const { pointer } of faults) expect(pointer).toMatch(/^(\/[^/]*)*$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
