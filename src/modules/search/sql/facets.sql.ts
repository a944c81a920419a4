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
 * "IN ... IS TRUE" is a hashed list whatever the statistics say (as in restriction.sql.ts), so the time grows with the
 * user's files and links, and never with their product. As joins or look-ups it was ten times as fast for a hundred
 * files, but on tables that had just grown PostgreSQL walked all labels of the user for every file: 15 s and more.
 * @throws RangeError without a facet
 */
export function facetsQuery(input: FacetsInput): Prisma.Sql {
  const facets = FACETS.filter((facet) => input.facets.includes(facet));
  if (facets.length === 0) throw new RangeError('facetsQuery needs at least one facet');
  const columns = facets.filter(isColumnFacet);
  const counts = [
    ...(columns.length > 0 ? [columnCounts(columns)] : []),
    ...facets.filter((facet) => !isColumnFacet(facet)).map((facet) => NAME_COUNTS[facet](input.userId)),
  ];
  return Prisma.sql`WITH files AS MATERIALIZED (
  SELECT ${Prisma.join([Prisma.sql`m.id`, ...facets.filter(isColumnFacet).map(selected), ...(facets.includes('colors') ? [Prisma.sql`m.dominant_colors`] : [])], ', ')}
  FROM media_files m
  WHERE m.user_id = ${input.userId}::uuid AND (m.id IN (SELECT s.media_file_id FROM (${input.source}) s)) IS TRUE
),
counted(facet, value, count) AS (
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
type ColumnFacet = Exclude<Facet, NameFacet>;

const TAKEN_OR_UPLOADED = Prisma.sql`coalesce(m.taken_at, m.uploaded_at) AT TIME ZONE 'UTC'`;

/** Facets of which a file has at most one value: `value` of alias `m`, in the column `name`. */
const COLUMNS: Record<ColumnFacet, { name: Prisma.Sql; value: Prisma.Sql }> = {
  fileType: { name: Prisma.sql`file_type`, value: Prisma.sql`m.file_type` },
  status: { name: Prisma.sql`status`, value: Prisma.sql`m.status` },
  year: { name: Prisma.sql`year`, value: Prisma.sql`to_char(${TAKEN_OR_UPLOADED}, 'YYYY')` },
  month: { name: Prisma.sql`month`, value: Prisma.sql`to_char(${TAKEN_OR_UPLOADED}, 'YYYY-MM')` },
  orientation: {
    name: Prisma.sql`orientation`,
    value: Prisma.sql`CASE WHEN m.width > m.height THEN 'landscape' WHEN m.width < m.height THEN 'portrait'
    WHEN m.width = m.height THEN 'square' END`,
  },
  sentiment: { name: Prisma.sql`sentiment`, value: Prisma.sql`m.sentiment` },
  hasTranscript: {
    name: Prisma.sql`has_transcript`,
    value: Prisma.sql`coalesce(m.transcription_text <> '', false)`,
  },
  hasText: { name: Prisma.sql`has_text`, value: Prisma.sql`m.detected_text <> '{}'` },
  durationBucket: {
    name: Prisma.sql`duration_bucket`,
    value: bucketOf(Prisma.sql`m.duration_seconds`, DURATION_BUCKETS),
  },
  sizeBucket: {
    name: Prisma.sql`size_bucket`,
    value: bucketOf(Prisma.sql`m.file_size_bytes`, SIZE_BUCKETS),
  },
};

function isColumnFacet(facet: Facet): facet is ColumnFacet {
  return facet in COLUMNS;
}

const selected = (facet: ColumnFacet): Prisma.Sql =>
  Prisma.sql`(${COLUMNS[facet].value})::text AS ${COLUMNS[facet].name}`;

function bucketOf(column: Prisma.Sql, buckets: readonly Bucket[]): Prisma.Sql {
  const steps = buckets.map(({ value, below }) =>
    Number.isFinite(below)
      ? Prisma.sql`WHEN ${column} < ${below}::bigint THEN ${value}::text`
      : Prisma.sql`WHEN ${column} IS NOT NULL THEN ${value}::text`,
  );
  return Prisma.sql`CASE ${Prisma.join(steps, ' ')} END`;
}

/** One pass over the files counts every column. In each grouping set all columns but its own are null. */
function columnCounts(facets: ColumnFacet[]): Prisma.Sql {
  const names = facets.map((facet) => COLUMNS[facet].name);
  const facet = facets.map(
    (name) => Prisma.sql`WHEN GROUPING(f.${COLUMNS[name].name}) = 0 THEN ${name}::text`,
  );
  const columns = names.map((name) => Prisma.sql`f.${name}`);
  return Prisma.sql`SELECT CASE ${Prisma.join(facet, ' ')} END, coalesce(${Prisma.join(columns, ', ')}), count(*)
  FROM files f GROUP BY GROUPING SETS (${Prisma.join(
    columns.map((column) => Prisma.sql`(${column})`),
    ', ',
  )})`;
}

const isFound = (mediaFileId: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`(${mediaFileId} IN (SELECT f.id FROM files f)) IS TRUE`;

/** Facets of which a file may have many values. */
const NAME_COUNTS: Record<NameFacet, (userId: string) => Prisma.Sql> = {
  // One row per file and tag (primary key), one tag per name whatever its case (unique index).
  tags: (userId) => Prisma.sql`SELECT 'tags',
    (SELECT t.name FROM tags t WHERE t.user_id = ${userId}::uuid AND t.id = used.tag_id), used.count
  FROM (
    SELECT mt.tag_id, count(*) AS count FROM media_tags mt
    WHERE mt.user_id = ${userId}::uuid AND ${isFound(Prisma.sql`mt.media_file_id`)}
    GROUP BY mt.tag_id
  ) used`,
  categories: (userId) => Prisma.sql`SELECT 'categories',
    (array_agg(k.name ORDER BY k.user_id NULLS LAST))[1], count(DISTINCT mc.media_file_id)
  FROM media_categories mc
  JOIN categories k ON k.id = mc.category_id AND (k.user_id = ${userId}::uuid OR k.user_id IS NULL)
  WHERE mc.user_id = ${userId}::uuid AND ${isFound(Prisma.sql`mc.media_file_id`)}
  GROUP BY lower(k.name)`,
  labels: (userId) => Prisma.sql`SELECT 'labels', l.label, count(*) FROM media_labels l
  WHERE l.user_id = ${userId}::uuid AND ${isFound(Prisma.sql`l.media_file_id`)}
  GROUP BY l.label`,
  // jsonpath leaves out an entry of an unexpected shape, where a cast would fail the search. DISTINCT: once per file.
  colors: () => Prisma.sql`SELECT 'colors', c.name #>> '{}', count(*)
  FROM (
    SELECT DISTINCT e.id, e.name
    FROM (SELECT f.id, jsonb_path_query(f.dominant_colors, '$[*].name') AS name FROM files f) e
  ) c
  WHERE jsonb_typeof(c.name) = 'string'
  GROUP BY c.name`,
};
