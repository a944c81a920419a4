import { prepared } from '../../../infrastructure/database/prepared.js';
import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { BACKGROUND_JOB_TYPE } from '../jobs.types.js';

/** The newest job of one kind for one file: what an older one of that kind did is history. */
export interface CurrentJobRow {
  mediaFileId: string;
  jobType: string;
  status: string;
  progressPercentage: number;
  errorCode: string | null;
  errorMessage: string | null;
  hint: string | null;
}

/** Without background work, which neither delays nor fails a file's analysis. */
export const currentJobsOfMedia = (userId: string, mediaFileIds: string[]): Prisma.Sql =>
  prepared(Prisma.sql`
  SELECT DISTINCT ON (media_file_id, job_type) media_file_id AS "mediaFileId", job_type AS "jobType", status,
    progress_percentage AS "progressPercentage", error_code AS "errorCode", error_message AS "errorMessage", hint
  FROM processing_jobs
  WHERE user_id = ${userId}::uuid AND media_file_id = ANY (${mediaFileIds}::uuid[])
    AND job_type <> ${BACKGROUND_JOB_TYPE}
  ORDER BY media_file_id, job_type, created_at DESC, id DESC`);

/**
 * Lets one transaction at a time end jobs of a file: two jobs that end at once would each see the other as running,
 * and the job that waits for both would never start. Not FOR UPDATE, which would also stop new rows that refer to the
 * file.
 */
export const lockMedia = (userId: string, mediaFileId: string): Prisma.Sql => Prisma.sql`
  SELECT status, status_reason AS "statusReason", processing_error AS "processingError", deleted_at AS "deletedAt"
  FROM media_files WHERE user_id = ${userId}::uuid AND id = ${mediaFileId}::uuid FOR NO KEY UPDATE`;

export interface LockedMediaRow {
  status: string;
  statusReason: string | null;
  processingError: string | null;
  deletedAt: Date | null;
}

/** Which plan the user is on now, and how urgent its jobs are. */
export const planPriority = (userId: string): Prisma.Sql => Prisma.sql`
  SELECT u.subscription_tier AS "tier", coalesce(l.priority_level, 5) AS "priority"
  FROM users u LEFT JOIN current_usage_limits l ON l.tier_name = u.subscription_tier WHERE u.id = ${userId}::uuid`;

/** Cancels what waits and asks what runs to stop; for a file that goes away. */
export const cancelJobsOfMedia = (userId: string, mediaFileId: string): Prisma.Sql => Prisma.sql`
  UPDATE processing_jobs SET
    status = CASE WHEN status = 'processing' THEN status ELSE 'cancelled' END,
    completed_at = CASE WHEN status = 'processing' THEN completed_at ELSE now() END,
    cancel_requested_at = coalesce(cancel_requested_at, now())
  WHERE user_id = ${userId}::uuid AND media_file_id = ${mediaFileId}::uuid
    AND status IN ('blocked', 'pending', 'retrying', 'processing')`;
