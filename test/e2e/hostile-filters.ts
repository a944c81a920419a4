import fc from 'fast-check';
import { COLOR_NAMES } from '../../src/infrastructure/ai/local/colors.js';
import { filter as sensibleFilter } from '../integration/media-filter-arbitraries.js';

const share = fc.constantFrom(0, 0.3, 1, 1e-300);
const name = fc.constantFrom('dog', 'canary', "'", '%', '\\', 'ı', '{}', "'); --");
const names = fc.array(name, { maxLength: 3 });
const nameSets = fc.record({ any: names, all: names, none: names }, { requiredKeys: [] });
const bound = fc.constantFrom(0, 1, 1e-300, 2_147_483_647);
const range = fc.record({ min: bound, max: bound }, { requiredKeys: [] });

/** Keys and texts that mean something to SQL, to JSON paths, to JavaScript's objects and to regular expressions. */
const key = fc.constantFrom(
  'a',
  "'",
  '"',
  '\\',
  '$.a',
  '$[*]',
  '{}',
  '__proto__',
  'constructor',
  '%',
  '(a+)+$',
  'ﷺ',
);
const keys = fc.array(key, { minLength: 1, maxLength: 10 });
const text = fc.oneof(
  key,
  fc.constantFrom(
    '',
    'null',
    '9999-12-31',
    '0001-01-01',
    '2026-02-30',
    "'; DROP TABLE media_files; --",
    '\ud800',
  ),
);
const number = fc.constantFrom(-1e308, -1, -0, 0.1, 1e-300, 1e308, Number.MAX_SAFE_INTEGER);
const metadataRange = fc.oneof(
  ...[text, number].map((value) =>
    fc.record({ path: keys, min: value, max: value }, { requiredKeys: ['path', 'min'] }),
  ),
);
const customMetadata = fc.record(
  {
    contains: fc.dictionary(key, fc.oneof(text, number, fc.jsonValue({ maxDepth: 3 })), { maxKeys: 3 }),
    ranges: fc.array(metadataRange, { maxLength: 2 }),
    exists: fc.array(keys, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const plain = fc.record(
  {
    fileType: fc.constantFrom('image', 'video', null),
    uploadedFrom: fc.constantFrom('2026-01-01', '9999-12-31', '0001-01-01T00:00:00Z'),
    takenTo: fc.constantFrom('2026-01-01T00:00:00.123456+14:00', null),
    tags: nameSets,
    categories: fc.oneof(names, nameSets),
    labels: fc.array(fc.record({ name, minConfidence: share }, { requiredKeys: ['name'] }), { maxLength: 2 }),
    colors: fc.array(
      fc.record({ name: fc.constantFrom(...COLOR_NAMES), minShare: share }, { requiredKeys: ['name'] }),
      { maxLength: 2 },
    ),
    contentWarnings: nameSets,
    durationSeconds: range,
    fileSizeBytes: range,
    width: range,
    facesCount: range,
    customMetadata,
    isPrivate: fc.boolean(),
    hasText: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** A few fields at a time, so that not every filter is refused for one of them. */
const few = fc
  .tuple(plain, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }))
  .map(([made, picks]): Record<string, unknown> => {
    const entries = Object.entries(made);
    return Object.fromEntries(
      picks.flatMap((pick) => (entries.length > 0 ? [entries[pick % entries.length]!] : [])),
    );
  });

/** Deeper than the groups that a filter may hold. */
const groups = fc.letrec<{ part: Record<string, unknown> }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    few,
    fc.array(tie('part'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('part'), { maxLength: 3 }).map((or) => ({ or })),
    fc.tuple(few, tie('part')).map(([own, not]) => ({ ...own, not })),
  ),
})).part;

/** Filters of every kind of condition: sensible ones, hostile ones, and some that are refused. */
export const hostileFilter: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.oneof(groups, few, sensibleFilter as fc.Arbitrary<object>),
    fc.record({ includePrivate: fc.boolean() }, { requiredKeys: [] }),
  )
  .map(([made, more]) => ({ ...made, ...more }));
