import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../infrastructure/database/database.js';
import { runInScope } from '../../infrastructure/context/request-context.js';
import type { ReceivedJobMessage } from '../../infrastructure/queue/job-transport.js';
import type { UsageService } from '../billing/usage.service.js';
import { JobStopped, timedOut, toJobFailure } from './job-failures.js';
import type { ClaimedJob, EndOutcome, JobLifecycle, LeaseState } from './job-lifecycle.js';
import type { DropReason, JobMetrics } from './job-metrics.js';
import type { JobRegistry } from './job-registry.js';
import { JobFailure, JOB_CATALOGUE, type JobHandler, type JobResult, type JobType } from './jobs.types.js';
import { PaidCalls } from './paid-calls.js';
import { ProgressReporter } from './progress-reporter.js';
import { makeWorkFolder, removeWorkFolder } from './work-folders.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** How soon a running job notices that it was cancelled from another process. */
const WATCH_MS = 2_000;
/** A handler that was told to stop gets so long before its worker goes on without it. */
const STOP_GRACE_MS = 3_000;

export interface JobRunnerOptions {
  /** Who holds the lease, for people who look at the row; at most 100 characters. */
  workerId: string;
  leaseSeconds: number;
  retryBaseMs: number;
  stopGraceMs?: number;
  /** Overrides the time limits of the catalogue. */
  timeLimitSeconds?: number;
}

export interface JobRunnerParts {
  database: Database;
  lifecycle: JobLifecycle;
  registry: JobRegistry;
  metrics: JobMetrics;
  costs: Pick<UsageService, 'assertBudget' | 'recordCost'>;
  logger: Logger;
  /** Called when a job ended, so that what waited for it is handed out at once. */
  onEnded: () => void;
}

/** Turns one message into at most one attempt of one job. */
export class JobRunner {
  /** Attempts under way. Two of the same job for a moment, when the first one lost its lease. */
  private readonly running = new Set<{ jobId: string; controller: AbortController }>();

  constructor(
    private readonly parts: JobRunnerParts,
    private readonly options: JobRunnerOptions,
  ) {}

  /** Handles a message. Never throws: what goes wrong is in the row, or the row stays due. */
  async execute(message: ReceivedJobMessage): Promise<void> {
    if (!isUuid(message.jobId) || !isUuid(message.userId)) return this.drop('malformed', message);
    const key = { jobId: message.jobId.toLowerCase(), userId: message.userId.toLowerCase() };
    let claim: ClaimedJob | 'not-found' | 'not-due';
    try {
      claim = await this.parts.lifecycle.claim(key, this.options);
    } catch (error) {
      this.parts.logger.warn({ jobId: key.jobId, err: summarize(error) }, 'a job could not be claimed');
      return this.drop('claim-failed', message);
    }
    if (typeof claim === 'string') return this.drop(claim, message);
    const claimed = claim;
    const scope = {
      requestId: key.jobId,
      ipAddress: null,
      userAgent: null,
      actor: Object.freeze({ kind: 'user' as const, userId: key.userId }),
    };
    await runInScope(scope, () => this.attempt(claimed));
    this.parts.onEnded();
  }

  /** Stops every running job and gives it back, so that another worker goes on with it at once. */
  releaseAll(): void {
    for (const { controller } of this.running) controller.abort(new JobStopped('shutdown'));
  }

  /** Stops a job that runs here, if it does; the other workers see the request in the row. */
  stopCancelled(jobId: string): void {
    for (const attempt of this.running) {
      if (attempt.jobId === jobId) attempt.controller.abort(new JobStopped('cancelled'));
    }
  }

  get runningCount(): number {
    return this.running.size;
  }

  private async attempt(claim: ClaimedJob): Promise<void> {
    const { lease, jobType } = claim;
    const started = performance.now();
    const controller = new AbortController();
    const underWay = { jobId: lease.jobId, controller };
    this.running.add(underWay);
    const watching = new AbortController();
    const watch = this.watchLease(claim, controller, watching.signal);
    const seconds = this.options.timeLimitSeconds ?? timeLimitOf(jobType);
    const timer = setTimeout(() => controller.abort(new JobStopped('timed-out')), seconds * 1000);
    let outcome: EndOutcome;
    let workDir: string | null = null;
    try {
      const handler = this.parts.registry.find(jobType);
      if (!handler) {
        this.parts.metrics.messageDropped('no-handler');
        throw new JobFailure(
          'no-handler',
          `This server has no handler for ${jobType}.`,
          false,
          'Update the server.',
        );
      }
      workDir = await makeWorkFolder();
      const result = await this.runHandler(handler, claim, workDir, controller);
      // From here on the row is locked by its own transaction; the watch would only wait for it.
      watching.abort();
      await watch;
      outcome = await this.parts.lifecycle.complete(lease, result);
    } catch (error) {
      watching.abort();
      await watch;
      outcome = await this.endBadly(claim, error, controller.signal, seconds);
    } finally {
      clearTimeout(timer);
      this.running.delete(underWay);
      if (workDir) await removeWorkFolder(workDir);
    }
    const duration = (performance.now() - started) / 1000;
    this.parts.metrics.ended(jobType, outcome, duration);
    this.parts.logger.debug(
      {
        jobId: lease.jobId,
        mediaFileId: lease.mediaFileId,
        jobType,
        attempt: claim.attempt,
        outcome,
        seconds: duration,
      },
      'job ended',
    );
  }

  private async runHandler(
    handler: JobHandler,
    claim: ClaimedJob,
    workDir: string,
    controller: AbortController,
  ): Promise<JobResult> {
    const { lease, jobType, config, attempt } = claim;
    const { database, lifecycle, costs } = this.parts;
    const { signal } = controller;
    const paidCalls = new PaidCalls(database, costs, lease);
    const reporter = new ProgressReporter((percentage, step) =>
      lifecycle.progress(lease, percentage, step).then((state) => stopUnlessHeld(state, controller)),
    );
    const work = handler.handle({
      job: {
        id: lease.jobId,
        userId: lease.userId,
        // Every kind in the catalogue belongs to a file; the schema holds the others to that.
        mediaFileId: lease.mediaFileId ?? '',
        jobType: jobType as JobType,
        config,
        attempt,
      },
      signal,
      workDir,
      progress: async (percentage, step) => {
        signal.throwIfAborted();
        await reporter.report(percentage, step);
        signal.throwIfAborted();
      },
      paid: async (estimate, call, payer) => {
        signal.throwIfAborted();
        return paidCalls.make(estimate, call, payer);
      },
    });
    const result = await orStopped(work, signal, this.options.stopGraceMs ?? STOP_GRACE_MS);
    const reason = signal.aborted ? (signal.reason as JobStopped).reason : null;
    // Done in spite of a time limit or a shutdown is done; a lost or cancelled job is not ours to finish.
    if (reason === 'lease-lost' || reason === 'cancelled') throw signal.reason;
    return result;
  }

  /** Writes how an attempt ended that has no result. */
  private async endBadly(
    claim: ClaimedJob,
    error: unknown,
    signal: AbortSignal,
    timeLimitSeconds: number,
  ): Promise<EndOutcome> {
    const { lifecycle, logger } = this.parts;
    const { lease, jobType, attempt } = claim;
    try {
      const stopped = signal.aborted ? (signal.reason as JobStopped).reason : null;
      if (stopped === 'lease-lost') return 'lost';
      if (stopped === 'cancelled') return await lifecycle.cancelHeld(lease);
      if (stopped === 'shutdown') return await lifecycle.release(lease);
      const failure = stopped === 'timed-out' ? timedOut(timeLimitSeconds) : toJobFailure(error);
      logger.warn(
        {
          jobId: lease.jobId,
          jobType,
          attempt,
          code: failure.code,
          err: summarize(failure.cause ?? failure),
        },
        'an attempt of a job failed',
      );
      return await lifecycle.fail(lease, failure, this.options.retryBaseMs);
    } catch (writeError) {
      // The lease runs out, and the reconciler takes the job from there.
      logger.error(
        { jobId: lease.jobId, err: summarize(writeError) },
        'the end of a job could not be written',
      );
      return 'lost';
    }
  }

  /** Renews the lease every third of it, and stops the work once it is lost or the job was cancelled. */
  private async watchLease(claim: ClaimedJob, controller: AbortController, stop: AbortSignal): Promise<void> {
    const { lifecycle, logger } = this.parts;
    const leaseMs = this.options.leaseSeconds * 1000;
    const renewAfterMs = leaseMs / 3;
    let renewed = performance.now();
    while (!stop.aborted) {
      await sleep(Math.min(WATCH_MS, renewAfterMs), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      const now = performance.now();
      try {
        const due = now - renewed >= renewAfterMs * 0.9;
        const state = due
          ? await lifecycle.renew(claim.lease, this.options.leaseSeconds)
          : await lifecycle.check(claim.lease);
        if (due) renewed = now;
        // A lost lease shows here after the job's own end, too; by then nobody listens.
        if (!stop.aborted) stopUnlessHeld(state, controller);
      } catch (error) {
        logger.debug({ jobId: claim.lease.jobId, err: summarize(error) }, 'a lease could not be renewed');
        // Somebody else may have it by now.
        if (performance.now() - renewed > leaseMs) stopUnlessHeld('lost', controller);
      }
      if (controller.signal.aborted) return;
    }
  }

  private drop(reason: DropReason, message: ReceivedJobMessage): void {
    this.parts.metrics.messageDropped(reason);
    const level = reason === 'malformed' || reason === 'not-found' ? 'warn' : 'debug';
    this.parts.logger[level](
      { reason, jobId: String(message.jobId).slice(0, 100) },
      'a job message led to no work',
    );
  }
}

function stopUnlessHeld(state: LeaseState, controller: AbortController): void {
  if (state === 'lost') controller.abort(new JobStopped('lease-lost'));
  if (state === 'cancelled') controller.abort(new JobStopped('cancelled'));
}

/** The work's own end; or, when it does not stop within `graceMs` of being told to, the reason why it should have. */
async function orStopped<T>(work: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  const over = new AbortController();
  const stopped = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      void sleep(graceMs, undefined, { signal: over.signal }).then(
        () => reject(signal.reason as Error),
        () => undefined,
      );
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    over.abort();
  }
}

function timeLimitOf(jobType: string): number {
  return JOB_CATALOGUE[jobType as JobType]?.timeLimitSeconds ?? 60;
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** For the log: never parameters or content. */
function summarize(error: unknown): { name: string; message: string; stack?: string } {
  if (!(error instanceof Error)) return { name: 'NonError', message: typeof error };
  return {
    name: error.name,
    message: error.message.slice(0, 500),
    stack: error.stack?.split('\n').slice(0, 8).join('\n'),
  };
}
