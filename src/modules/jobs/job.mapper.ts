import type { ProcessingJob } from '../../infrastructure/database/generated/client.js';
import type { AdminJobResponse, JobResponse } from './dto/job.dto.js';

/** What a job's owner sees of it. */
export function toJobResponse(job: ProcessingJob): JobResponse {
  return {
    id: job.id,
    mediaFileId: job.mediaFileId,
    jobType: job.jobType,
    status: job.status,
    priority: job.priority,
    progressPercentage: job.progressPercentage,
    step: job.step,
    attempts: job.attempts,
    maxAttempts: job.maxAttempts,
    errorCode: job.errorCode,
    errorMessage: job.errorMessage,
    hint: job.hint,
    retryOf: job.retryOf,
    retryAt: job.retryAt?.toISOString() ?? null,
    queuedAt: job.queuedAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    completedAt: job.completedAt?.toISOString() ?? null,
    estimatedCompletionAt: job.estimatedCompletionAt?.toISOString() ?? null,
    // toFixed without digits: all of them, never an exponent.
    estimatedCost: job.estimatedCost?.toFixed() ?? null,
    actualCost: job.actualCost?.toFixed() ?? null,
    currency: job.costCurrency,
  };
}

/** What an administrator sees of anybody's job. */
export function toAdminJobResponse(job: ProcessingJob): AdminJobResponse {
  return {
    ...toJobResponse(job),
    userId: job.userId,
    subscriptionTier: job.subscriptionTier,
    lockedBy: job.lockedBy,
    leaseExpiresAt: job.leaseExpiresAt?.toISOString() ?? null,
  };
}
