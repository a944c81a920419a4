import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** What a user's files add up to, exactly as the trigger `update_user_storage` counts them; 0 for none. */
const bytesOfFiles = (userId: Prisma.Sql): Prisma.Sql => Prisma.sql`
  SELECT coalesce(sum(m.file_size_bytes + m.derivative_bytes), 0)::bigint AS bytes
  FROM media_files m WHERE m.user_id = ${userId} AND m.deleted_at IS NULL`;

export interface CounterRow {
  id: string;
  differs: boolean;
}

/** The next users by id, and whose counter is not what the files add up to at this moment. */
export const compareCounters = (after: string, limit: number): Prisma.Sql => Prisma.sql`
  SELECT u.id, u.storage_used_bytes <> files.bytes AS differs
  FROM (SELECT id, storage_used_bytes FROM users WHERE id > ${after}::uuid ORDER BY id LIMIT ${limit}::integer) u
  CROSS JOIN LATERAL (${bytesOfFiles(Prisma.sql`u.id`)}) files ORDER BY u.id`;

/** Holds everything back that moves the user's counter; files may still refer to the user. */
export const lockCounter = (userId: string): Prisma.Sql => Prisma.sql`
  SELECT FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;

/** A statement of its own behind the lock, so that it sees the files of whoever held the lock before. */
export const correctCounter = (userId: string): Prisma.Sql => Prisma.sql`
  UPDATE users u SET storage_used_bytes = files.bytes
  FROM (${bytesOfFiles(Prisma.sql`${userId}::uuid`)}) files
  WHERE u.id = ${userId}::uuid AND u.storage_used_bytes <> files.bytes`;
