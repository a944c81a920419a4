import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { ProcessingJob } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import { JOB_TRANSPORT, type JobTransport } from '../../infrastructure/queue/job-transport.js';
import type {
  AdminJobListQuery,
  AdminJobPage,
  JobListQuery,
  JobPage,
  JobResponse,
  QueueReport,
} from './dto/job.dto.js';
import { JobDispatcher } from './job-dispatcher.js';
import { JobLifecycle } from './job-lifecycle.js';
import { JobRunner } from './job-runner.js';
import { toAdminJobResponse, toJobResponse } from './job.mapper.js';
import { JobsRepository } from './jobs.repository.js';
import type { JobSummary, NewJob } from './jobs.types.js';
import { refreshMediaStatus } from './media-status.js';
import { planRetry, type PlannedJob } from './retry-plan.js';
import { queueFigures, unblockDependents, type QueueFigureRow } from './sql/dispatch.sql.js';
import { requestCancel } from './sql/lease.sql.js';

/** Jobs as the rest of the product and their owners see them. Acts for the user of the current scope. */
@Injectable()
export class JobsService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(JobsRepository) private readonly repository: JobsRepository,
    @Inject(JobLifecycle) private readonly lifecycle: JobLifecycle,
    @Inject(JobDispatcher) private readonly dispatcher: JobDispatcher,
    @Inject(JobRunner) private readonly runner: JobRunner,
    @Inject(JOB_TRANSPORT) private readonly transport: JobTransport,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /**
   * Writes jobs of the current user in the caller's transaction: they exist if and only if what they belong to does.
   * Priority and tier come from the user's plan. Call `wake` once the transaction has committed.
   */
  async enqueue(tx: Transaction, jobs: NewJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const userId = currentUserId();
    await this.repository.insert(
      tx,
      userId,
      jobs.map((job) => ({ ...job, dependsOn: job.dependsOn ?? [], config: job.config ?? {} })),
    );
    const own = new Set(jobs.map((job) => job.id));
    const waitsForOthers = jobs.some((job) => job.dependsOn?.some((id) => !own.has(id)));
    for (const mediaFileId of new Set(jobs.map((job) => job.mediaFileId))) {
      // Jobs of an earlier batch may have ended already, and would never wake these.
      if (waitsForOthers) await tx.$executeRaw(unblockDependents(userId, mediaFileId));
      await refreshMediaStatus(tx, userId, mediaFileId);
    }
  }

  /** Hands due jobs out at once. Returns immediately and never throws; without it they are found a little later. */
  wake(): void {
    this.dispatcher.wake();
  }

  /** Cancels the jobs of a file that goes away: those that wait now, those that run within seconds. */
  async cancelForMedia(tx: Transaction, mediaFileId: string): Promise<void> {
    await this.repository.cancelForMedia(tx, currentUserId(), mediaFileId);
  }

  /** How far the jobs of these files are. Files without jobs are absent. */
  async summaries(tx: Transaction, mediaFileIds: string[]): Promise<Map<string, JobSummary>> {
    const summaries = new Map<string, JobSummary>();
    if (mediaFileIds.length === 0) return summaries;
    const percentages = new Map<string, number>();
    for (const job of await this.repository.currentOfMedia(tx, currentUserId(), mediaFileIds)) {
      const id = job.mediaFileId;
      const summary = summaries.get(id) ?? { total: 0, completed: 0, failed: 0, progressPercentage: 0 };
      summary.total += 1;
      if (job.status === 'completed') summary.completed += 1;
      if (job.status === 'failed') summary.failed += 1;
      const ended = ['completed', 'failed', 'cancelled'].includes(job.status);
      percentages.set(id, (percentages.get(id) ?? 0) + (ended ? 100 : job.progressPercentage));
      summaries.set(id, summary);
    }
    for (const [id, summary] of summaries) {
      summary.progressPercentage = Math.floor((percentages.get(id) ?? 0) / summary.total);
    }
    return summaries;
  }

  /** `GET /v1/jobs`, newest first. @throws AppError 400 `invalid-cursor` */
  async list(query: JobListQuery): Promise<JobPage> {
    const userId = currentUserId();
    const rows = await this.page('jobs', userId, { ...query, userId });
    return { items: rows.items.map(toJobResponse), nextCursor: rows.nextCursor };
  }

  /** `GET /v1/admin/jobs`: everybody's, newest first. @throws AppError 400 `invalid-cursor` */
  async listForAdmin(query: AdminJobListQuery): Promise<AdminJobPage> {
    const rows = await this.page('admin-jobs', currentUserId(), query);
    return { items: rows.items.map(toAdminJobResponse), nextCursor: rows.nextCursor };
  }

  /** `GET /v1/admin/queues` */
  async queueReport(): Promise<QueueReport> {
    const [health, figures] = await Promise.all([
      this.transport.health(),
      this.database.run((tx) => tx.$queryRaw<QueueFigureRow[]>(queueFigures())),
    ]);
    return {
      transport: this.transport.kind,
      transportOk: health.ok,
      transportDetail: health.detail,
      figures,
    };
  }

  /** @throws AppError 404 */
  async get(jobId: string): Promise<JobResponse> {
    const userId = currentUserId();
    return toJobResponse(await this.database.run((tx) => this.find(tx, userId, jobId)));
  }

  /**
   * Repeats a failed or cancelled job in a new row (C48), and after it whatever was built on its result.
   * @throws AppError 404; 409 `job-not-failed`, `job-superseded`, `media-deleted`
   */
  async retry(jobId: string): Promise<JobResponse> {
    const userId = currentUserId();
    const created = await this.database.run(async (tx) => {
      const { mediaFileId } = await this.find(tx, userId, jobId);
      if (mediaFileId) {
        // From here on no other retry of the file, and no end of one of its jobs, comes in between.
        const media = await this.repository.lockMedia(tx, userId, mediaFileId);
        if (!media || media.deletedAt) {
          throw errors.conflict('media-deleted', 'The file of this job is in the trash. Restore it first.');
        }
      }
      const job = await this.find(tx, userId, jobId);
      if (job.status !== 'failed' && job.status !== 'cancelled') {
        throw errors.conflict(
          'job-not-failed',
          `Only failed and cancelled jobs can be retried; this one is ${job.status}.`,
        );
      }
      const current = newestOfEachType(
        mediaFileId ? await this.repository.ofMedia(tx, userId, mediaFileId) : [job],
      );
      if (!current.some(({ id }) => id === job.id)) {
        throw errors.conflict(
          'job-superseded',
          'This job was repeated already. Look at the newer job of this kind.',
        );
      }
      const plan = planRetry(toPlanned(job), current.map(toPlanned), uuidv7);
      await this.repository.insert(
        tx,
        userId,
        plan.newJobs.map((next) => ({ ...next, mediaFileId })),
      );
      for (const { jobId: blocked, dependsOn } of plan.addedDependencies) {
        await this.repository.addDependencies(tx, userId, blocked, dependsOn);
      }
      await tx.$executeRaw(unblockDependents(userId, mediaFileId));
      if (mediaFileId) await refreshMediaStatus(tx, userId, mediaFileId);
      return this.find(tx, userId, plan.newJobs[0]?.id ?? jobId);
    });
    this.wake();
    return toJobResponse(created);
  }

  /**
   * Cancels a job that has not ended. One that runs is asked to stop and shows `cancelled` some seconds later; jobs
   * that waited for it go on without it.
   * @throws AppError 404; 409 `job-ended` when it has completed or failed
   */
  async cancel(jobId: string): Promise<JobResponse> {
    const userId = currentUserId();
    const job = await this.database.run(async (tx) => {
      const found = await this.find(tx, userId, jobId);
      if (!(await this.lifecycle.cancelWaiting(tx, { userId, jobId }, found.mediaFileId))) {
        const asked = await tx.$executeRaw(requestCancel(userId, jobId));
        const now = await this.find(tx, userId, jobId);
        if (asked === 0 && now.status !== 'cancelled') {
          throw errors.conflict('job-ended', `The job has ended already: it is ${now.status}.`);
        }
        return now;
      }
      return this.find(tx, userId, jobId);
    });
    this.runner.stopCancelled(jobId);
    this.wake();
    return toJobResponse(job);
  }

  private async find(tx: Transaction, userId: string, jobId: string): Promise<ProcessingJob> {
    const job = await this.repository.findById(tx, userId, jobId);
    if (!job) throw errors.notFound('job');
    return job;
  }

  private async page(
    kind: string,
    callerId: string,
    query: AdminJobListQuery,
  ): Promise<{ items: ProcessingJob[]; nextCursor: string | null }> {
    const { limit, cursor, ...filter } = query;
    const beforeId = cursor ? this.cursors.decode<{ id: string }>(kind, callerId, cursor).id : undefined;
    const rows = await this.database.run((tx) =>
      this.repository.list(tx, { ...filter, beforeId, limit: limit + 1 }),
    );
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const nextCursor =
      rows.length > limit && last ? this.cursors.encode(kind, callerId, { id: last.id }) : null;
    return { items, nextCursor };
  }
}

function newestOfEachType(jobs: ProcessingJob[]): ProcessingJob[] {
  const newest = new Map(jobs.map((job) => [job.jobType, job.id]));
  return jobs.filter((job) => newest.get(job.jobType) === job.id);
}

function toPlanned(job: ProcessingJob): PlannedJob {
  const config = job.jobConfig as Record<string, unknown>;
  return { id: job.id, jobType: job.jobType, status: job.status, dependsOn: job.dependsOn, config };
}
