import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { isUnavailable } from '../../infrastructure/database/sql-state.js';
import { backoffMs } from './backoff.js';
import { workerLost } from './job-failures.js';
import type { JobFailure, JobResult } from './jobs.types.js';
import { lockMediaFile, refreshMediaStatus } from './media-status.js';
import { unblockDependents } from './sql/dispatch.sql.js';
import {
  cancelHeldJob,
  cancelWaitingJob,
  checkLease,
  claimJob,
  completeJob,
  failJob,
  lockLease,
  noteProgress,
  releaseJob,
  renewLease,
  retryJobLater,
  type ClaimRow,
  type LeaseKey,
} from './sql/lease.sql.js';

/** A lease with what is needed to end it. */
export interface Lease extends LeaseKey {
  mediaFileId: string | null;
}

export interface ClaimedJob {
  lease: Lease;
  jobType: string;
  config: Record<string, unknown>;
  attempt: number;
}

export type LeaseState = 'held' | 'cancelled' | 'lost';
export type EndOutcome = 'completed' | 'failed' | 'retrying' | 'cancelled' | 'released' | 'lost';

/** How often, and how long apart at most, the end of a job is written again while the database is away. */
const END_TRIES = 6;
const END_MAX_WAIT_MS = 4_000;

/**
 * The state machine of a job row. Every change is made in the name of the row's owner, so that row-level security
 * covers workers as well (C64), and carries the fencing token of the lease, so that a worker which lost it changes
 * nothing. Whoever ends a job holds its file's lock: see lockMedia.
 */
@Injectable()
export class JobLifecycle {
  constructor(@Inject(Database) private readonly database: Database) {}

  /**
   * Takes the lease of a due job.
   * @returns null when there is nothing to do; `not-found` also for ids of other users' jobs
   */
  claim(
    key: { userId: string; jobId: string },
    worker: { workerId: string; leaseSeconds: number },
  ): Promise<ClaimedJob | 'not-found' | 'not-due'> {
    return this.asOwner(key.userId, async (tx) => {
      const row = await tx.processingJob.findFirst({
        where: { userId: key.userId, id: key.jobId },
        select: { mediaFileId: true },
      });
      if (!row) return 'not-found';
      await lockMediaFile(tx, key.userId, row.mediaFileId);
      const [claim] = await tx.$queryRaw<ClaimRow[]>(
        claimJob(key, { workerId: worker.workerId, seconds: worker.leaseSeconds }),
      );
      if (!claim) return 'not-due';
      if (claim.mediaFileId) await refreshMediaStatus(tx, key.userId, claim.mediaFileId);
      return {
        lease: { ...key, mediaFileId: claim.mediaFileId, fencingToken: claim.fencingToken },
        jobType: claim.jobType,
        config: claim.config,
        attempt: claim.attempt,
      };
    });
  }

  renew(lease: Lease, leaseSeconds: number): Promise<LeaseState> {
    return this.ask(lease, (tx) => tx.$queryRaw<CancelRow[]>(renewLease(lease, leaseSeconds)));
  }

  check(lease: Lease): Promise<LeaseState> {
    return this.ask(lease, (tx) => tx.$queryRaw<CancelRow[]>(checkLease(lease)));
  }

  progress(lease: Lease, percentage: number, step: string): Promise<LeaseState> {
    return this.ask(lease, (tx) => tx.$queryRaw<CancelRow[]>(noteProgress(lease, percentage, step)));
  }

  /**
   * Saves the result: effects, status and what may start next, all or nothing. Tried again for some seconds while the
   * database is away, because the work is done.
   * @throws whatever `result.commit` throws, after a rollback
   */
  complete(lease: Lease, result: JobResult): Promise<EndOutcome> {
    return this.end(lease, async (tx, row) => {
      if (row.cancelRequested) {
        await tx.$executeRaw(cancelHeldJob(lease));
        return 'cancelled';
      }
      await result.commit?.(tx);
      await tx.$executeRaw(completeJob(lease, result.data ? JSON.stringify(result.data) : null));
      return 'completed';
    });
  }

  /** Ends an attempt that failed: tried again later while attempts are left and the failure may pass, over otherwise. */
  fail(lease: Lease, failure: JobFailure, backoffBaseMs: number): Promise<EndOutcome> {
    return this.end(lease, async (tx, row) => {
      if (row.cancelRequested) {
        await tx.$executeRaw(cancelHeldJob(lease));
        return 'cancelled';
      }
      if (failure.retryable && row.attempts < row.maxAttempts) {
        await tx.$executeRaw(retryJobLater(lease, failure, backoffMs(row.attempts, backoffBaseMs)));
        return 'retrying';
      }
      await tx.$executeRaw(failJob(lease, failure));
      return 'failed';
    });
  }

  cancelHeld(lease: Lease): Promise<EndOutcome> {
    return this.end(lease, async (tx) => {
      await tx.$executeRaw(cancelHeldJob(lease));
      return 'cancelled';
    });
  }

  /** Gives a job back that the worker has no time for any more; the attempt does not count. */
  release(lease: Lease): Promise<EndOutcome> {
    return this.end(lease, async (tx, row) => {
      await tx.$executeRaw(row.cancelRequested ? cancelHeldJob(lease) : releaseJob(lease));
      return row.cancelRequested ? 'cancelled' : 'released';
    });
  }

  /**
   * Takes a job away from a worker that has not renewed its lease in time. The next attempt may start at once: the
   * length of the lease was wait enough.
   */
  expire(lease: Lease): Promise<EndOutcome> {
    return this.end(lease, async (tx, row) => {
      // It may have been renewed since the reconciler looked.
      if (!row.expired) return 'lost';
      if (row.cancelRequested) {
        await tx.$executeRaw(cancelHeldJob(lease));
        return 'cancelled';
      }
      const last = row.attempts >= row.maxAttempts;
      await tx.$executeRaw(last ? failJob(lease, workerLost()) : retryJobLater(lease, workerLost(), 0));
      return last ? 'failed' : 'retrying';
    });
  }

  /** Cancels a job that nobody works on. False when it is running or over. Part of the caller's transaction. */
  async cancelWaiting(
    tx: Transaction,
    key: { userId: string; jobId: string },
    mediaFileId: string | null,
  ): Promise<boolean> {
    await lockMediaFile(tx, key.userId, mediaFileId);
    const cancelled = await tx.$executeRaw(cancelWaitingJob(key.userId, key.jobId));
    if (cancelled > 0) await this.settle(tx, key.userId, mediaFileId);
    return cancelled > 0;
  }

  /** Starts what was waiting for jobs of this file that have ended, and brings the file's status in line. */
  settleMedia(userId: string, mediaFileId: string | null): Promise<void> {
    return this.asOwner(userId, async (tx) => {
      await lockMediaFile(tx, userId, mediaFileId);
      await this.settle(tx, userId, mediaFileId);
    });
  }

  private async settle(tx: Transaction, userId: string, mediaFileId: string | null): Promise<void> {
    await tx.$executeRaw(unblockDependents(userId, mediaFileId));
    if (mediaFileId) await refreshMediaStatus(tx, userId, mediaFileId);
  }

  private async end(
    lease: Lease,
    write: (tx: Transaction, row: LockedRow) => Promise<EndOutcome>,
  ): Promise<EndOutcome> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.asOwner(lease.userId, async (tx) => {
          await lockMediaFile(tx, lease.userId, lease.mediaFileId);
          const [row] = await tx.$queryRaw<LockedRow[]>(lockLease(lease));
          if (!row) return 'lost';
          const outcome = await write(tx, row);
          if (outcome !== 'lost') await this.settle(tx, lease.userId, lease.mediaFileId);
          return outcome;
        });
      } catch (error) {
        if (!isUnavailable(error) || attempt >= END_TRIES) throw error;
        await sleep(Math.min(END_MAX_WAIT_MS, 100 * 2 ** attempt));
      }
    }
  }

  private ask(lease: Lease, query: (tx: Transaction) => Promise<CancelRow[]>): Promise<LeaseState> {
    return this.asOwner(lease.userId, async (tx) => {
      const [row] = await query(tx);
      if (!row) return 'lost';
      return row.cancelRequested ? 'cancelled' : 'held';
    });
  }

  private asOwner<T>(userId: string, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.runAs({ kind: 'user', userId }, fn);
  }
}

interface CancelRow {
  cancelRequested: boolean;
}

interface LockedRow extends CancelRow {
  expired: boolean;
  attempts: number;
  maxAttempts: number;
}
