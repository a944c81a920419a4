import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient, type Prisma } from './generated/client.js';

/** Runs one statement of an open transaction. @throws when the transaction has ended */
export type StatementRunner = (statement: unknown, values?: unknown) => Promise<pg.QueryResult>;

const joinedRunner = new AsyncLocalStorage<StatementRunner>();

/** Prisma's own limits never count: Database has one for the whole transaction. The largest delay of a Node timer. */
const NO_LIMIT_MS = 2 ** 31 - 1;
/** Database sends these itself, before and after everything that Prisma does. */
const BEGIN_AND_END = new Set(['BEGIN', 'COMMIT', 'ROLLBACK']);
const NO_ROWS = { rows: [], fields: [], rowCount: 0, command: '', oid: 0 } as pg.QueryResult;

/** Stands for the connection pool in front of Prisma's driver adapter, and gives it the connection that is open already. */
class JoiningPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: never): void;
  override connect(): Promise<pg.PoolClient> {
    const run = joinedRunner.getStore();
    if (!run) return Promise.reject(new Error('Prisma was asked for something outside of Database.run'));
    const connection = {
      query: (statement: { text: string }, values?: unknown) =>
        BEGIN_AND_END.has(statement.text) ? Promise.resolve(NO_ROWS) : run(statement, values),
      // Whoever opened the connection looks after it.
      release: () => undefined,
      on: () => undefined,
      removeListener: () => undefined,
    };
    return Promise.resolve(connection as unknown as pg.PoolClient);
  }
  override query(): never {
    throw new Error('Prisma was asked for something outside of Database.run');
  }
}

export type JoiningPrismaClient = PrismaClient<'query'>;

/** Prisma without connections of its own: it works in transactions that are open already ({@link JoinedPrisma}). */
export function createJoiningPrisma(): JoiningPrismaClient {
  return new PrismaClient({
    adapter: new PrismaPg(new JoiningPool()),
    log: [{ emit: 'event', level: 'query' }],
    errorFormat: 'minimal',
  });
}

/**
 * Prisma's part in one open transaction. To Prisma it is an interactive transaction, so what it batches is never mixed
 * with what another transaction asks for.
 */
export class JoinedPrisma {
  private readonly finished = Promise.withResolvers<void>();
  private readonly ended: Promise<unknown>;
  /** The client of the transaction. Rejects when Prisma cannot begin. */
  readonly client: Promise<Prisma.TransactionClient>;

  constructor(prisma: JoiningPrismaClient, run: StatementRunner) {
    const begun = Promise.withResolvers<Prisma.TransactionClient>();
    this.client = begun.promise;
    this.ended = joinedRunner.run(run, () =>
      prisma.$transaction(
        async (client) => {
          begun.resolve(client);
          await this.finished.promise;
        },
        { maxWait: NO_LIMIT_MS, timeout: NO_LIMIT_MS },
      ),
    );
    this.ended.catch(begun.reject);
    this.client.catch(() => undefined);
  }

  /** Lets Prisma forget the transaction; it is neither committed nor undone by that. */
  async end(): Promise<void> {
    this.finished.resolve();
    await this.ended.catch(() => undefined);
  }
}
