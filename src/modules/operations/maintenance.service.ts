import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';
import { LOGGER, PROCESS_ROLE } from '../../infrastructure/infrastructure.tokens.js';
import type { ProcessRole } from '../../infrastructure/runtime.js';
import { StorageCountersService } from '../billing/storage-counters.service.js';
import { TrashPurger } from '../media/trash-purger.js';
import { UploadSweeper } from '../media/upload/upload-sweeper.js';
import { SearchWordsService } from '../search/search-words.service.js';
import { SearchRetentionService } from '../search/search-retention.service.js';

const HOUR_MS = 3_600_000;
/** Soon after the start, but not in its way. */
const FIRST_RUN_MS = 30_000;
/** Revoked and expired sessions are kept this long for questions, then forgotten. */
const SESSION_RETENTION_DAYS = 30;
/** Making a partition waits for nobody for longer: whoever searches in the meantime waits behind it. */
const PARTITION_LOCK_TIMEOUT_MS = 2_000;
/** When what is done once a day is done, in UTC. */
const NIGHTLY_HOUR = 3;

/** One piece of housekeeping: a name, and what it does. Returns how many things it changed. */
export interface MaintenanceTask {
  readonly name: string;
  /** It reads much and finds little: done in the run of one hour of the day. By hand at any time. */
  readonly isNightly?: boolean;
  run(): Promise<number>;
}

/**
 * Housekeeping, every hour in processes that work on jobs, or by hand (`npm run maintenance:run <name>`, C69). Each task
 * may run at any time, any number of times, and in two processes at once: each is one idempotent statement or sweep.
 */
@Injectable()
export class MaintenanceService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private isShuttingDown = false;
  readonly tasks: readonly MaintenanceTask[];

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(PROCESS_ROLE) private readonly role: ProcessRole,
    @Inject(UploadSweeper) uploads: UploadSweeper,
    @Inject(TrashPurger) trash: TrashPurger,
    @Inject(SearchWordsService) words: SearchWordsService,
    @Inject(SearchRetentionService) searches: SearchRetentionService,
    @Inject(StorageCountersService) storage: StorageCountersService,
  ) {
    this.tasks = [
      {
        name: 'billing-periods',
        run: () => this.inSystem((tx) => count(tx, Prisma.sql`SELECT reset_monthly_usage() AS count`)),
      },
      {
        name: 'expired-sessions',
        run: () =>
          this.inSystem((tx) =>
            tx.$executeRaw(Prisma.sql`
              DELETE FROM refresh_tokens WHERE expires_at < now() - make_interval(days => ${SESSION_RETENTION_DAYS}::int)
                OR revoked_at < now() - make_interval(days => ${SESSION_RETENTION_DAYS}::int)`),
          ),
      },
      {
        name: 'expired-idempotency-keys',
        run: () =>
          this.inSystem((tx) =>
            tx.$executeRaw(Prisma.sql`DELETE FROM idempotency_keys WHERE expires_at < now()`),
          ),
      },
      {
        name: 'abandoned-uploads',
        run: async () => sum({ ...(await uploads.sweep()) }),
      },
      { name: 'trash', run: async () => (await trash.purge()).purged },
      // After the trash, so that the words of what is purged go in the same run.
      { name: 'search-words', run: () => words.sweep() },
      { name: 'search-history', run: async () => sum(await searches.run()) },
      { name: 'search-partitions', run: () => this.inSystem(makeSearchPartitions) },
      { name: 'storage-counters', isNightly: true, run: () => storage.reconcile() },
    ];
  }

  onApplicationBootstrap(): void {
    if (!this.role.runsJobs) return;
    const soon = setTimeout(() => void this.runAll(), FIRST_RUN_MS);
    const hourly = setInterval(() => void this.runAll(), HOUR_MS);
    this.timers.push(soon, hourly);
    for (const timer of this.timers) timer.unref();
  }

  /** A task under way ends by itself; no other one begins. */
  onApplicationShutdown(): void {
    this.isShuttingDown = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Runs one task. @throws Error for an unknown name, and what the task throws */
  async run(name: string): Promise<number> {
    const task = this.tasks.find((candidate) => candidate.name === name);
    if (!task)
      throw new Error(
        `There is no task "${name}". Tasks: ${this.tasks.map(({ name: known }) => known).join(', ')}`,
      );
    return task.run();
  }

  private async runAll(): Promise<void> {
    const hour = new Date().getUTCHours();
    for (const task of this.tasks) {
      if (this.isShuttingDown) return;
      if (task.isNightly && hour !== NIGHTLY_HOUR) continue;
      try {
        const changed = await task.run();
        if (changed > 0) this.logger.info({ task: task.name, changed }, 'maintenance');
      } catch (error) {
        this.logger.error({ task: task.name, reason: (error as Error).message }, 'maintenance failed');
      }
    }
  }

  private inSystem<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.runAsSystem('maintenance', fn);
  }
}

/** C18: the months of the coming year. A busy moment is no loss: the next run is in an hour, and months are left. */
async function makeSearchPartitions(tx: Transaction): Promise<number> {
  await tx.$executeRaw(
    Prisma.sql`SELECT set_config('lock_timeout', ${String(PARTITION_LOCK_TIMEOUT_MS)}, true)`,
  );
  return count(tx, Prisma.sql`SELECT create_search_history_partitions() AS count`);
}

async function count(tx: Transaction, query: Prisma.Sql): Promise<number> {
  const [row] = await tx.$queryRaw<{ count: number }[]>(query);
  return row?.count ?? 0;
}

function sum(figures: Record<string, number>): number {
  return Object.values(figures).reduce((total, figure) => total + figure, 0);
}
