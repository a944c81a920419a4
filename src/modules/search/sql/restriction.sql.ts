import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** The filters of a search, checked and normalised. Dates are ISO 8601 UTC; lower bounds inclusive, upper ones not. */
export interface MediaFilter {
  fileType?: 'image' | 'video';
  uploadedFrom?: string;
  uploadedTo?: string;
  takenFrom?: string;
  takenTo?: string;
  /** Names in any case: at least one of `any`, each of `all`, not one of `none`. */
  tags?: { any?: string[]; all?: string[]; none?: string[] };
  /** Names in any case; at least one must fit. */
  categories?: string[];
  /** Each must fit. */
  labels?: { name: string; minConfidence?: number }[];
  /** true = private files only, false = none of them. Undefined: see includePrivate. */
  isPrivate?: boolean;
  /** C60: without it (and without isPrivate) a search leaves private files out. */
  includePrivate?: boolean;
}

/** Which files a search may answer with. */
export interface Restriction {
  /** Common table expressions, each ending in a comma; to be put first behind WITH. */
  readonly with: Prisma.Sql;
  /** `AND ...` that holds for the files allowed; `mediaFileId` is a column such as `e.media_file_id`. */
  allows(mediaFileId: Prisma.Sql): Prisma.Sql;
}

/**
 * Turns filters into SQL. Without filters only few files are out (trash, private ones), so these are listed and left
 * out; with filters the files that remain are listed and everything else is left out. Either way it happens before any
 * candidates are cut, so that a filter never starves a page.
 *
 * NOT IN and "IN ... IS TRUE" keep PostgreSQL from turning the list into a join: it becomes a hashed sub-plan whatever
 * the statistics say. As a join, on a database that was never analysed, it was a nested loop over both lists. The hash
 * must fit into work_mem, see searchSettings().
 * @param excludedTerms words that must not occur (websearch syntax), or null
 */
export function restrictionOf(
  userId: string,
  filter: MediaFilter,
  excludedTerms: string | null = null,
): Restriction {
  const conditions = filterConditions(userId, filter);
  const excluded = excludedTerms === null ? null : excludedMedia(excludedTerms);
  const base =
    conditions.length === 0 ? hiddenMedia(userId, filter) : eligibleMedia(userId, filter, conditions);
  return {
    with: excluded === null ? base.with : Prisma.sql`${base.with}${excluded.with}`,
    allows: (column) =>
      excluded === null ? base.allows(column) : Prisma.sql`${base.allows(column)} ${excluded.allows(column)}`,
  };
}

/** Does the filter name anything beside the default (no trash, no private files)? */
export function isFiltered(filter: MediaFilter): boolean {
  return filterConditions('', filter).length > 0;
}

function hiddenMedia(userId: string, filter: MediaFilter): Restriction {
  const isHidden = filter.includePrivate
    ? Prisma.sql`m.deleted_at IS NOT NULL`
    : Prisma.sql`(m.deleted_at IS NOT NULL OR m.is_private)`;
  return {
    with: Prisma.sql`hidden_media AS MATERIALIZED (
  SELECT m.id FROM media_files m WHERE m.user_id = ${userId}::uuid AND ${isHidden}
),
`,
    allows: (column) => Prisma.sql`AND ${column} NOT IN (SELECT h.id FROM hidden_media h)`,
  };
}

function eligibleMedia(userId: string, filter: MediaFilter, conditions: Prisma.Sql[]): Restriction {
  const privacy =
    filter.isPrivate !== undefined || filter.includePrivate ? [] : [Prisma.sql`NOT m.is_private`];
  return {
    with: Prisma.sql`eligible_media AS MATERIALIZED (
  SELECT m.id FROM media_files m
  WHERE m.user_id = ${userId}::uuid AND m.deleted_at IS NULL AND ${Prisma.join([...privacy, ...conditions], '\n    AND ')}
),
`,
    allows: (column) => Prisma.sql`AND (${column} IN (SELECT f.id FROM eligible_media f)) IS TRUE`,
  };
}

/** "beach -sunset": what says sunset is out of the vector leg as well, not of the text leg alone. */
function excludedMedia(terms: string): Restriction {
  return {
    with: Prisma.sql`excluded_media AS MATERIALIZED (
  SELECT x.media_file_id AS id FROM search_documents(${terms}, ${MAX_TEXT_MATCHES}::integer) x
),
`,
    allows: (column) => Prisma.sql`AND ${column} NOT IN (SELECT x.id FROM excluded_media x)`,
  };
}

/** What search_documents() gives at most. */
export const MAX_TEXT_MATCHES = 10_000;

function filterConditions(userId: string, filter: MediaFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const when = <T>(value: T | undefined, condition: (value: T) => Prisma.Sql): void => {
    if (value !== undefined) conditions.push(condition(value));
  };
  when(filter.isPrivate, (value) => Prisma.sql`m.is_private = ${value}`);
  when(filter.fileType, (value) => Prisma.sql`m.file_type = ${value}`);
  when(filter.uploadedFrom, (value) => Prisma.sql`m.uploaded_at >= ${value}::timestamptz`);
  when(filter.uploadedTo, (value) => Prisma.sql`m.uploaded_at < ${value}::timestamptz`);
  when(filter.takenFrom, (value) => Prisma.sql`m.taken_at >= ${value}::timestamptz`);
  when(filter.takenTo, (value) => Prisma.sql`m.taken_at < ${value}::timestamptz`);
  when(nonEmpty(filter.tags?.any), (names) => hasTag(userId, names));
  for (const name of filter.tags?.all ?? []) conditions.push(hasTag(userId, [name]));
  when(nonEmpty(filter.tags?.none), (names) => Prisma.sql`NOT ${hasTag(userId, names)}`);
  when(nonEmpty(filter.categories), (names) => hasCategory(userId, names));
  for (const label of filter.labels ?? []) conditions.push(hasLabel(userId, label));
  return conditions;
}

// PostgreSQL's own lower() on both sides: the unique index on names folds case the same way.
function hasTag(userId: string, names: string[]): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT 1 FROM media_tags mt JOIN tags t ON t.user_id = mt.user_id AND t.id = mt.tag_id
      WHERE mt.user_id = ${userId}::uuid AND mt.media_file_id = m.id
        AND lower(t.name) IN (SELECT lower(name) FROM unnest(${names}::text[]) AS name))`;
}

function hasCategory(userId: string, names: string[]): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT 1 FROM media_categories mc JOIN categories k ON k.id = mc.category_id
      WHERE mc.user_id = ${userId}::uuid AND mc.media_file_id = m.id
        AND lower(k.name) IN (SELECT lower(name) FROM unnest(${names}::text[]) AS name))`;
}

function hasLabel(userId: string, label: { name: string; minConfidence?: number }): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT 1 FROM media_labels l
      WHERE l.user_id = ${userId}::uuid AND l.media_file_id = m.id AND l.label = lower(${label.name}::text)
        AND l.confidence >= ${label.minConfidence ?? 0}::real)`;
}

function nonEmpty(values: string[] | undefined): string[] | undefined {
  return values !== undefined && values.length > 0 ? values : undefined;
}
