import { Prisma } from '../../../infrastructure/database/generated/client.js';

// Names are compared by PostgreSQL's lower() only: it is what the unique indexes use, and JavaScript's differs for
// some letters.

export interface NamedRow {
  id: string;
  name: string;
}

/** The user's tags with these names, whatever their case. */
export const tagsByName = (userId: string, names: readonly string[]): Prisma.Sql => Prisma.sql`
    SELECT t.id, t.name FROM tags t
    WHERE t.user_id = ${userId}::uuid
      AND lower(t.name) IN (SELECT lower(wanted) FROM unnest(${[...names]}::text[]) AS wanted)`;

/** The user's own and the system's categories with these names; of two with one name, the user's own. */
export const categoriesByName = (userId: string, names: readonly string[]): Prisma.Sql => Prisma.sql`
    SELECT DISTINCT ON (lower(c.name)) c.id, c.name FROM categories c
    WHERE (c.user_id = ${userId}::uuid OR c.user_id IS NULL)
      AND lower(c.name) IN (SELECT lower(wanted) FROM unnest(${[...names]}::text[]) AS wanted)
    ORDER BY lower(c.name), c.user_id NULLS LAST`;

/** Those of `names` for which neither a category of the user nor one of the system exists. */
export const unknownCategoryNames = (userId: string, names: readonly string[]): Prisma.Sql => Prisma.sql`
    SELECT wanted AS name FROM unnest(${[...names]}::text[]) AS wanted
    WHERE NOT EXISTS (
      SELECT 1 FROM categories c
      WHERE (c.user_id = ${userId}::uuid OR c.user_id IS NULL) AND lower(c.name) = lower(wanted))`;

export interface LabelListRow {
  id: string;
  name: string;
  description: string | null;
  createdAt: Date;
  /** Files that are not in the trash. */
  mediaCount: number;
  /** Null = a system category. */
  ownerId: string | null;
  /** Sort key of the row, for the cursor. */
  key: string;
}

/** Where the page before ended: lower-case name and id of its last row. */
export interface LabelListPosition {
  key: string;
  id: string;
}

/** One page of the user's tags by name, each with the number of its files; one row more than `limit`. */
export const tagListPage = (
  userId: string,
  after: LabelListPosition | null,
  limit: number,
): Prisma.Sql => Prisma.sql`
    SELECT t.id, t.name, t.description, t.created_at AS "createdAt", t.user_id AS "ownerId", lower(t.name) AS key, (
      SELECT count(*)::integer FROM media_tags mt
      JOIN media_files m ON m.user_id = mt.user_id AND m.id = mt.media_file_id AND m.deleted_at IS NULL
      WHERE mt.user_id = t.user_id AND mt.tag_id = t.id) AS "mediaCount"
    FROM tags t
    WHERE t.user_id = ${userId}::uuid${keyset(Prisma.sql`t`, after)}
    ORDER BY lower(t.name), t.id
    LIMIT ${limit + 1}::integer`;

/** The same for categories: the user's own and the system's. */
export const categoryListPage = (
  userId: string,
  after: LabelListPosition | null,
  limit: number,
): Prisma.Sql =>
  Prisma.sql`
    SELECT c.id, c.name, c.description, c.created_at AS "createdAt", c.user_id AS "ownerId", lower(c.name) AS key, (
      SELECT count(*)::integer FROM media_categories mc
      JOIN media_files m ON m.user_id = mc.user_id AND m.id = mc.media_file_id AND m.deleted_at IS NULL
      WHERE mc.user_id = ${userId}::uuid AND mc.category_id = c.id) AS "mediaCount"
    FROM categories c
    WHERE (c.user_id = ${userId}::uuid OR c.user_id IS NULL)${keyset(Prisma.sql`c`, after)}
    ORDER BY lower(c.name), c.id
    LIMIT ${limit + 1}::integer`;

function keyset(table: Prisma.Sql, after: LabelListPosition | null): Prisma.Sql {
  if (!after) return Prisma.empty;
  return Prisma.sql` AND (lower(${table}.name), ${table}.id) > (${after.key}, ${after.id}::uuid)`;
}
