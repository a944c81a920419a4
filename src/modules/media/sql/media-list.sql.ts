import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { decidesPrivacy, filterConditions } from '../filter/media-filter.sql.js';
import type { MediaFilter } from '../filter/media-filter.types.js';
import { TRASH_DAYS } from '../media.constants.js';

export const MEDIA_SORTS = [
  'uploadedAt',
  'takenAt',
  'title',
  'fileSizeBytes',
  'durationSeconds',
  'viewCount',
] as const;
export type MediaSort = (typeof MEDIA_SORTS)[number];
export type SortOrder = 'asc' | 'desc';

/** Where the page before ended: the sort key of its last row as PostgreSQL wrote it (null = none), and the row's id. */
export interface MediaListPosition {
  key: string | null;
  id: string;
}

export interface MediaListInput {
  userId: string;
  filter: MediaFilter;
  /** True lists the trash instead. */
  isTrash: boolean;
  sort: MediaSort;
  order: SortOrder;
  after: MediaListPosition | null;
  /** Rows wanted; one more is asked for, to know whether there is a next page. */
  limit: number;
}

export interface MediaListRow {
  id: string;
  key: string | null;
}

/** The key travels as text, so that a cursor keeps the microseconds that a JavaScript date would lose. */
const SORT_COLUMNS: Record<MediaSort, { column: Prisma.Sql; type: Prisma.Sql; nullable: boolean }> = {
  uploadedAt: { column: Prisma.sql`m.uploaded_at`, type: Prisma.sql`timestamptz`, nullable: false },
  takenAt: { column: Prisma.sql`m.taken_at`, type: Prisma.sql`timestamptz`, nullable: true },
  title: { column: Prisma.sql`lower(m.title)`, type: Prisma.sql`text`, nullable: false },
  fileSizeBytes: { column: Prisma.sql`m.file_size_bytes`, type: Prisma.sql`bigint`, nullable: false },
  durationSeconds: { column: Prisma.sql`m.duration_seconds`, type: Prisma.sql`numeric`, nullable: true },
  viewCount: { column: Prisma.sql`m.view_count`, type: Prisma.sql`integer`, nullable: false },
};

/**
 * One page of a user's files: ids in order, by keyset (no OFFSET), files without a value of the sort column last in
 * both directions. The rows themselves are read by id.
 */
export function mediaListPage(input: MediaListInput): Prisma.Sql {
  const { column, nullable } = SORT_COLUMNS[input.sort];
  const direction = input.order === 'asc' ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  // Without NULLS LAST where there are no nulls: the index on uploaded_at could not be used with it.
  const nullsLast = nullable ? Prisma.sql` NULLS LAST` : Prisma.empty;
  return Prisma.sql`
    SELECT m.id, ${column}::text AS key
    FROM media_files m
    WHERE ${Prisma.join(conditions(input), '\n      AND ')}
    ORDER BY ${column} ${direction}${nullsLast}, m.id ${direction}
    LIMIT ${input.limit + 1}::integer`;
}

function conditions({ userId, filter, isTrash, sort, order, after }: MediaListInput): Prisma.Sql[] {
  return [
    Prisma.sql`m.user_id = ${userId}::uuid`,
    isTrash
      ? Prisma.sql`m.deleted_at > now() - make_interval(days => ${TRASH_DAYS}::integer)`
      : Prisma.sql`m.deleted_at IS NULL`,
    // A list is the owner's own view: it shows private files unless told not to.
    ...(filter.includePrivate === false && !decidesPrivacy(filter) ? [Prisma.sql`NOT m.is_private`] : []),
    ...filterConditions(userId, filter, 'hash'),
    ...(after === null ? [] : [comesAfter(sort, order, after)]),
  ];
}

function comesAfter(sort: MediaSort, order: SortOrder, { key, id }: MediaListPosition): Prisma.Sql {
  const { column, type, nullable } = SORT_COLUMNS[sort];
  const beyond = order === 'asc' ? Prisma.sql`>` : Prisma.sql`<`;
  if (key === null) return Prisma.sql`(${column} IS NULL AND m.id ${beyond} ${id}::uuid)`;
  const further = Prisma.sql`(${column}, m.id) ${beyond} (${key}::${type}, ${id}::uuid)`;
  return nullable ? Prisma.sql`(${further} OR ${column} IS NULL)` : further;
}
