import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { CursorCodec } from '../../src/infrastructure/http/cursor.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import type { ProcessingJob } from '../../src/infrastructure/database/generated/client.js';
import { Metrics } from '../../src/infrastructure/observability/metrics.js';
import { InProcessTransport } from '../../src/infrastructure/queue/in-process-transport.js';
import type { JobTransport } from '../../src/infrastructure/queue/job-transport.js';
import { UsageService } from '../../src/modules/billing/usage.service.js';
import { JobDispatcher } from '../../src/modules/jobs/job-dispatcher.js';
import { JobLifecycle } from '../../src/modules/jobs/job-lifecycle.js';
import { JobMetrics } from '../../src/modules/jobs/job-metrics.js';
import { JobRegistry } from '../../src/modules/jobs/job-registry.js';
import { JobRunner } from '../../src/modules/jobs/job-runner.js';
import { JobWorker } from '../../src/modules/jobs/job-worker.js';
import { JobsRepository } from '../../src/modules/jobs/jobs.repository.js';
import { JobsService } from '../../src/modules/jobs/jobs.service.js';
import type { JobContext, JobResult, JobType, NewJob } from '../../src/modules/jobs/jobs.types.js';
import { actingAs } from '../harness/database.js';

export type TestHandler = (context: JobContext) => Promise<JobResult>;

export interface MachineOptions {
  transport?: JobTransport;
  handlers?: Partial<Record<JobType, TestHandler>>;
  concurrency?: number;
  leaseSeconds?: number;
  pollMs?: number;
  retryBaseMs?: number;
  stopGraceMs?: number;
  timeLimitSeconds?: number;
  drainMs?: number;
  window?: number;
}

/** The real job machine of one process, put together by hand, with handlers of the test's own. */
export function buildMachine(database: Database, options: MachineOptions = {}) {
  const logger = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  const transport = options.transport ?? new InProcessTransport();
  const lifecycle = new JobLifecycle(database);
  const registry = new JobRegistry();
  const metricsRegistry = new Metrics();
  const metrics = new JobMetrics(metricsRegistry, database);
  const dispatcher = new JobDispatcher(database, transport, lifecycle, metrics, logger, {
    pollMs: options.pollMs ?? 100,
    window: options.window,
  });
  const costs = new UsageService(database);
  const runner = new JobRunner(
    { database, lifecycle, registry, metrics, costs, logger, onEnded: () => dispatcher.wake() },
    {
      workerId: `test:${uuidv7().slice(-12)}`,
      leaseSeconds: options.leaseSeconds ?? 5,
      retryBaseMs: options.retryBaseMs ?? 20,
      stopGraceMs: options.stopGraceMs ?? 200,
      timeLimitSeconds: options.timeLimitSeconds,
    },
  );
  const worker = new JobWorker(transport, dispatcher, runner, registry, {
    consume: true,
    concurrency: options.concurrency ?? 2,
    drainMs: options.drainMs ?? 200,
  });
  const cursors = new CursorCodec('a secret for cursors of this test');
  const service = new JobsService(
    database,
    new JobsRepository(),
    lifecycle,
    dispatcher,
    runner,
    transport,
    cursors,
  );
  for (const [jobType, handle] of Object.entries(options.handlers ?? {})) {
    registry.register({ jobType: jobType as JobType, handle });
  }
  return {
    service,
    transport,
    lifecycle,
    dispatcher,
    runner,
    worker,
    registry,
    /** The text of /metrics. */
    scrape: () => metricsRegistry.registry.metrics(),
    start: () => worker.start(),
    stop: () => worker.onModuleDestroy(),
  };
}
export type Machine = ReturnType<typeof buildMachine>;

/** Inserts a file without any bytes behind it. */
export async function insertMedia(
  database: Database,
  userId: string,
  fileType: 'image' | 'video' = 'image',
): Promise<string> {
  const id = uuidv7();
  await asUser(userId, () =>
    database.run((tx) =>
      tx.mediaFile.create({
        data: {
          userId,
          id,
          filename: `${id}.bin`,
          originalFilename: 'picture.jpg',
          title: 'picture',
          fileType,
          mimeType: fileType === 'image' ? 'image/jpeg' : 'video/mp4',
          fileSizeBytes: 1n,
          fileHash: id.replaceAll('-', '').padEnd(64, '0'),
          storageProvider: 'local',
          s3Bucket: 'local',
          s3Key: `${userId}/${id}`,
        },
        select: { id: true },
      }),
    ),
  );
  return id;
}

export const asUser = <T>(userId: string, fn: () => Promise<T>): Promise<T> =>
  actingAs({ kind: 'user', userId }, fn);

/** Writes jobs as the product does, and tells the machine. Returns their ids. */
export async function enqueue(
  machine: Machine,
  database: Database,
  userId: string,
  jobs: (Omit<NewJob, 'id'> & { id?: string })[],
): Promise<string[]> {
  const complete = jobs.map((job) => ({ ...job, id: job.id ?? uuidv7() }));
  await asUser(userId, () => database.run((tx) => machine.service.enqueue(tx, complete)));
  machine.service.wake();
  return complete.map((job) => job.id);
}

export async function readJob(database: Database, userId: string, jobId: string): Promise<ProcessingJob> {
  const job = await asUser(userId, () =>
    database.run((tx) => tx.processingJob.findFirst({ where: { userId, id: jobId } })),
  );
  if (!job) throw new Error('the job is gone');
  return job;
}

export async function readMediaStatus(database: Database, userId: string, mediaFileId: string) {
  return asUser(userId, () =>
    database.run((tx) =>
      tx.mediaFile.findFirstOrThrow({
        where: { userId, id: mediaFileId },
        select: {
          status: true,
          statusReason: true,
          processingError: true,
          processingStartedAt: true,
          processingCompletedAt: true,
        },
      }),
    ),
  );
}

/** Waits until `read` gives a truthy value. @throws after `timeoutMs` */
export async function eventually<T>(
  read: () => Promise<T | false | null | undefined>,
  timeoutMs = 40_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (performance.now() > deadline)
      throw new Error(`what the test waits for did not happen in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until a job has one of these statuses. */
export function whenJob(
  database: Database,
  userId: string,
  jobId: string,
  ...statuses: string[]
): Promise<ProcessingJob> {
  return eventually(async () => {
    const job = await readJob(database, userId, jobId);
    return statuses.includes(job.status) && job;
  });
}

/** Resolves when a handler is told to stop; at once when that came before it listened. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A promise with its handles outside. */
export function gate<T = void>(): { promise: Promise<T>; open: (value: T) => void } {
  let open!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (open = resolve));
  return { promise, open };
}
