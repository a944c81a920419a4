import type pg from 'pg';
import type { Prisma, PrismaClient } from './generated/client.js';
import { JoinedPrisma, type JoiningPrismaClient, type StatementRunner } from './joined-prisma.js';
import { rawStatement } from './raw-statement.js';
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
  timeoutMs: number;
  /** Told of each statement that did not go through Prisma. */
  observe: (text: string, durationMs: number) => void;
}

type Delegate = Record<string, (...args: unknown[]) => unknown>;

/**
 * One transaction on one connection. Raw statements go straight to the connection; the first use of a model lets Prisma
 * join (docs/adr/0010). Nothing reaches the connection once the transaction has ended: it may be somebody else's by then.
 */
export class OpenTransaction {
  /** What business code is given. */
  readonly handle: Transaction;
  private state: 'open' | 'expired' | 'ended' = 'open';
  private prismaPart: JoinedPrisma | null = null;
  private readonly limit: NodeJS.Timeout;
  private undone: Promise<void> | null = null;
  private settled = false;

  private constructor(
    private readonly connection: pg.PoolClient,
    private readonly prisma: JoiningPrismaClient,
    private readonly options: OpenTransactionOptions,
  ) {
    this.handle = this.createHandle();
    this.limit = setTimeout(() => this.expire(), options.timeoutMs);
  }

  /** @throws what the server says to BEGIN or to the opening; the connection must not be used again then */
  static async begin(
    connection: pg.PoolClient,
    prisma: JoiningPrismaClient,
    options: OpenTransactionOptions,
  ): Promise<OpenTransaction> {
    const { isolation, opening } = options;
    // One message with several statements: the transaction has taken on role and user before anything else can run.
    await connection.query(`BEGIN${isolation ? ` ISOLATION LEVEL ${isolation}` : ''}; ${opening}`);
    return new OpenTransaction(connection, prisma, options);
  }

  /** Whether the transaction has ended in a known way, so that its connection may be used again. */
  get isSettled(): boolean {
    return this.settled;
  }

  /** @throws TransactionTimeoutError, TransactionLostError, or what the server says to COMMIT */
  async commit(): Promise<void> {
    await this.prismaPart?.end();
    this.refuseUnlessOpen();
    this.close();
    const { command } = await this.connection.query('COMMIT');
    this.settled = true;
    if (command === 'ROLLBACK') throw new TransactionLostError();
  }

  /** Undoes the transaction, unless it has ended already. Never throws: a server that does not answer undoes it by itself. */
  async rollback(): Promise<void> {
    if (this.state === 'open') this.undo();
    await this.prismaPart?.end();
    await this.undone;
    this.close();
  }

  private close(): void {
    clearTimeout(this.limit);
    this.state = 'ended';
  }

  private undo(): void {
    this.undone ??= this.connection.query('ROLLBACK').then(
      () => {
        this.settled = true;
      },
      () => undefined,
    );
  }

  /** Locks are let go at once; whatever the caller asks for from now on is refused. */
  private expire(): void {
    if (this.state !== 'open') return;
    this.state = 'expired';
    this.undo();
  }

  private refuseUnlessOpen(): void {
    if (this.state === 'expired') throw new TransactionTimeoutError(this.options.timeoutMs);
    if (this.state === 'ended') throw new Error('the transaction has ended: await everything that it does');
  }

  private async send(...statement: Parameters<StatementRunner>): Promise<pg.QueryResult> {
    this.refuseUnlessOpen();
    return (await this.connection.query(...(statement as [pg.QueryConfig]))) as pg.QueryResult;
  }

  private async runRaw(
    query: Prisma.Sql | TemplateStringsArray,
    values: unknown[],
  ): Promise<pg.QueryResult<object>> {
    const statement = rawStatement(query, values);
    const started = performance.now();
    try {
      return await this.send(statement);
    } finally {
      this.options.observe(statement.text, performance.now() - started);
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
          this.prismaPart ??= new JoinedPrisma(this.prisma, (...statement) => this.send(...statement));
          const client = (await this.prismaPart.client) as unknown as Record<string, Delegate>;
          return client[model]![method]!(...args);
        };
      },
    });
  }
}
