import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { decidesPrivacy, filterConditions } from '../../media/filter/media-filter.sql.js';
import type { MediaFilter } from '../../media/filter/media-filter.types.js';

export type { MediaFilter };

/** Which files a search may answer with. */
export interface Restriction {
  /** Common table expressions, each ending in a comma; to be put first behind WITH. */
  readonly with: Prisma.Sql;
  /** `AND ...` that holds for the files allowed; `mediaFileId` is a column such as `e.media_file_id`. */
  allows(mediaFileId: Prisma.Sql): Prisma.Sql;
}

/** Each in websearch syntax; null or left out = no such words. */
export interface RestrictingWords {
  /** A file that matches is out. */
  excluded?: string | null;
  /** A file that does not match is out. */
  demanded?: string | null;
}

/**
 * Turns filters into SQL. Without filters only few files are out (trash, private ones), so these are listed and left
 * out; with filters the files that remain are listed and everything else is left out. Either way it happens before any
 * candidates are cut, so that a filter never starves a page.
 *
 * NOT IN and "IN ... IS TRUE" keep PostgreSQL from turning the list into a join: it becomes a hashed sub-plan whatever
 * the statistics say. As a join, on a database that was never analysed, it was a nested loop over both lists. The hash
 * must fit into work_mem, see SEARCH_SETTINGS.
 * @param words what must and must not occur in a file, beside the filter
 */
export function restrictionOf(
  userId: string,
  filter: MediaFilter,
  words: RestrictingWords = {},
): Restriction {
  const conditions = filterConditions(userId, filter);
  const restrictions = [
    conditions.length === 0 ? hiddenMedia(userId, filter) : eligibleMedia(userId, filter, conditions),
    ...(words.excluded ? [excludedMedia(words.excluded)] : []),
    ...(words.demanded ? [demandedMedia(words.demanded)] : []),
  ];
  return {
    with: Prisma.join(
      restrictions.map((restriction) => restriction.with),
      '',
    ),
    allows: (column) =>
      Prisma.join(
        restrictions.map((restriction) => restriction.allows(column)),
        ' ',
      ),
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
  const privacy = decidesPrivacy(filter) ? [] : [Prisma.sql`NOT m.is_private`];
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
const matching = (terms: string): Prisma.Sql => Prisma.sql`AS MATERIALIZED (
  SELECT x.media_file_id AS id FROM search_documents(${terms}) x
),
`;

function excludedMedia(terms: string): Restriction {
  return {
    with: Prisma.sql`excluded_media ${matching(terms)}`,
    allows: (column) => Prisma.sql`AND ${column} NOT IN (SELECT x.id FROM excluded_media x)`,
  };
}

/** "tower bridge" in quotes: what does not say it is out of the vector leg as well. */
function demandedMedia(terms: string): Restriction {
  return {
    with: Prisma.sql`demanded_media ${matching(terms)}`,
    allows: (column) => Prisma.sql`AND (${column} IN (SELECT x.id FROM demanded_media x)) IS TRUE`,
  };
}
