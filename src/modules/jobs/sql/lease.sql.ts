import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** A job as its worker got it. */
export interface ClaimRow {
  mediaFileId: string | null;
  jobType: string;
  config: Record<string, unknown>;
  attempt: number;
  fencingToken: bigint;
}

/** Names one lease of one row: `fencingToken` grows with every lease, so an older holder matches nothing (threat B3). */
export interface LeaseKey {
  userId: string;
  jobId: string;
  fencingToken: bigint;
}

const held = ({ userId, jobId, fencingToken }: LeaseKey): Prisma.Sql => Prisma.sql`
  user_id = ${userId}::uuid AND id = ${jobId}::uuid AND status = 'processing' AND fencing_token = ${fencingToken}`;

/**
 * Gives the lease of a due row to a worker; no row when it is not due, taken, cancelled, or its file is in the trash.
 * The expected end is now + the median time of the user's own last jobs of this kind that ended at the first attempt
 * (never other users' jobs: their times are theirs), or NULL when there are fewer than three.
 */
export const claimJob = (
  key: { userId: string; jobId: string },
  lease: { workerId: string; seconds: number },
): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs j SET status = 'processing', attempts = attempts + 1, fencing_token = fencing_token + 1,
    locked_by = ${lease.workerId}, lease_expires_at = now() + make_interval(secs => ${lease.seconds}),
    started_at = coalesce(started_at, now()), retry_at = NULL,
    estimated_completion_at = now() + (
      SELECT CASE WHEN count(*) >= 3 THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY r.completed_at - r.started_at) END
      FROM (
        SELECT recent.job_type, recent.status, recent.attempts, recent.started_at, recent.completed_at
        FROM processing_jobs recent WHERE recent.user_id = ${key.userId}::uuid
        ORDER BY recent.created_at DESC, recent.id DESC LIMIT 200
      ) r
      WHERE r.job_type = j.job_type AND r.status = 'completed' AND r.attempts = 1)
  WHERE j.user_id = ${key.userId}::uuid AND j.id = ${key.jobId}::uuid AND j.status IN ('pending', 'retrying')
    AND (j.retry_at IS NULL OR j.retry_at <= now()) AND j.attempts < j.max_attempts AND j.cancel_requested_at IS NULL
    AND NOT EXISTS (
      SELECT 1 FROM media_files m
      WHERE m.user_id = j.user_id AND m.id = j.media_file_id AND m.deleted_at IS NOT NULL)
  RETURNING j.media_file_id AS "mediaFileId", j.job_type AS "jobType", j.job_config AS "config",
    j.attempts AS "attempt", j.fencing_token AS "fencingToken"`;

/** Prolongs a lease that is still the caller's. No row = lost. */
export const renewLease = (lease: LeaseKey, seconds: number): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET lease_expires_at = now() + make_interval(secs => ${seconds})
  WHERE ${held(lease)} RETURNING cancel_requested_at IS NOT NULL AS "cancelRequested"`;

export const checkLease = (lease: LeaseKey): Prisma.Sql => Prisma.sql`
  SELECT cancel_requested_at IS NOT NULL AS "cancelRequested" FROM processing_jobs WHERE ${held(lease)}`;

/** As checkLease, and nobody else can touch the row before the transaction ends. */
export const lockLease = (lease: LeaseKey): Prisma.Sql => Prisma.sql`
  SELECT cancel_requested_at IS NOT NULL AS "cancelRequested", lease_expires_at < now() AS "expired", attempts,
    max_attempts AS "maxAttempts"
  FROM processing_jobs WHERE ${held(lease)} FOR UPDATE`;

/** The trigger keeps the larger of the old and the new percentage. */
export const noteProgress = (lease: LeaseKey, percentage: number, step: string): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET progress_percentage = greatest(progress_percentage, ${percentage}), step = ${step}
  WHERE ${held(lease)} RETURNING cancel_requested_at IS NOT NULL AS "cancelRequested"`;

export const completeJob = (lease: LeaseKey, resultData: string | null): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET status = 'completed', progress_percentage = 100, completed_at = now(),
    result_data = ${resultData}::jsonb, lease_expires_at = NULL, locked_by = NULL, estimated_completion_at = NULL,
    error_code = NULL, error_message = NULL, hint = NULL
  WHERE ${held(lease)}`;

export interface FailureText {
  code: string;
  message: string;
  hint: string;
}

/** Gives the row back for a later attempt. `delayMs` counts from the database's clock. */
export const retryJobLater = (
  lease: LeaseKey,
  failure: FailureText,
  delayMs: number,
): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET status = 'retrying', retry_at = now() + make_interval(secs => ${delayMs / 1000}),
    lease_expires_at = NULL, locked_by = NULL, dispatched_at = NULL, estimated_completion_at = NULL,
    error_code = ${failure.code}, error_message = ${failure.message}, hint = ${failure.hint}
  WHERE ${held(lease)}`;

export const failJob = (lease: LeaseKey, failure: FailureText): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET status = 'failed', completed_at = now(),
    lease_expires_at = NULL, locked_by = NULL, estimated_completion_at = NULL,
    error_code = ${failure.code}, error_message = ${failure.message}, hint = ${failure.hint}
  WHERE ${held(lease)}`;

export const cancelHeldJob = (lease: LeaseKey): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET status = 'cancelled', completed_at = now(), lease_expires_at = NULL, locked_by = NULL,
    estimated_completion_at = NULL
  WHERE ${held(lease)}`;

/** Gives the row back as if it had never been taken: a worker that shuts down is no failed attempt (threat B15). */
export const releaseJob = (lease: LeaseKey): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET status = 'pending', attempts = greatest(attempts - 1, 0), lease_expires_at = NULL,
    locked_by = NULL, dispatched_at = NULL, estimated_completion_at = NULL
  WHERE ${held(lease)}`;

/** Cancels a row nobody works on; a running one is asked to stop instead (see requestCancel). */
export const cancelWaitingJob = (userId: string, jobId: string): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET status = 'cancelled', completed_at = now(), cancel_requested_at = now()
  WHERE user_id = ${userId}::uuid AND id = ${jobId}::uuid AND status IN ('blocked', 'pending', 'retrying')`;

export const requestCancel = (userId: string, jobId: string): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET cancel_requested_at = coalesce(cancel_requested_at, now())
  WHERE user_id = ${userId}::uuid AND id = ${jobId}::uuid AND status = 'processing'`;

/** Money spent by a job, whether or not it still holds its lease. Decimal strings. */
export const addJobCost = (
  userId: string,
  jobId: string,
  estimated: string,
  actual: string,
): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET estimated_cost = coalesce(estimated_cost, 0) + ${estimated}::numeric,
    actual_cost = coalesce(actual_cost, 0) + ${actual}::numeric
  WHERE user_id = ${userId}::uuid AND id = ${jobId}::uuid`;
