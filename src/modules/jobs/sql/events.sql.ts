import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { JobResponse } from '../dto/job.dto.js';

export interface ChangedJobRow {
  id: string;
  /** updated_at in microseconds since 1970; a JavaScript date would cut it to milliseconds. */
  micros: bigint;
  /** Filled in for rows that are new to the stream. */
  job?: JobResponse;
}

const microsOf = (time: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`(extract(epoch FROM ${time}) * 1000000)::bigint`;
const timeOf = (micros: bigint): Prisma.Sql => Prisma.sql`
  (timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond')`;

/** Jobs of the user that changed at or after `since`, in the order of their change; `after` is the page before's last row. */
export const changedJobs = (
  userId: string,
  since: bigint,
  after: Pick<ChangedJobRow, 'id' | 'micros'> | null,
  limit: number,
): Prisma.Sql => Prisma.sql`
  SELECT id, ${microsOf(Prisma.sql`updated_at`)} AS micros FROM processing_jobs
  WHERE user_id = ${userId}::uuid AND ${
    after
      ? Prisma.sql`(updated_at, id) > (${timeOf(after.micros)}, ${after.id}::uuid)`
      : Prisma.sql`updated_at >= ${timeOf(since)}`
  }
  ORDER BY updated_at, id LIMIT ${limit}`;

export const databaseMicros = (): Prisma.Sql => Prisma.sql`SELECT ${microsOf(Prisma.sql`now()`)} AS micros`;
