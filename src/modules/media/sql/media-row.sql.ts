import { Prisma } from '../../../infrastructure/database/generated/client.js';

/**
 * Locks one file's row to the end of the transaction, so that two changes of its state follow each other. Not FOR
 * UPDATE, which would also stop new rows that refer to the file.
 */
export const lockMediaRow = (userId: string, id: string): Prisma.Sql => Prisma.sql`
    SELECT id FROM media_files WHERE user_id = ${userId}::uuid AND id = ${id}::uuid FOR NO KEY UPDATE`;

/** True when a file's trash period is not over: it may still be brought back. By the database's clock, as the purge. */
export const isRestorable = (userId: string, id: string, trashDays: number): Prisma.Sql => Prisma.sql`
    SELECT deleted_at > now() - make_interval(days => ${trashDays}::integer) AS restorable
    FROM media_files WHERE user_id = ${userId}::uuid AND id = ${id}::uuid AND deleted_at IS NOT NULL`;

/** Files of all users whose trash period is over, oldest first. For the system. */
export const purgeableFiles = (trashDays: number, limit: number): Prisma.Sql => Prisma.sql`
    SELECT user_id AS "userId", id FROM media_files
    WHERE deleted_at <= now() - make_interval(days => ${trashDays}::integer)
    ORDER BY deleted_at
    LIMIT ${limit}::integer`;

/** Counts one look at a file. Gives no row when there is no such file. */
export const countView = (userId: string, id: string): Prisma.Sql => Prisma.sql`
    UPDATE media_files SET view_count = view_count + 1, last_viewed_at = now()
    WHERE user_id = ${userId}::uuid AND id = ${id}::uuid AND deleted_at IS NULL
    RETURNING view_count AS "viewCount", last_viewed_at AS "lastViewedAt"`;
