import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Response } from 'express';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { AppError } from '../../infrastructure/errors/app-error.js';
import { APP_CONFIG, LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../infrastructure/observability/logger.js';
import { toJobResponse } from './job.mapper.js';
import { changedJobs, databaseMicros, type ChangedJobRow } from './sql/events.sql.js';

const POLL_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** A browser tab has one; more than this is a program gone wrong. Counted per process. */
const MAX_STREAMS_PER_USER = 5;
const PAGE = 200;
/** Unfinished jobs that a new stream begins with. */
const SNAPSHOT = 100;
const MAX_REMEMBERED = 2_000;

/** Microseconds since 1970, as the database tells updated_at. */
type Micros = bigint;

/**
 * Server-sent events about a user's own jobs. Streams ask the database for changed rows once a second, so that they
 * work whichever process does the job, and hold neither a transaction nor a connection in between.
 *
 * The event id is the newest `updated_at` told so far. A transaction may commit after a later one has been seen, so
 * each look begins as far back as the longest transaction may last; what was told already is not told again within a
 * stream. After a reconnection with Last-Event-ID nothing is missing; the last seconds may be told twice.
 */
@Injectable()
export class JobEventsService implements OnModuleDestroy {
  private readonly streams = new Map<string, Set<AbortController>>();
  private readonly overlapMicros: Micros;
  private readonly lifetimeMs: number;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'DATABASE_STATEMENT_TIMEOUT_MS' | 'ACCESS_TOKEN_SECONDS'>,
  ) {
    // As long as Database.run lets a transaction last.
    this.overlapMicros = BigInt(config.DATABASE_STATEMENT_TIMEOUT_MS + 5_000) * 1_000n;
    // A stream outlives no access token: the client comes back with a fresh one.
    this.lifetimeMs = config.ACCESS_TOKEN_SECONDS * 1000;
  }

  /**
   * Streams to the response until the client leaves, the process stops or an access token's lifetime is over.
   * @param lastEventId the header of that name; whatever is not an id of ours starts a new stream
   * @throws AppError 429 `too-many-streams`
   */
  async stream(userId: string, lastEventId: string | undefined, response: Response): Promise<void> {
    const closed = this.open(userId);
    response.once('close', () => closed.abort());
    const lifetime = setTimeout(() => closed.abort(), this.lifetimeMs);
    try {
      const session = await this.begin(userId, lastEventId);
      if (closed.signal.aborted) return;
      response.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        Connection: 'keep-alive',
        // Proxies of the nginx kind hold small pieces back otherwise.
        'X-Accel-Buffering': 'no',
      });
      await write(response, `retry: ${POLL_MS * 2}\n\n`, closed.signal);
      await this.follow(userId, session, response, closed.signal);
    } finally {
      clearTimeout(lifetime);
      this.close(userId, closed);
      if (response.headersSent) response.end();
    }
  }

  onModuleDestroy(): void {
    for (const streams of this.streams.values()) for (const stream of streams) stream.abort();
  }

  private async begin(userId: string, lastEventId: string | undefined): Promise<Session> {
    const resumed = lastEventId && /^\d{1,18}$/.test(lastEventId) ? BigInt(lastEventId) : null;
    return this.database.run(async (tx) => {
      const [now] = await tx.$queryRaw<{ micros: Micros }[]>(databaseMicros());
      const present = now?.micros ?? 0n;
      if (resumed !== null && resumed <= present) return new Session(resumed, []);
      const unfinished = await tx.processingJob.findMany({
        where: { userId, status: { in: ['blocked', 'pending', 'processing', 'retrying'] } },
        orderBy: { id: 'desc' },
        take: SNAPSHOT,
      });
      return new Session(present, unfinished.reverse().map(toJobResponse));
    });
  }

  private async follow(
    userId: string,
    session: Session,
    response: Response,
    signal: AbortSignal,
  ): Promise<void> {
    for (const job of session.takeSnapshot()) await write(response, session.event(job), signal);
    let lastWrite = performance.now();
    while (!signal.aborted) {
      try {
        // One page at a time: a slow reader makes the stream wait, not the memory grow.
        for (let after: ChangedJobRow | null = null; !signal.aborted;) {
          const rows: ChangedJobRow[] = await this.database.run((tx) =>
            this.changes(tx, userId, session, after),
          );
          for (const event of session.news(rows)) {
            await write(response, event, signal);
            lastWrite = performance.now();
          }
          after = rows.at(-1) ?? null;
          if (rows.length < PAGE) break;
        }
        session.forget(this.overlapMicros);
      } catch (error) {
        if (signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        this.logger.debug({ err: { message } }, 'job events could not be read; the stream goes on');
      }
      if (performance.now() - lastWrite > HEARTBEAT_MS) {
        await write(response, ': still here\n\n', signal);
        lastWrite = performance.now();
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A page of rows that changed; those that the session does not know yet come with their job. */
  private async changes(
    tx: Transaction,
    userId: string,
    session: Session,
    after: ChangedJobRow | null,
  ): Promise<ChangedJobRow[]> {
    const since = session.highest - this.overlapMicros;
    const rows = await tx.$queryRaw<ChangedJobRow[]>(changedJobs(userId, since, after, PAGE));
    const unknown = rows.filter((row) => !session.knows(row));
    if (unknown.length === 0) return rows;
    const jobs = await tx.processingJob.findMany({
      where: { userId, id: { in: unknown.map((row) => row.id) } },
    });
    const byId = new Map(jobs.map((job) => [job.id, toJobResponse(job)]));
    return rows.map((row) => ({ ...row, job: byId.get(row.id) }));
  }

  private open(userId: string): AbortController {
    const own = this.streams.get(userId) ?? new Set();
    if (own.size >= MAX_STREAMS_PER_USER) {
      throw new AppError(
        429,
        'too-many-streams',
        'Too many event streams',
        `At most ${MAX_STREAMS_PER_USER} event streams may be open at once. Close one first.`,
        { headers: { 'Retry-After': '5' } },
      );
    }
    const controller = new AbortController();
    this.streams.set(userId, own.add(controller));
    return controller;
  }

  private close(userId: string, controller: AbortController): void {
    const own = this.streams.get(userId);
    own?.delete(controller);
    if (own?.size === 0) this.streams.delete(userId);
  }
}

type JobBody = ReturnType<typeof toJobResponse>;

/** What one stream has told so far. */
class Session {
  private readonly told = new Map<string, { micros: Micros; body: string }>();

  constructor(
    /** The newest change told; never goes back. */
    public highest: Micros,
    private snapshot: JobBody[],
  ) {}

  takeSnapshot(): JobBody[] {
    const jobs = this.snapshot;
    this.snapshot = [];
    for (const job of jobs) this.told.set(job.id, { micros: 0n, body: JSON.stringify(job) });
    return jobs;
  }

  knows(row: ChangedJobRow): boolean {
    return this.told.get(row.id)?.micros === row.micros;
  }

  /** The events of these rows. A change that nobody can see (a message was handed out again) is none. */
  news(rows: ChangedJobRow[]): string[] {
    const events: string[] = [];
    for (const row of rows) {
      if (row.micros > this.highest) this.highest = row.micros;
      if (!row.job) continue;
      const body = JSON.stringify(row.job);
      const unchanged = this.told.get(row.id)?.body === body;
      this.told.delete(row.id);
      this.told.set(row.id, { micros: row.micros, body });
      if (!unchanged) events.push(this.event(row.job));
    }
    return events;
  }

  event(job: JobBody): string {
    return `id: ${this.highest}\nevent: job\ndata: ${JSON.stringify(job)}\n\n`;
  }

  /** Lets go of the oldest changes that no look can meet again. */
  forget(overlapMicros: Micros): void {
    for (const [id, { micros }] of this.told) {
      if (this.told.size <= MAX_REMEMBERED || micros >= this.highest - overlapMicros) return;
      this.told.delete(id);
    }
  }
}

async function write(response: Response, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
