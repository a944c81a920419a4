import fc from 'fast-check';
import type { MediaFilter, MetadataRange } from '../../src/modules/media/filter/media-filter.types.js';
import type { FilteredFile } from './media-filter-evaluator.js';

// Few values for everything, so that a random filter fits some files and not others.
const TAGS = ['sea', 'Sun', 'Ärger', 'rare'] as const;
const ASKED_TAGS = [...TAGS, 'SEA', 'ärger', 'sUN', 'unknown'];
const CATEGORIES = ['nature', 'people', 'food'] as const;
const LABELS = ['dog', 'cat', 'beach'] as const;
const STATUSES = ['uploaded', 'queued', 'processing', 'completed', 'failed', 'archived'] as const;
const SENTIMENTS = ['POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED'] as const;
const WARNINGS = ['blood', 'weapons', 'nudity'] as const;
const COLORS = ['blue', 'green', 'dark green'] as const;
const DAYS = ['2026-01-01', '2026-01-02', '2026-01-31', '2026-02-01'] as const;
const TIMES = [...DAYS.map((day) => `${day}T00:00:00.000Z`), '2026-01-02T12:30:00.500Z'] as const;
const SIZES = [1, 999, 1000, 5_000_000_000] as const;
const DURATIONS = [0, 0.1, 12.345, 600] as const;
const PIXELS = [1, 600, 800] as const;
const SHARES = [0, 0.1, 0.35, 0.7, 1] as const;
const NUMBERS = [-1, 0, 0.1, 2.5, 1e20, 9007199254740991] as const;
const TEXTS = ['a', 'b', 'Ä', 'é', '', '\u{1f600}', '\uffee', '2026-02-30', '2026-13-01', 'null'] as const;
const MOMENTS = [
  ...[
    '2026-01-01',
    '2026-01-02',
    '2026-01-02T12:00:00Z',
    '2026-01-02T23:30:00-02:00',
    '2026-01-02T10:00+05:30',
  ],
  ...['2026-01-03T00:00:00.000Z', '2024-02-29', '0001-01-01', '9999-12-31'],
] as const;
const PATHS = [['a'], ['b'], ['a', 'b'], ['list', '0'], ['list', '1', 'a'], ['constructor'], ['b', 'a', 'c']];

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = <T>(values: readonly T[], maxLength = 3): fc.Arbitrary<T[]> =>
  fc.uniqueArray(pick(values), { maxLength });

const scalar = fc.oneof(pick(NUMBERS), pick(TEXTS), pick(MOMENTS), fc.constantFrom(true, null));
const json = fc.oneof(
  { weight: 3, arbitrary: scalar },
  {
    weight: 1,
    arbitrary: fc.record({ a: scalar, b: fc.oneof(scalar, fc.record({ a: scalar })) }, { requiredKeys: [] }),
  },
  { weight: 1, arbitrary: fc.array(fc.oneof(scalar, fc.record({ a: scalar })), { maxLength: 2 }) },
);
const metadata = fc.record({ a: json, b: json, list: json, constructor: scalar }, { requiredKeys: [] });

export const file: fc.Arbitrary<FilteredFile> = fc
  .record({
    fileType: pick(['image', 'video'] as const),
    status: pick(STATUSES),
    uploadedAt: pick(TIMES),
    takenAt: fc.option(pick(TIMES)),
    durationSeconds: fc.option(pick(DURATIONS)),
    fileSizeBytes: pick(SIZES),
    size: fc.option(fc.tuple(pick(PIXELS), pick(PIXELS))),
    facesCount: fc.nat({ max: 3 }),
    tags: some(TAGS),
    categories: some(CATEGORIES),
    labels: fc.uniqueArray(fc.record({ name: pick(LABELS), confidence: pick(SHARES) }), {
      maxLength: 3,
      selector: ({ name }) => name,
    }),
    sentiment: fc.option(pick(SENTIMENTS)),
    contentWarnings: some(WARNINGS),
    colors: fc.uniqueArray(fc.record({ name: pick(COLORS), share: pick(SHARES) }), {
      maxLength: 3,
      selector: ({ name }) => name,
    }),
    isPrivate: fc.boolean(),
    customMetadata: metadata,
    transcript: fc.constantFrom(null, '', 'somebody speaks'),
    detectedText: fc.constantFrom<string[]>([], ['TEXT']),
  })
  .map(({ size, ...rest }) => ({ ...rest, width: size?.[0] ?? null, height: size?.[1] ?? null }));

const range = <T extends number>(values: readonly T[]): fc.Arbitrary<{ min?: number; max?: number }> =>
  fc.tuple(fc.option(pick(values)), fc.option(pick(values))).map(([a, b]) => {
    const [min, max] = a !== null && b !== null && a > b ? [b, a] : [a, b];
    return { ...(min === null ? {} : { min }), ...(max === null ? {} : { max }) };
  });
const nameSets = (
  names: readonly string[],
): fc.Arbitrary<{ any?: string[]; all?: string[]; none?: string[] }> =>
  fc.record({ any: some(names), all: some(names, 2), none: some(names, 2) }, { requiredKeys: [] });
const ordered = <T extends number | string>(
  values: readonly T[],
): fc.Arbitrary<Omit<MetadataRange, 'path'>> =>
  fc.oneof(
    pick(values).map((min) => ({ min })),
    pick(values).map((max) => ({ max })),
    fc.tuple(pick(values), pick(values)).map(([a, b]) => (a <= b ? { min: a, max: b } : { min: b, max: a })),
  );
const metadataRange: fc.Arbitrary<MetadataRange> = fc
  .tuple(pick(PATHS), fc.oneof(ordered(NUMBERS), ordered(TEXTS), ordered(MOMENTS)))
  .map(([path, bounds]) => ({ path, ...bounds }));

/** One field each; filters are put together of one to three of them. */
const fields: { [K in keyof MediaFilter]?: fc.Arbitrary<MediaFilter[K]> } = {
  fileType: pick(['image', 'video'] as const),
  status: fc.oneof(pick(STATUSES), some(STATUSES)),
  uploadedFrom: pick(TIMES),
  uploadedTo: pick(TIMES),
  takenFrom: pick(TIMES),
  takenTo: pick(TIMES),
  durationSeconds: range(DURATIONS),
  fileSizeBytes: range(SIZES),
  width: range(PIXELS),
  height: range(PIXELS),
  facesCount: range([0, 1, 2, 3]),
  orientation: fc.oneof(
    pick(['landscape', 'portrait', 'square'] as const),
    some(['landscape', 'portrait', 'square'] as const),
  ),
  tags: nameSets(ASKED_TAGS),
  categories: fc.oneof(some([...CATEGORIES, 'Nature', 'art']), nameSets([...CATEGORIES, 'PEOPLE'])),
  labels: fc.array(
    fc.record({ name: pick([...LABELS, 'DOG']), minConfidence: pick(SHARES) }, { requiredKeys: ['name'] }),
    {
      maxLength: 2,
    },
  ),
  sentiment: fc.oneof(pick(SENTIMENTS), some(SENTIMENTS)),
  contentWarnings: fc
    .tuple(nameSets(WARNINGS), fc.constantFrom(undefined, undefined, true, false))
    .map(([sets, isEmpty]) => ({ ...sets, ...(isEmpty === undefined ? {} : { isEmpty }) })),
  colors: fc.array(fc.record({ name: pick(COLORS), minShare: pick(SHARES) }, { requiredKeys: ['name'] }), {
    maxLength: 2,
  }),
  isPrivate: fc.boolean(),
  customMetadata: fc.record(
    { contains: metadata, ranges: fc.array(metadataRange, { maxLength: 2 }), exists: some(PATHS, 2) },
    { requiredKeys: [] },
  ),
  hasTranscript: fc.boolean(),
  hasText: fc.boolean(),
};

const names = Object.keys(fields) as (keyof typeof fields)[];
const plain: fc.Arbitrary<MediaFilter> = fc
  .uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 2 })
  .chain((chosen) =>
    fc.record(
      Object.fromEntries(chosen.map((name) => [name, fields[name]!])) as Record<
        string,
        fc.Arbitrary<unknown>
      >,
    ),
  ) as fc.Arbitrary<MediaFilter>;

/** A filter with groups up to `depth` levels deep. */
function filterOf(depth: number): fc.Arbitrary<MediaFilter> {
  if (depth === 0) return plain;
  const inner = filterOf(depth - 1);
  return fc
    .tuple(
      fc.oneof(plain, fc.constant<MediaFilter>({})),
      fc.oneof(
        fc.array(inner, { maxLength: 3 }).map((or) => ({ or })),
        fc.array(inner, { maxLength: 2 }).map((and) => ({ and })),
        inner.map((not) => ({ not })),
        fc.constant({}),
      ),
    )
    .map(([own, group]) => ({ ...own, ...group }));
}

export const filter: fc.Arbitrary<MediaFilter> = fc
  .oneof(plain, filterOf(1), filterOf(3))
  .chain((made) =>
    fc.constantFrom(made, made, { ...made, includePrivate: true }, { ...made, includePrivate: false }),
  );
