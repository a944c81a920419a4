import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { Prisma, ProcessingJob } from '../../infrastructure/database/generated/client.js';
import { BACKGROUND_JOB_TYPE, BACKGROUND_PRIORITY, JOB_CATALOGUE, type JobType } from './jobs.types.js';
import {
  cancelJobsOfMedia,
  currentJobsOfMedia,
  lockMedia,
  planPriority,
  type CurrentJobRow,
  type LockedMediaRow,
} from './sql/media-jobs.sql.js';

export interface JobFilter {
  userId?: string;
  status?: string;
  jobType?: string;
  mediaFileId?: string;
  /** Only jobs older than this one. */
  beforeId?: string;
  limit: number;
}

export interface JobToInsert {
  id: string;
  jobType: string;
  mediaFileId: string | null;
  dependsOn: string[];
  config: Record<string, unknown>;
  retryOf?: string;
}

/** Queries about jobs, apart from the state machine's own (sql/lease.sql.ts). */
@Injectable()
export class JobsRepository {
  findById(tx: Transaction, userId: string, id: string): Promise<ProcessingJob | null> {
    return tx.processingJob.findFirst({ where: { userId, id } });
  }

  /** Newest first: ids are UUIDv7, so their order is the order of creation. */
  list(tx: Transaction, filter: JobFilter): Promise<ProcessingJob[]> {
    const { userId, status, jobType, mediaFileId, beforeId, limit } = filter;
    return tx.processingJob.findMany({
      where: { userId, status, jobType, mediaFileId, ...(beforeId ? { id: { lt: beforeId } } : {}) },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }

  /** All jobs of a file, in the order they were written. */
  ofMedia(tx: Transaction, userId: string, mediaFileId: string): Promise<ProcessingJob[]> {
    return tx.processingJob.findMany({
      where: { userId, mediaFileId },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    });
  }

  /** The newest job of each kind, for each of these files. */
  currentOfMedia(tx: Transaction, userId: string, mediaFileIds: string[]): Promise<CurrentJobRow[]> {
    return tx.$queryRaw<CurrentJobRow[]>(currentJobsOfMedia(userId, mediaFileIds));
  }

  async lockMedia(tx: Transaction, userId: string, mediaFileId: string): Promise<LockedMediaRow | null> {
    const [row] = await tx.$queryRaw<LockedMediaRow[]>(lockMedia(userId, mediaFileId));
    return row ?? null;
  }

  /** Writes rows with the tier and the priority of the user's present plan; those that wait for others are blocked. */
  async insert(tx: Transaction, userId: string, jobs: JobToInsert[]): Promise<void> {
    const [plan] = await tx.$queryRaw<{ tier: string; priority: number }[]>(planPriority(userId));
    if (!plan) throw new Error('jobs cannot be written: the user is gone');
    await tx.processingJob.createMany({
      data: jobs.map((job) => ({
        userId,
        id: job.id,
        mediaFileId: job.mediaFileId,
        jobType: job.jobType,
        status: job.dependsOn.length > 0 ? 'blocked' : 'pending',
        priority: job.jobType === BACKGROUND_JOB_TYPE ? BACKGROUND_PRIORITY : plan.priority,
        dependsOn: job.dependsOn,
        jobConfig: job.config as Prisma.InputJsonObject,
        subscriptionTier: plan.tier,
        maxAttempts: JOB_CATALOGUE[job.jobType as JobType].maxAttempts,
        retryOf: job.retryOf ?? null,
      })),
    });
  }

  async addDependencies(tx: Transaction, userId: string, id: string, dependsOn: string[]): Promise<void> {
    await tx.processingJob.updateMany({
      where: { userId, id, status: 'blocked' },
      data: { dependsOn: { push: dependsOn } },
    });
  }

  async cancelForMedia(tx: Transaction, userId: string, mediaFileId: string): Promise<number> {
    return tx.$executeRaw(cancelJobsOfMedia(userId, mediaFileId));
  }
}
