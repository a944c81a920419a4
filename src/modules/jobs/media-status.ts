import type { Transaction } from '../../infrastructure/database/database.js';
import {
  currentJobsOfMedia,
  lockMedia,
  type CurrentJobRow,
  type LockedMediaRow,
} from './sql/media-jobs.sql.js';

type JobOutcome = Pick<CurrentJobRow, 'jobType' | 'status' | 'errorCode' | 'errorMessage' | 'hint'>;

export interface MediaStatus {
  status: 'queued' | 'processing' | 'completed' | 'failed';
  statusReason: 'blocked_budget' | 'partial' | null;
  /** What went wrong and what to do, for `failed` only. */
  processingError: string | null;
}

/** Without a probe nothing is known of a file, without embeddings it is not found: the others only make it poorer. */
const DECISIVE = ['media_probe', 'embedding_generation'];
const ENDED = new Set(['completed', 'failed', 'cancelled']);
const UNTOUCHED = new Set(['pending', 'blocked']);

/**
 * What the newest jobs of a file, one of each kind, make of its status; null when there are none.
 * failed: a decisive job has failed or was cancelled. completed: all have ended (`partial` when another one failed).
 */
export function mediaStatusOf(jobs: JobOutcome[]): MediaStatus | null {
  if (jobs.length === 0) return null;
  const failed = jobs.filter((job) => job.status === 'failed' || job.status === 'cancelled');
  const overBudget = failed.some((job) => job.errorCode === 'budget-exhausted');
  const decisive = failed.find((job) => DECISIVE.includes(job.jobType));
  if (decisive) {
    return {
      status: 'failed',
      statusReason: overBudget ? 'blocked_budget' : null,
      processingError: explain(decisive),
    };
  }
  if (jobs.every((job) => ENDED.has(job.status))) {
    const statusReason = overBudget ? 'blocked_budget' : failed.length > 0 ? 'partial' : null;
    return { status: 'completed', statusReason, processingError: null };
  }
  const status = jobs.every((job) => UNTOUCHED.has(job.status)) ? 'queued' : 'processing';
  return { status, statusReason: null, processingError: null };
}

function explain(job: JobOutcome): string {
  if (job.status === 'cancelled') {
    return `The step ${job.jobType} was cancelled. Ask for a new analysis of the file to have it done.`;
  }
  return [job.errorMessage ?? `The step ${job.jobType} failed.`, job.hint].filter(Boolean).join(' ');
}

/**
 * Brings `media_files.status` in line with the file's jobs. To be called in every transaction that writes, starts or
 * ends a job of the file; it holds the file's lock from then on. Nothing happens to files that are archived or gone.
 */
export async function refreshMediaStatus(
  tx: Transaction,
  userId: string,
  mediaFileId: string,
): Promise<void> {
  const [media] = await tx.$queryRaw<LockedMediaRow[]>(lockMedia(userId, mediaFileId));
  if (!media || media.status === 'archived') return;
  const next = mediaStatusOf(await tx.$queryRaw<CurrentJobRow[]>(currentJobsOfMedia(userId, [mediaFileId])));
  if (!next) return;
  // A quarantine is lifted by whoever set it, not by a job.
  const statusReason = media.statusReason === 'quarantined' ? media.statusReason : next.statusReason;
  if (
    next.status === media.status &&
    statusReason === media.statusReason &&
    next.processingError === media.processingError
  ) {
    return;
  }
  const changed = next.status !== media.status;
  const now = new Date();
  await tx.mediaFile.updateMany({
    where: { userId, id: mediaFileId },
    data: {
      status: next.status,
      statusReason,
      processingError: next.processingError,
      ...(changed && next.status === 'queued'
        ? { processingStartedAt: null, processingCompletedAt: null }
        : {}),
      ...(changed && next.status === 'processing'
        ? { processingStartedAt: now, processingCompletedAt: null }
        : {}),
      ...(changed && (next.status === 'completed' || next.status === 'failed')
        ? { processingCompletedAt: now }
        : {}),
    },
  });
}

/** Takes the file's lock, which every transaction that ends jobs of the file takes first. False when it is gone. */
export async function lockMediaFile(
  tx: Transaction,
  userId: string,
  mediaFileId: string | null,
): Promise<boolean> {
  if (mediaFileId === null) return true;
  const rows = await tx.$queryRaw<LockedMediaRow[]>(lockMedia(userId, mediaFileId));
  return rows.length > 0;
}
