import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Database } from '../../infrastructure/database/database.js';
import { Metrics } from '../../infrastructure/observability/metrics.js';
import type { EndOutcome } from './job-lifecycle.js';
import { queueFigures, type QueueFigureRow } from './sql/dispatch.sql.js';

export type DropReason = 'malformed' | 'not-found' | 'not-due' | 'claim-failed' | 'no-handler';

/** What operators watch. The queue's figures are asked of the database when somebody reads /metrics. */
@Injectable()
export class JobMetrics {
  private readonly finished: Counter<'job_type' | 'outcome'>;
  private readonly seconds: Histogram<'job_type' | 'outcome'>;
  private readonly dropped: Counter<'reason'>;
  private readonly expired: Counter<'outcome'>;

  constructor(@Inject(Metrics) metrics: Metrics, @Inject(Database) database: Database) {
    const registers = [metrics.registry];
    this.finished = new Counter({
      name: 'jobs_ended_total',
      help: 'Attempts of jobs by kind and how they ended',
      labelNames: ['job_type', 'outcome'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'job_duration_seconds',
      help: 'Duration of attempts by kind and how they ended',
      labelNames: ['job_type', 'outcome'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    });
    this.dropped = new Counter({
      name: 'job_messages_dropped_total',
      help: 'Messages that led to no work: forged or malformed, job gone, taken, cancelled or not due',
      labelNames: ['reason'],
      registers,
    });
    this.expired = new Counter({
      name: 'job_leases_expired_total',
      help: 'Jobs taken away from workers that were not heard of any more, by what became of the job',
      labelNames: ['outcome'],
      registers,
    });
    // Both gauges are read in one scrape: asked once. A scrape must answer when the database does not.
    let asked: { at: number; rows: Promise<QueueFigureRow[]> } | null = null;
    const figures = (): Promise<QueueFigureRow[]> => {
      if (!asked || performance.now() - asked.at > 1_000) {
        const rows = database
          .runAsSystem('jobs.dispatch', (tx) => tx.$queryRaw<QueueFigureRow[]>(queueFigures()))
          .catch(() => []);
        asked = { at: performance.now(), rows };
      }
      return asked.rows;
    };
    new Gauge({
      name: 'job_queue_depth',
      help: 'Jobs that have not ended, by status and kind',
      labelNames: ['status', 'job_type'] as const,
      registers,
      async collect() {
        const rows = await figures();
        this.reset();
        for (const row of rows) this.set({ status: row.status, job_type: row.jobType }, row.jobs);
      },
    });
    new Gauge({
      name: 'job_oldest_due_age_seconds',
      help: 'How long the longest-waiting due job has been waiting',
      registers,
      async collect() {
        const rows = await figures();
        this.set(Math.max(0, ...rows.map((row) => row.oldestDueSeconds ?? 0)));
      },
    });
  }

  ended(jobType: string, outcome: EndOutcome, seconds: number): void {
    this.finished.inc({ job_type: jobType, outcome });
    this.seconds.observe({ job_type: jobType, outcome }, seconds);
  }

  messageDropped(reason: DropReason): void {
    this.dropped.inc({ reason });
  }

  leaseExpired(outcome: EndOutcome): void {
    this.expired.inc({ outcome });
  }
}
