import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** What the files found can be counted by. Each value means the same as in a filter. */
export const FACETS = [
  'fileType',
  'status',
  'year',
  'month',
  'tags',
  'categories',
  'labels',
  'colors',
  'orientation',
  'sentiment',
  'hasTranscript',
  'hasText',
  'durationBucket',
  'sizeBucket',
] as const;
export type Facet = (typeof FACETS)[number];

/** Values of one facet when the caller does not say how many: more than a column beside the results shows. */
export const DEFAULT_VALUES_PER_FACET = 20;

/** One step of a scale: from the bound of the step before (inclusive) up to `below`, which is not part of it. */
export interface Bucket {
  value: string;
  /** Infinity: no upper bound. */
  below: number;
}

/** Seconds. Clips and loops, social media's minute, songs, episodes' halves, episodes, films. Pictures have none. */
export const DURATION_BUCKETS: readonly Bucket[] = [
  { value: 'under-15s', below: 15 },
  { value: '15s-1min', below: 60 },
  { value: '1-5min', below: 300 },
  { value: '5-20min', below: 1_200 },
  { value: '20-60min', below: 3_600 },
  { value: 'from-60min', below: Infinity },
];

/** Bytes of the original, powers of ten (1 MB = 1,000,000 bytes): web graphics, photographs, raw files, films. */
export const SIZE_BUCKETS: readonly Bucket[] = [
  { value: 'under-1MB', below: 1e6 },
  { value: '1-10MB', below: 1e7 },
  { value: '10-100MB', below: 1e8 },
  { value: '100MB-1GB', below: 1e9 },
  { value: 'from-1GB', below: Infinity },
];

export interface FacetRow {
  facet: Facet;
  value: string;
  /** Files with this value, each counted once. */
  count: number;
  /** Distinct values of this facet that are not among the rows. */
  more: number;
}

export interface FacetsInput {
  userId: string;
  /** At least one; a facet given twice counts once. */
  facets: readonly Facet[];
  /**
   * A query that gives `media_file_id` of all files that fit, before any page is cut; it may have a WITH of its own.
   * It alone decides about the trash and private files. An id given twice counts once, a foreign one never.
   */
  source: Prisma.Sql;
  /** Values of each facet, 1 or more. */
  perFacet: number;
}

/**
 * Counts the files of `source` by each facet in one statement: values by count, equal counts by code point of the
 * value. A file without a value (no sentiment yet, a picture's duration) is not counted; one with two tags counts for
 * both. Tags and categories come in the user's spelling; a category of the user's own and one of the system's with the
 * same name are one value.
 *
 * One pass over the user's rows of media_facets, which hold all names of a file beside it, so the time grows with the
 * library and the names of the files found, and no join can go wrong. "IN ... IS TRUE" is a hashed list whatever the
 * statistics say (as in restriction.sql.ts).
 * @throws RangeError without a facet
 */
export function facetsQuery(input: FacetsInput): Prisma.Sql {
  const facets = FACETS.filter((facet) => input.facets.includes(facet));
  if (facets.length === 0) throw new RangeError('facetsQuery needs at least one facet');
  const columns = facets.filter(isColumnFacet);
  const counts = [
    ...(columns.length > 0 ? [columnCounts(columns)] : []),
    ...facets.filter(isMonthFacet).map((facet) => MONTH_COUNTS[facet]),
    ...facets.filter(isNameFacet).map((facet) => nameCounts(facet, input.userId)),
  ];
  const needed = [...new Set(facets.map((facet) => NEEDED_COLUMNS[facet]))];
  return Prisma.sql`WITH files AS (
  SELECT ${Prisma.join(
    needed.map((column) => Prisma.sql`f.${column}`),
    ', ',
  )}
  FROM media_facets f
  WHERE f.user_id = ${input.userId}::uuid
    AND (f.media_file_id IN (SELECT s.media_file_id FROM (${input.source}) s)) IS TRUE
),
${columns.length > 0 ? alike(columns) : Prisma.empty}${facets.some(isMonthFacet) ? MONTHS : Prisma.empty}counted(facet, value, count) AS (
  ${Prisma.join(counts, '\n  UNION ALL\n  ')}
),
ranked AS (
  SELECT c.facet, c.value, c.count,
    row_number() OVER (PARTITION BY c.facet ORDER BY c.count DESC, c.value COLLATE "C") AS position,
    count(*) OVER (PARTITION BY c.facet) AS distinct_values
  FROM counted c WHERE c.value <> ''
)
SELECT r.facet, r.value, r.count::integer AS count,
  greatest(r.distinct_values - ${input.perFacet}::integer, 0)::integer AS more
FROM ranked r
WHERE r.position <= ${input.perFacet}::integer
ORDER BY array_position(${facets}::text[], r.facet), r.position`;
}

type NameFacet = 'tags' | 'categories' | 'labels' | 'colors';
type MonthFacet = 'year' | 'month';
type ColumnFacet = Exclude<Facet, NameFacet | MonthFacet>;

const isNameFacet = (facet: Facet): facet is NameFacet =>
  facet === 'tags' || facet === 'categories' || facet === 'labels' || facet === 'colors';
const isMonthFacet = (facet: Facet): facet is MonthFacet => facet === 'year' || facet === 'month';
const isColumnFacet = (facet: Facet): facet is ColumnFacet => !isNameFacet(facet) && !isMonthFacet(facet);

const MONTH = Prisma.sql`month`;

/** The column of media_facets that a facet counts by. */
const NEEDED_COLUMNS: Record<Facet, Prisma.Sql> = {
  fileType: Prisma.sql`file_type`,
  status: Prisma.sql`status`,
  year: MONTH,
  month: MONTH,
  tags: Prisma.sql`tags`,
  categories: Prisma.sql`categories`,
  labels: Prisma.sql`labels`,
  colors: Prisma.sql`colors`,
  orientation: Prisma.sql`orientation`,
  sentiment: Prisma.sql`sentiment`,
  hasTranscript: Prisma.sql`has_transcript`,
  hasText: Prisma.sql`has_text`,
  durationBucket: Prisma.sql`duration_seconds`,
  sizeBucket: Prisma.sql`file_size_bytes`,
};

/**
 * The files by all values asked, as few rows as there are combinations: each facet then counts these, not the files.
 * Months are kept apart, they would multiply the combinations.
 */
function alike(facets: ColumnFacet[]): Prisma.Sql {
  const values = facets.map((facet) => {
    const bucket = BUCKETS[facet];
    return bucket ? Prisma.sql`${bucket.value} AS ${bucket.name}` : Prisma.sql`f.${NEEDED_COLUMNS[facet]}`;
  });
  const names = facets.map(valueName);
  return Prisma.sql`alike AS (
  SELECT ${Prisma.join(values, ', ')}, count(*) AS files FROM files f GROUP BY ${Prisma.join(names, ', ')}
),
`;
}

const valueName = (facet: ColumnFacet): Prisma.Sql => BUCKETS[facet]?.name ?? NEEDED_COLUMNS[facet];

/** Values that are not the column itself. */
const BUCKETS: Partial<Record<ColumnFacet, { name: Prisma.Sql; value: Prisma.Sql }>> = {
  durationBucket: {
    name: Prisma.sql`duration_bucket`,
    value: bucketOf(Prisma.sql`f.duration_seconds`, DURATION_BUCKETS),
  },
  sizeBucket: { name: Prisma.sql`size_bucket`, value: bucketOf(Prisma.sql`f.file_size_bytes`, SIZE_BUCKETS) },
};

function bucketOf(column: Prisma.Sql, buckets: readonly Bucket[]): Prisma.Sql {
  const steps = buckets.map(({ value, below }) =>
    Number.isFinite(below)
      ? Prisma.sql`WHEN ${column} < ${below}::bigint THEN ${value}::text`
      : Prisma.sql`WHEN ${column} IS NOT NULL THEN ${value}::text`,
  );
  return Prisma.sql`CASE ${Prisma.join(steps, ' ')} END`;
}

/** In each grouping set all columns but its own are null. */
function columnCounts(facets: ColumnFacet[]): Prisma.Sql {
  const columns = facets.map((facet) => Prisma.sql`a.${valueName(facet)}`);
  const facet = facets.map(
    (name, index) => Prisma.sql`WHEN GROUPING(${columns[index]!}) = 0 THEN ${name}::text`,
  );
  return Prisma.sql`SELECT CASE ${Prisma.join(facet, ' ')} END, coalesce(${Prisma.join(
    columns.map((column) => Prisma.sql`${column}::text`),
    ', ',
  )}), sum(a.files)
  FROM alike a GROUP BY GROUPING SETS (${Prisma.join(
    columns.map((column) => Prisma.sql`(${column})`),
    ', ',
  )})`;
}

const MONTHS = Prisma.sql`months AS (
  SELECT f.month::timestamp AS month, count(*) AS files FROM files f GROUP BY f.month
),
`;
const MONTH_COUNTS: Record<MonthFacet, Prisma.Sql> = {
  year: Prisma.sql`SELECT 'year', to_char(p.month, 'YYYY'), sum(p.files) FROM months p GROUP BY 2`,
  month: Prisma.sql`SELECT 'month', to_char(p.month, 'YYYY-MM'), p.files FROM months p`,
};

/**
 * Facets of which a file may have many values, each of them once. Where PostgreSQL, for want of statistics, sorts the
 * names instead of hashing them, it shall compare bytes: a language's order took three times as long.
 */
function nameCounts(facet: NameFacet, userId: string): Prisma.Sql {
  if (facet === 'categories') return categoryCounts(userId);
  return Prisma.sql`SELECT ${facet}::text, n.name, count(*)
  FROM (SELECT unnest(f.${NEEDED_COLUMNS[facet]}) COLLATE "C" AS name FROM files f) n GROUP BY n.name`;
}

/**
 * Few files have categories that no other has, so these are put together first. One name for all spellings, the user's
 * own before the system's.
 */
function categoryCounts(userId: string): Prisma.Sql {
  return Prisma.sql`SELECT 'categories', (array_agg(d.name ORDER BY d.is_own DESC))[1], sum(d.files)
  FROM (
    SELECT DISTINCT ON (c.categories, lower(n.name)) n.name, n.is_own, c.files
    FROM (SELECT f.categories, count(*) AS files FROM files f GROUP BY f.categories) c
    CROSS JOIN LATERAL (
      SELECT u.name, (u.name IN (SELECT k.name FROM categories k WHERE k.user_id = ${userId}::uuid)) IS TRUE AS is_own
      FROM unnest(c.categories) AS u(name)
    ) n
    ORDER BY c.categories, lower(n.name), n.is_own DESC
  ) d
  GROUP BY lower(d.name)`;
}
