import { setTimeout as sleep } from 'node:timers/promises';
import Bull from 'bull';
import type { Logger } from 'pino';
import type { JobMessage, JobTransport, ReceivedJobMessage, TransportHealth } from './job-transport.js';

const QUEUE_NAME = 'jobs';
/** Redis answers in microseconds; what takes longer than this is down or frozen (threat B6). */
const COMMAND_TIMEOUT_MS = 2_000;
/** Bull wants whole numbers from 1 to 2^21; 0 stands in the middle, so that long waits (negative) keep their order. */
const PRIORITY_ZERO = 100_000;
const PRIORITY_STEPS = 10;
const MAX_BULL_PRIORITY = 2_097_152;

type Payload = ReceivedJobMessage;

export interface BullTransportOptions {
  redisUrl: string;
  /** The lease of a job row. Bull's own lock follows it, so that a message of a dead worker comes back in good time. */
  leaseSeconds: number;
  logger: Logger;
  /** Separates installations (and tests) that share one Redis. */
  prefix?: string;
}

/**
 * Bull on Redis as a carrier of ids. Nothing that matters is kept in it: attempts are counted in the row (C48), results
 * are saved in the row, and finished messages are removed at once, because adding a job id that Bull still knows is
 * silently ignored (threat B4).
 */
export class BullTransport implements JobTransport {
  readonly kind = 'bull';
  private readonly producer: Bull.Queue<Payload>;
  private consumer: Bull.Queue<Payload> | null = null;
  private readonly running = new Set<Promise<void>>();
  private closing: Promise<void> | null = null;
  private lastFault = '';

  constructor(private readonly options: BullTransportOptions) {
    // The adding client fails at once when Redis is away, instead of keeping commands (and requests) waiting.
    this.producer = this.open({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
    // Opens the connection now, so that the first message does not find it closed.
    void this.producer.isReady().catch(() => undefined);
  }

  async dispatch(messages: JobMessage[]): Promise<void> {
    if (messages.length === 0) return;
    if (!this.isConnected()) throw new Error('Redis is not connected');
    const jobs = messages.map((message) => ({
      data: { jobId: message.jobId, userId: message.userId },
      opts: {
        jobId: message.delivery,
        priority: toBullPriority(message.priority),
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      },
    }));
    await withTimeout(
      this.producer.addBulk(jobs),
      COMMAND_TIMEOUT_MS * 2,
      'Redis did not take the job messages in time',
    );
  }

  async consume(handler: (message: ReceivedJobMessage) => Promise<void>, concurrency: number): Promise<void> {
    if (this.consumer) throw new Error('the job transport has a consumer already');
    const consumer = this.open({});
    this.consumer = consumer;
    // Does not resolve before the queue is closed.
    void consumer
      .process(concurrency, async ({ data }) => {
        const run = handler({ jobId: data?.jobId, userId: data?.userId }).catch(() => undefined);
        this.running.add(run);
        await run;
        this.running.delete(run);
      })
      .catch((error: unknown) => this.reportFault(error));
  }

  close({ drainMs }: { drainMs: number }): Promise<void> {
    this.closing ??= this.shutDown(drainMs);
    return this.closing;
  }

  async health(): Promise<TransportHealth> {
    if (this.closing) return { ok: false, detail: 'the job transport is closed' };
    if (!this.isConnected()) return { ok: false, detail: 'Redis is not connected' };
    try {
      await withTimeout(this.producer.client.ping(), COMMAND_TIMEOUT_MS, 'Redis does not answer');
      return { ok: true, detail: null };
    } catch {
      return { ok: false, detail: 'Redis does not answer' };
    }
  }

  private isConnected(): boolean {
    return !this.closing && this.producer.client.status === 'ready';
  }

  private open(redis: Record<string, unknown>): Bull.Queue<Payload> {
    const leaseMs = this.options.leaseSeconds * 1000;
    const queue = new Bull<Payload>(QUEUE_NAME, this.options.redisUrl, {
      prefix: this.options.prefix ?? 'ai-media-search',
      redis: {
        connectTimeout: 5_000,
        keepAlive: 10_000,
        // Back within a second of Redis' return.
        retryStrategy: (times: number) => Math.min(50 * times, 1_000),
        ...redis,
      },
      settings: {
        lockDuration: leaseMs,
        stalledInterval: Math.max(500, Math.floor(leaseMs / 3)),
        // A message that came back once is enough: the row is handed out anew by the reconciler anyway.
        maxStalledCount: 1,
        retryProcessDelay: 500,
        // Seconds that the blocking wait for a message lasts; short, so that closing does not take long.
        drainDelay: 1,
      },
    });
    queue.on('error', (error) => this.reportFault(error));
    return queue;
  }

  private async shutDown(drainMs: number): Promise<void> {
    const consumer = this.consumer;
    if (consumer) {
      await withTimeout(consumer.pause(true, true), COMMAND_TIMEOUT_MS, 'pause').catch(() => undefined);
      const abort = new AbortController();
      await Promise.race([
        Promise.all(this.running),
        sleep(drainMs, undefined, { signal: abort.signal }).catch(() => undefined),
      ]);
      abort.abort();
    }
    for (const queue of [consumer, this.producer]) {
      if (queue)
        await withTimeout(queue.close(true), COMMAND_TIMEOUT_MS, 'close').catch(() => disconnect(queue));
    }
  }

  /** One line per kind of fault, not one per retry. */
  private reportFault(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.closing || message === this.lastFault) return;
    this.lastFault = message;
    this.options.logger.warn({ err: { message } }, 'job transport: Redis fault; jobs wait in the database');
  }
}

function toBullPriority(priority: number): number {
  return Math.min(MAX_BULL_PRIORITY, Math.max(1, Math.round(priority * PRIORITY_STEPS) + PRIORITY_ZERO));
}

function disconnect(queue: Bull.Queue): void {
  for (const client of queue.clients) client.disconnect();
}

async function withTimeout<T>(promise: PromiseLike<T>, milliseconds: number, message: string): Promise<T> {
  const abort = new AbortController();
  try {
    return await Promise.race([
      Promise.resolve(promise),
      sleep(milliseconds, undefined, { signal: abort.signal }).then(() => {
        throw new Error(message);
      }),
    ]);
  } finally {
    abort.abort();
  }
}
