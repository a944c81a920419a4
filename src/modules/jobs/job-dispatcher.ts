import { AsyncResource } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { Database } from '../../infrastructure/database/database.js';
import type { JobTransport } from '../../infrastructure/queue/job-transport.js';
import type { JobLifecycle } from './job-lifecycle.js';
import type { JobMetrics } from './job-metrics.js';
import {
  dispatchDueJobs,
  expiredLeases,
  missedDependents,
  type DispatchRow,
  type ExpiredLeaseRow,
  type MissedDependentRow,
} from './sql/dispatch.sql.js';

/** So many messages the transport holds at most. Few, so that a newcomer with a better plan does not wait long. */
const WINDOW = 100;
const JOBS_PER_LEVEL = 5;
const ROWS_PER_USER = 25;
const RECONCILE_LIMIT = 100;
/** Dependents are started by whoever ends a job; looking for missed ones is a safety net. */
const MISSED_EVERY_POLLS = 15;
/** A round that finds so much to do is followed by another at once, but not for ever. */
const MAX_ROUNDS = 20;
/** With very many jobs waiting a round takes long; then a pause keeps dispatch from filling the database's time. */
const SLOW_ROUND_MS = 100;
const REST_PER_WORK = 4;

export interface JobDispatcherOptions {
  /** How often due rows are looked for when nobody calls `wake`. */
  pollMs: number;
  window?: number;
}

/**
 * Hands due rows to the transport, and mends what crashed workers and lost messages left behind. Any number of
 * processes may do so at once.
 */
export class JobDispatcher {
  // Timers and wake-ups run outside of the request (and its open transaction) that happened to start them.
  private readonly detached = new AsyncResource('JobDispatcher');
  private timer: NodeJS.Timeout | null = null;
  private stopped = true;
  private polls = 0;
  private round: Promise<void> | null = null;
  private rest: NodeJS.Timeout | null = null;
  private wakeAgain = false;
  private faulty = false;

  constructor(
    private readonly database: Database,
    private readonly transport: JobTransport,
    private readonly lifecycle: JobLifecycle,
    private readonly metrics: JobMetrics,
    private readonly logger: Logger,
    private readonly options: JobDispatcherOptions,
  ) {}

  /** A message that was not answered with a claim for this long is taken for lost. */
  get redeliverAfterMs(): number {
    return Math.max(1_000, 5 * this.options.pollMs);
  }

  /** Starts to poll. */
  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.detached.runInAsyncScope(() => this.schedule());
    this.wake();
  }

  /** Stops polling; resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    if (this.rest) clearTimeout(this.rest);
    await this.round;
  }

  /** Hands out due jobs soon. Returns at once, never throws; many calls become one round. */
  wake(): void {
    if (this.stopped) return;
    if (this.round || this.rest) {
      this.wakeAgain = true;
      return;
    }
    this.detached.runInAsyncScope(() => {
      const started = performance.now();
      this.round = this.dispatchRounds()
        .catch((error: unknown) => this.noteFault(error))
        .finally(() => {
          this.round = null;
          const tookMs = performance.now() - started;
          if (tookMs <= SLOW_ROUND_MS) return this.wakeIfAsked();
          const restMs = Math.min(tookMs * REST_PER_WORK, this.options.pollMs);
          this.rest = setTimeout(() => {
            this.rest = null;
            this.wakeIfAsked();
          }, restMs);
        });
    });
  }

  /** One look for due rows. Returns how many were handed to the transport; 0 when it takes none. */
  async dispatch(): Promise<number> {
    // While the transport is away rows stay as they are: due.
    const health = await this.transport.health();
    if (!health.ok) return 0;
    const rows = await this.database.runAsSystem('jobs.dispatch', (tx) =>
      tx.$queryRaw<DispatchRow[]>(
        dispatchDueJobs({
          window: this.options.window ?? WINDOW,
          redeliverAfterMs: this.redeliverAfterMs,
          jobsPerLevel: JOBS_PER_LEVEL,
          rowsPerUser: ROWS_PER_USER,
        }),
      ),
    );
    if (rows.length === 0) return 0;
    rows.sort((a, b) => a.score - b.score);
    await this.transport.dispatch(
      rows.map((row) => ({
        jobId: row.jobId,
        userId: row.userId,
        priority: row.score,
        delivery: `${row.jobId}-${row.fencingToken}`,
      })),
    );
    return rows.length;
  }

  /** Takes jobs away from workers that are gone. Returns how many were. */
  async reconcile(): Promise<number> {
    const expired = await this.database.runAsSystem('jobs.reconcile', (tx) =>
      tx.$queryRaw<ExpiredLeaseRow[]>(expiredLeases(RECONCILE_LIMIT)),
    );
    for (const lease of expired) {
      const outcome = await this.lifecycle.expire(lease);
      if (outcome === 'lost') continue;
      this.metrics.leaseExpired(outcome);
      this.logger.warn({ jobId: lease.jobId, outcome }, 'the worker of a job is gone');
    }
    return expired.length;
  }

  /** Starts blocked jobs that wait for nothing any more. Returns for how many files there were such jobs. */
  async startMissedDependents(): Promise<number> {
    const missed = await this.database.runAsSystem('jobs.reconcile', (tx) =>
      tx.$queryRaw<MissedDependentRow[]>(missedDependents(RECONCILE_LIMIT)),
    );
    for (const { userId, mediaFileId } of missed) await this.lifecycle.settleMedia(userId, mediaFileId);
    return missed.length;
  }

  private async dispatchRounds(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !this.stopped; round += 1) {
      if ((await this.dispatch()) === 0) return;
    }
  }

  private wakeIfAsked(): void {
    if (!this.wakeAgain) return;
    this.wakeAgain = false;
    this.wake();
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.poll(), this.options.pollMs);
  }

  private async poll(): Promise<void> {
    try {
      await this.reconcile();
      if (this.polls % MISSED_EVERY_POLLS === 0) await this.startMissedDependents();
      this.polls += 1;
      if (this.faulty) this.logger.info('job dispatch works again');
      this.faulty = false;
    } catch (error) {
      this.noteFault(error);
    }
    this.wake();
    await this.round;
    this.schedule();
  }

  /** One line when it begins, not one per poll. */
  private noteFault(error: unknown): void {
    if (this.faulty) return;
    this.faulty = true;
    const message = error instanceof Error ? error.message : String(error);
    this.logger.error({ err: { message } }, 'job dispatch failed; it is tried again');
  }
}
