import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { BACKGROUND_JOB_TYPE } from '../jobs.types.js';

/** Above every score that a user's own job can have. */
const BACKGROUND_SCORE = 1_000;

export interface DispatchRow {
  userId: string;
  jobId: string;
  fencingToken: bigint;
  /** Smaller is sooner. */
  score: number;
}

export interface DispatchInput {
  /** How many messages the transport may hold in all. */
  window: number;
  /** A message is taken for lost, and its row is due again, after this. */
  redeliverAfterMs: number;
  /** How many jobs of the same user weigh as much as one level of priority. */
  jobsPerLevel: number;
  /** So many rows of one user are looked at in one round; bounds the work when very many users wait. */
  rowsPerUser: number;
}

/**
 * Picks the due rows that come next, marks them as handed out, and returns them.
 *
 * score = priority of the plan (1 = highest)
 *       - minutes waited: every minute is worth a level, so that nobody is starved
 *       + jobs of the same user before it / jobsPerLevel: one user's thousand files do not stop everybody else
 * Background work (re-embedding) comes after all of that, in the order it was written, and does not weigh on its user.
 *
 * Users with due rows are found by a loose index scan (one probe per user), because PostgreSQL has no skip scan before
 * version 18; of each user only the first rows are looked at, and the next ones in the next round.
 */
export const dispatchDueJobs = ({
  window,
  redeliverAfterMs,
  jobsPerLevel,
  rowsPerUser,
}: DispatchInput): Prisma.Sql => Prisma.sql`
  WITH RECURSIVE settings AS (
    SELECT now() - make_interval(secs => ${redeliverAfterMs / 1000}) AS lost_before
  ), outstanding AS (
    SELECT user_id, count(*) AS jobs, count(*) FILTER (WHERE job_type <> ${BACKGROUND_JOB_TYPE}) AS own_jobs
    FROM processing_jobs, settings
    WHERE status IN ('pending', 'retrying') AND dispatched_at > lost_before GROUP BY user_id
  ), running AS (
    SELECT user_id, count(*) AS own_jobs FROM processing_jobs
    WHERE status = 'processing' AND job_type <> ${BACKGROUND_JOB_TYPE} GROUP BY user_id
  ), waiting_users AS (
    (SELECT user_id FROM processing_jobs WHERE status IN ('pending', 'retrying') ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (
      SELECT next.user_id FROM processing_jobs next
      WHERE next.status IN ('pending', 'retrying') AND next.user_id > u.user_id ORDER BY next.user_id LIMIT 1)
    FROM waiting_users u WHERE u.user_id IS NOT NULL
  ), due AS (
    SELECT u.user_id, job.id, job.fencing_token, job.dispatched_at,
      CASE WHEN job.is_background
        THEN ${BACKGROUND_SCORE} + row_number() OVER (PARTITION BY job.is_background ORDER BY job.queued_at, job.id) / 1000.0
        ELSE job.priority - extract(epoch FROM now() - job.queued_at) / 60.0
          + (coalesce(outstanding.own_jobs, 0) + coalesce(running.own_jobs, 0)
              + row_number() OVER (PARTITION BY u.user_id, job.is_background ORDER BY job.queued_at, job.id) - 1)
            / ${jobsPerLevel}::numeric
      END AS score
    FROM waiting_users u CROSS JOIN settings
    LEFT JOIN outstanding USING (user_id) LEFT JOIN running USING (user_id)
    CROSS JOIN LATERAL (
      SELECT j.id, j.priority, j.queued_at, j.fencing_token, j.dispatched_at,
        j.job_type = ${BACKGROUND_JOB_TYPE} AS is_background
      FROM processing_jobs j
      WHERE j.user_id = u.user_id AND j.status IN ('pending', 'retrying')
        AND (j.retry_at IS NULL OR j.retry_at <= now()) AND j.cancel_requested_at IS NULL
        AND (j.dispatched_at IS NULL OR j.dispatched_at <= lost_before)
      ORDER BY j.queued_at, j.id LIMIT ${Math.min(window, rowsPerUser)}
    ) job
    WHERE u.user_id IS NOT NULL
  ), chosen AS (
    SELECT user_id, id, score FROM due
    ORDER BY score, id LIMIT (SELECT greatest(0, ${window} - coalesce(sum(jobs), 0)) FROM outstanding)
  ), locked AS (
    -- Another dispatcher may be at the same rows: what it holds is skipped, what it has just marked no longer matches.
    SELECT j.user_id, j.id, chosen.score FROM processing_jobs j JOIN chosen USING (user_id, id), settings
    WHERE j.status IN ('pending', 'retrying') AND (j.dispatched_at IS NULL OR j.dispatched_at <= lost_before)
    FOR UPDATE OF j SKIP LOCKED
  )
  UPDATE processing_jobs j SET dispatched_at = now() FROM locked
  WHERE j.user_id = locked.user_id AND j.id = locked.id
  RETURNING j.user_id AS "userId", j.id AS "jobId", j.fencing_token AS "fencingToken", locked.score::float8 AS score`;

export interface ExpiredLeaseRow {
  userId: string;
  jobId: string;
  mediaFileId: string | null;
  fencingToken: bigint;
}

/** Rows whose worker has not been heard of for the length of its lease. */
export const expiredLeases = (limit: number): Prisma.Sql => Prisma.sql`
  SELECT user_id AS "userId", id AS "jobId", media_file_id AS "mediaFileId", fencing_token AS "fencingToken"
  FROM processing_jobs WHERE status = 'processing' AND lease_expires_at < now()
  ORDER BY lease_expires_at LIMIT ${limit}`;

export interface MissedDependentRow {
  userId: string;
  mediaFileId: string | null;
}

/** Files (or users, for jobs without one) with a blocked job that waits for nothing any more. */
export const missedDependents = (limit: number): Prisma.Sql => Prisma.sql`
  SELECT DISTINCT j.user_id AS "userId", j.media_file_id AS "mediaFileId" FROM processing_jobs j
  WHERE j.status = 'blocked' AND NOT EXISTS (
    SELECT 1 FROM processing_jobs d
    WHERE d.user_id = j.user_id AND d.id = ANY (j.depends_on) AND d.status NOT IN ('completed', 'failed', 'cancelled'))
  LIMIT ${limit}`;

/**
 * Lets every blocked job start whose dependencies have all ended, in whatever way. A dependency that was deleted has
 * ended, too.
 * @param mediaFileId only this file's jobs, or the jobs without a file
 */
export const unblockDependents = (userId: string, mediaFileId: string | null): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs j SET status = 'pending'
  WHERE j.user_id = ${userId}::uuid AND j.media_file_id IS NOT DISTINCT FROM ${mediaFileId}::uuid AND j.status = 'blocked'
    AND NOT EXISTS (
      SELECT 1 FROM processing_jobs d
      WHERE d.user_id = j.user_id AND d.id = ANY (j.depends_on)
        AND d.status NOT IN ('completed', 'failed', 'cancelled'))`;

/** The queue in figures, for operators. Ages in seconds. */
export const queueFigures = (): Prisma.Sql => Prisma.sql`
  SELECT status, job_type AS "jobType", count(*)::int AS jobs,
    max(extract(epoch FROM now() - queued_at)) FILTER (
      WHERE status = 'pending' OR (status = 'retrying' AND retry_at <= now()))::float8 AS "oldestDueSeconds"
  FROM processing_jobs WHERE status IN ('blocked', 'pending', 'retrying', 'processing') GROUP BY status, job_type`;

export interface QueueFigureRow {
  status: string;
  jobType: string;
  jobs: number;
  oldestDueSeconds: number | null;
}
