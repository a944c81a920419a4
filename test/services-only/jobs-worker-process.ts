import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { Database } from '../../src/infrastructure/database/database.js';
import { createPool } from '../../src/infrastructure/database/pool.js';
import { BullTransport } from '../../src/infrastructure/queue/bull-transport.js';
import { buildMachine } from '../integration/jobs-machine.js';

/** Where in a job's life the process stops for ever, so that the test can kill it exactly there. */
export const CHECKPOINTS = ['received', 'started', 'progressed', 'paid', 'committing', 'committed'] as const;
export type Checkpoint = (typeof CHECKPOINTS)[number];

export interface WorkerProcessOptions {
  databaseUrl: string;
  redisUrl: string;
  prefix: string;
  leaseSeconds: number;
  concurrency: number;
  /** How long a job takes. */
  workMs: number;
  stopAt: Checkpoint | null;
}

const never = (): Promise<never> => new Promise(() => undefined);

/** What a job of these tests does: progress, one provider call of a cent, and one tag as its effect. */
export function handlersOf(workMs: number, reach: (checkpoint: Checkpoint) => Promise<void>) {
  const usage = {
    service: 'openai_gpt',
    operation: 'test',
    model: 'test',
    billingUnit: 'per_request' as const,
    units: 1,
    amount: '0.01',
    currency: 'USD',
  };
  return {
    thumbnail: async (context: import('../../src/modules/jobs/jobs.types.js').JobContext) => {
      const { job } = context;
      await reach('started');
      await context.progress(50, 'working');
      await reach('progressed');
      // The provider's own id of the call: one charge per file, however often the call is made.
      await context.paid(usage, async () => ({
        usage: { ...usage, referenceId: `file ${job.mediaFileId}` },
      }));
      await reach('paid');
      await new Promise((resolve) => setTimeout(resolve, workMs));
      return {
        data: { attempt: job.attempt },
        commit: async (tx: import('../../src/infrastructure/database/database.js').Transaction) => {
          await tx.tag.create({ data: { userId: job.userId, id: uuidv7(), name: `${job.id} ${uuidv7()}` } });
          await reach('committing');
        },
      };
    },
  };
}

async function main(options: WorkerProcessOptions): Promise<void> {
  const logger = pino({ level: 'silent' });
  const pool = createPool(options.databaseUrl, {
    DATABASE_POOL_MAX: 5,
    DATABASE_POOL_MIN: 0,
    DATABASE_SSL: 'auto',
    isProduction: false,
    embedded: false,
  });
  const database = new Database(pool, { slowQueryMs: 60_000, statementTimeoutMs: 15_000 }, logger);
  const transport = new BullTransport({ ...options, logger });
  const reach = async (checkpoint: Checkpoint): Promise<void> => {
    if (checkpoint !== options.stopAt) return;
    process.stdout.write(`${checkpoint}\n`);
    await never();
  };
  const machine = buildMachine(database, {
    transport,
    leaseSeconds: options.leaseSeconds,
    concurrency: options.concurrency,
    handlers: handlersOf(options.workMs, reach),
  });
  const execute = machine.runner.execute.bind(machine.runner);
  machine.runner.execute = async (message) => {
    await reach('received');
    await execute(message);
    // The row is done, and Bull does not know yet.
    await reach('committed');
  };
  await machine.start();
  process.stdout.write('ready\n');
}

const given = process.env['JOBS_WORKER_OPTIONS'];
if (given) await main(JSON.parse(given) as WorkerProcessOptions);
