import type { Writable } from 'node:stream';
import type pg from 'pg';
import type { Prisma, PrismaClient } from './generated/client.js';
import { JoinedPrisma, type JoiningPrismaClient, type StatementRunner } from './joined-prisma.js';
import { plannedSender } from './prepared.js';
import { rawStatement, type RawStatement } from './raw-statement.js';
import { TransactionLostError, TransactionTimeoutError } from './transaction-errors.js';

/** A client inside one transaction. The only kind of client that business code ever sees. */
export type Transaction = Omit<
  PrismaClient,
  '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends' | '$queryRawUnsafe' | '$executeRawUnsafe'
>;

export interface OpenTransactionOptions {
  /** What the transaction takes on, sent together with its BEGIN: statements without parameters. */
  opening: string;
  isolation: string | null;
  /** Nothing is written: whoever commits does not wait for the answer. */
  isReadOnly: boolean;
  /** The connection takes statements before it has answered those before them. */
  isPipelined: boolean;
  /** Of statements marked as prepared; null: they are not prepared. */
  preparedGeneration: number | null;
  timeoutMs: number;
  /** Told of each statement that did not go through Prisma. */
  observe: (text: string, durationMs: number) => void;
}

/**
 * BEGIN takes a server no time: one that does not answer it is frozen or cut off, or has more to do than it can (threat
 * B6). Not so the embedded engine, a single session in which everybody waits for their turn.
 */
const BEGIN_LIMIT_MS = 4_000;
/** After its time limit, for the server to cancel what runs and to undo the transaction. */
const UNDO_LIMIT_MS = 2_000;

type Delegate = Record<string, (...args: unknown[]) => unknown>;

/**
 * One transaction on one connection. Raw statements go straight to the connection; the first use of a model lets Prisma
 * join (docs/adr/0010). Nothing reaches the connection once the transaction has ended: it may be somebody else's by then.
 */
export class OpenTransaction {
  /** What business code is given. */
  readonly handle: Transaction;
  /** Resolves at the end, to whether the connection is in order and may be used again. */
  readonly settled: Promise<boolean>;
  private state: 'open' | 'expired' | 'ended' = 'open';
  private readonly settle: (isInOrder: boolean) => void;
  private limit: NodeJS.Timeout;
  private prismaPart: JoinedPrisma | null = null;
  /** BEGIN and what the transaction takes on; sent with the first statement. */
  private begun: Promise<unknown> | null = null;
  private ending: Promise<string> | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly sendRaw = plannedSender<RawStatement, pg.QueryResult>((message) => this.exchange(message));
  /** A statement could not be put into words, and was never sent. */
  private lacksStatement = false;

  constructor(
    private readonly connection: pg.PoolClient,
    private readonly prisma: JoiningPrismaClient,
    private readonly options: OpenTransactionOptions,
  ) {
    ({ promise: this.settled, resolve: this.settle } = Promise.withResolvers<boolean>());
    this.handle = this.createHandle();
    this.limit = setTimeout(() => this.expire(), options.timeoutMs);
    void this.settled.then(() => clearTimeout(this.limit));
  }

  /**
   * The last part of the work: COMMIT is sent together with what `work` sends before it waits for anything. Statements
   * that come later are refused. When one of them fails, PostgreSQL makes that COMMIT a ROLLBACK.
   */
  async closeWith<T>(work: () => Promise<T>): Promise<T> {
    await this.prismaPart?.end();
    const answer = work();
    // Promises settle before the next tick: work that threw before it had sent everything has failed by then, and nothing
    // of what it did send may stay.
    await Promise.race([answer, nextTick()]);
    if (this.state === 'open') this.close(this.lacksStatement ? 'ROLLBACK' : 'COMMIT');
    return answer;
  }

  /** @throws TransactionTimeoutError, TransactionLostError, or what the server says to COMMIT */
  async commit(): Promise<void> {
    await this.prismaPart?.end();
    if (this.ending === null || this.state === 'expired') {
      this.refuseUnlessOpen();
      this.close('COMMIT');
    }
    if (this.options.isReadOnly || this.begun === null) return;
    if ((await this.ending) === 'ROLLBACK') throw new TransactionLostError();
  }

  /** Undoes the transaction, unless it has ended already. Never throws: a server that does not answer undoes it by itself. */
  async rollback(): Promise<void> {
    if (this.ending === null) this.close('ROLLBACK');
    await this.prismaPart?.end();
    await this.settled;
    this.state = 'ended';
  }

  private close(command: 'COMMIT' | 'ROLLBACK', state: 'expired' | 'ended' = 'ended'): void {
    this.state = state;
    const ending = this.begun === null ? Promise.resolve({ command }) : this.exchange(command);
    this.ending = ending.then((answer) => answer.command);
    this.ending.then(
      () => this.settle(true),
      () => this.settle(false),
    );
  }

  /**
   * Locks are let go at once; whatever the caller asks for from now on is refused. A server that does not even answer that
   * gets its connection cut, so that nobody waits for it for ever.
   */
  private expire(): void {
    if (this.state === 'open') this.close('ROLLBACK', 'expired');
    this.limit = setTimeout(() => this.cut(), UNDO_LIMIT_MS);
  }

  /** Whatever is under way fails as on a connection that broke. */
  private cut(): void {
    if (this.options.isPipelined) streamOf(this.connection).destroy();
  }

  private refuseUnlessOpen(): void {
    if (this.state === 'expired') throw new TransactionTimeoutError(this.options.timeoutMs);
    if (this.state === 'ended') throw new Error('the transaction has ended: await everything that it does');
  }

  /**
   * BEGIN and the opening are one message of several statements, so the transaction has taken on role and user before
   * anything else can run. Where the connection is pipelined they go out together with the first statement; should they
   * fail, PostgreSQL refuses that one too, because its transaction is aborted.
   */
  private begin(): Promise<unknown> {
    if (this.begun) return this.begun;
    const { isolation, opening, isReadOnly } = this.options;
    const modes = [isolation ? ` ISOLATION LEVEL ${isolation}` : '', isReadOnly ? ' READ ONLY' : ''];
    this.begun = this.exchange(`BEGIN${modes.join('')}; ${opening}`);
    const limit = setTimeout(() => this.cut(), BEGIN_LIMIT_MS);
    const answered = (): void => clearTimeout(limit);
    this.begun.then(answered, answered);
    return this.begun;
  }

  private async send(exchange: () => Promise<pg.QueryResult>): Promise<pg.QueryResult> {
    this.refuseUnlessOpen();
    if (this.options.isPipelined) writeTogether(this.connection);
    // Everything is put in order before anything is waited for: what comes later must not slip in between, or behind COMMIT.
    const begun = this.begin();
    const answer = exchange();
    answer.catch(() => undefined);
    await begun;
    return answer;
  }

  /**
   * Sends a message and waits for its answer. A connection that is not pipelined has one message under way at a time, and
   * gets none if it could not begin.
   */
  private exchange(...message: Parameters<StatementRunner>): Promise<pg.QueryResult> {
    const query = (): Promise<pg.QueryResult> =>
      this.connection.query(...(message as [pg.QueryConfig])) as Promise<pg.QueryResult>;
    if (this.options.isPipelined) return query();
    const { begun } = this;
    const answer = this.turn.then(() => begun).then(query);
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  private async runRaw(
    query: Prisma.Sql | TemplateStringsArray,
    values: unknown[],
  ): Promise<pg.QueryResult<object>> {
    const statement = this.worded(query, values);
    const started = performance.now();
    try {
      return await this.send(() => this.sendRaw(statement));
    } finally {
      this.options.observe(statement.text, performance.now() - started);
    }
  }

  private worded(query: Prisma.Sql | TemplateStringsArray, values: unknown[]): RawStatement {
    try {
      return rawStatement(query, values, this.options.preparedGeneration);
    } catch (error) {
      this.lacksStatement = true;
      throw error;
    }
  }

  private createHandle(): Transaction {
    const delegates = new Map<string, Delegate>();
    const raw: Delegate = {
      $queryRaw: async (query, ...values) => (await this.runRaw(query as Prisma.Sql, values)).rows,
      $executeRaw: async (query, ...values) => (await this.runRaw(query as Prisma.Sql, values)).rowCount ?? 0,
    };
    return new Proxy({} as Transaction, {
      get: (_, property) => {
        // A promise resolved with the handle asks for its `then`.
        if (typeof property !== 'string' || property === 'then') return undefined;
        if (property.startsWith('$')) return raw[property];
        let delegate = delegates.get(property);
        if (!delegate) delegates.set(property, (delegate = this.createDelegate(property)));
        return delegate;
      },
    });
  }

  /** `tx.tag` and the like: Prisma joins with the first call. */
  private createDelegate(model: string): Delegate {
    return new Proxy({} as Delegate, {
      get: (_, method) => {
        if (typeof method !== 'string' || method === 'then') return undefined;
        return async (...args: unknown[]) => {
          this.refuseUnlessOpen();
          this.prismaPart ??= new JoinedPrisma(this.prisma, (...statement) =>
            this.send(() => this.exchange(...statement)),
          );
          const client = (await this.prismaPart.client) as unknown as Record<string, Delegate>;
          return client[model]![method]!(...args);
        };
      },
    });
  }
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** What is sent in this tick leaves in one write: system calls cost a small statement more than it costs the server. */
export function writeTogether(connection: pg.ClientBase): void {
  const stream = streamOf(connection);
  stream.cork();
  process.nextTick(() => stream.uncork());
}

const streamOf = (connection: pg.ClientBase): Writable =>
  (connection as unknown as { connection: { stream: Writable } }).connection.stream;
