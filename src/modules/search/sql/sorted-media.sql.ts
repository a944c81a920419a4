import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** `relevance` is the order of the ranking itself; the others are those of the media list. */
export const SEARCH_SORTS = [
  'relevance',
  'uploadedAt',
  'takenAt',
  'title',
  'fileSizeBytes',
  'durationSeconds',
  'viewCount',
] as const;
export type SearchSort = (typeof SEARCH_SORTS)[number];
export type ColumnSort = Exclude<SearchSort, 'relevance'>;

const COLUMNS: Record<ColumnSort, Prisma.Sql> = {
  uploadedAt: Prisma.sql`m.uploaded_at`,
  takenAt: Prisma.sql`m.taken_at`,
  title: Prisma.sql`lower(m.title)`,
  fileSizeBytes: Prisma.sql`m.file_size_bytes`,
  durationSeconds: Prisma.sql`m.duration_seconds`,
  viewCount: Prisma.sql`m.view_count`,
};

/**
 * Of the files found, the first `limit` in the order of a column; those without a value (a picture has no duration) come
 * last in both directions, and equal values keep the order of the ranking, in which `mediaFileIds` are given.
 */
export function sortedMediaQuery(input: {
  userId: string;
  mediaFileIds: string[];
  sort: ColumnSort;
  order: 'asc' | 'desc';
  limit: number;
}): Prisma.Sql {
  const direction = input.order === 'asc' ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  return Prisma.sql`SELECT found.id
FROM unnest(${input.mediaFileIds}::uuid[]) WITH ORDINALITY AS found(id, position)
JOIN media_files m ON m.user_id = ${input.userId}::uuid AND m.id = found.id
ORDER BY ${COLUMNS[input.sort]} ${direction} NULLS LAST, found.position
LIMIT ${input.limit}::integer`;
}
