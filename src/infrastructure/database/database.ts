import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { DATABASE_ROLES, type Actor, type SystemPlace } from '../context/actor.js';
import { currentScope } from '../context/request-context.js';
import { createJoiningPrisma, type JoiningPrismaClient } from './joined-prisma.js';
import { OpenTransaction, type Transaction } from './open-transaction.js';
import { isPipelinedPool } from './pool.js';
import { outdatesPrepared, refusesPrepared } from './prepared.js';
import { isRetryable, sqlStateOf } from './sql-state.js';
import { ServerSilentError } from './transaction-errors.js';

export type { Transaction } from './open-transaction.js';

/** Planner and memory settings that a transaction may take on, local to it. */
export type TransactionSettings = Readonly<
  Partial<
    Record<
      'jit' | 'max_parallel_workers_per_gather' | 'work_mem' | 'hnsw.ef_search' | 'hnsw.iterative_scan',
      string
    >
  >
>;

export interface RunOptions {
  isolation?: keyof typeof ISOLATION_LEVELS;
  /** The transaction is rolled back after this. Transactions never wait for the outside world, so it is short. */
  timeoutMs?: number;
  settings?: TransactionSettings;
  /** Writes are refused, and nobody waits for the end of the transaction. */
  readOnly?: boolean;
  /** `fn` sends all of its statements before it waits for any: COMMIT is sent together with them. */
  single?: boolean;
}

export interface DatabaseSettings {
  slowQueryMs: number;
  statementTimeoutMs: number;
}

export interface PoolInfo {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
  max: number;
}

const { escapeLiteral } = pg;
const MAX_ATTEMPTS = 4;
/** A server that gave no transaction an answer for so long is frozen, or far too busy. */
const SILENCE_MS = 4_000;
const ISOLATION_LEVELS = {
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
} as const;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What runs in a transaction. What it gives to `closeWith` is its last part: see {@link OpenTransaction.closeWith}. */
type Work<T> = (
  tx: Transaction,
  closeWith: <Answer>(part: () => Promise<Answer>) => Promise<Answer>,
) => Promise<T>;

interface Open {
  transaction: Transaction;
  actor: Actor;
}

/**
 * The one door to the database. Every statement runs inside a short transaction whose first statement takes on the
 * role and the user of the actor; row-level security does the rest. There is no other way to get a client.
 */
export class Database {
  private readonly prisma: JoiningPrismaClient;
  private readonly open = new AsyncLocalStorage<Open | null>();
  private queriesInFlight = 0;
  /** When the server last did what a transaction asked for. */
  private answeredAt = 0;
  /** Of prepared statements; null: none are prepared. */
  private preparedGeneration: number | null = 0;

  constructor(
    private readonly pool: pg.Pool,
    private readonly settings: DatabaseSettings,
    private readonly logger: Logger,
    private readonly observe: (milliseconds: number, outcome: 'ok' | 'error') => void = () => undefined,
  ) {
    pool.on('error', (error) => logger.error({ err: { message: error.message } }, 'database pool error'));
    pool.on('connect', () => logger.debug('database client connected'));
    this.prisma = createJoiningPrisma();
    this.prisma.$on('query', ({ query, duration }) => this.noteSlow(query, duration));
  }

  /**
   * Runs `fn` in one transaction in the name of the current actor (request or job). Nested calls join the open one.
   * Serialization failures and deadlocks are tried again, so `fn` must have no effects outside the transaction.
   * @throws Error when nobody is authenticated; whatever `fn` throws, after a rollback.
   */
  run<T>(fn: (tx: Transaction) => Promise<T>, options: RunOptions = {}): Promise<T> {
    return this.runAs(this.currentActor(), fn, options);
  }

  /** Runs `fn` as the system, from one of the named places (SYSTEM_PLACES). */
  runAsSystem<T>(
    place: SystemPlace,
    fn: (tx: Transaction) => Promise<T>,
    options: RunOptions = {},
  ): Promise<T> {
    return this.runAs({ kind: 'system', userId: null, place }, fn, options);
  }

  /**
   * As `run`, in two parts: `last` is given what `first` came to, and sends all of its statements before it waits for
   * any. COMMIT is sent together with them, so that all of these cost one round trip.
   */
  runInTwo<Prepared, T>(
    first: (tx: Transaction) => Promise<Prepared>,
    last: (tx: Transaction, prepared: Prepared) => Promise<T>,
    options: RunOptions = {},
  ): Promise<T> {
    const work: Work<T> = async (tx, closeWith) => {
      const prepared = await first(tx);
      return closeWith(() => last(tx, prepared));
    };
    return this.execute(this.currentActor(), work, options);
  }

  /** Runs `fn` in the name of a given actor. For guards and job runners; business code uses `run`. */
  runAs<T>(actor: Actor, fn: (tx: Transaction) => Promise<T>, options: RunOptions = {}): Promise<T> {
    return this.execute(actor, options.single ? (tx, closeWith) => closeWith(() => fn(tx)) : fn, options);
  }

  private currentActor(): Actor {
    const actor = currentScope()?.actor ?? this.open.getStore()?.actor;
    if (!actor)
      throw new Error('Database.run was called without an actor: nobody is authenticated in this scope');
    return actor;
  }

  private async execute<T>(actor: Actor, work: Work<T>, options: RunOptions): Promise<T> {
    const outer = this.open.getStore();
    if (outer) {
      // A second transaction inside an open one could wait for its own caller for ever (and does on one connection).
      if (outer.actor.kind !== actor.kind || outer.actor.userId !== actor.userId) {
        throw new Error(`a transaction of ${outer.actor.kind} is open: ${actor.kind} cannot join it`);
      }
      return work(outer.transaction, (part) => part());
    }
    for (let attempt = 1; ; attempt += 1) {
      const generation = this.preparedGeneration;
      try {
        return await this.runOnce(actor, work, options);
      } catch (error) {
        const isWorthIt = isRetryable(error) || this.preparesOtherwise(error, generation);
        if (!isWorthIt || attempt >= MAX_ATTEMPTS) throw error;
        this.logger.debug({ attempt, sqlState: sqlStateOf(error) }, 'transaction is run again');
        await sleep(2 ** attempt * 5 * (0.5 + Math.random()));
      }
    }
  }

  private async runOnce<T>(actor: Actor, work: Work<T>, options: RunOptions): Promise<T> {
    const opening = openingStatement(this.settingsOf(actor, options.settings));
    const started = performance.now();
    this.queriesInFlight += 1;
    try {
      const result = await this.inTransaction(opening, options, (transaction, closeWith) =>
        this.open.run({ transaction, actor }, () => work(transaction, closeWith)),
      );
      this.answeredAt = performance.now();
      this.observe(this.answeredAt - started, 'ok');
      return result;
    } catch (error) {
      this.observe(performance.now() - started, 'error');
      const sqlState = sqlStateOf(error);
      if (sqlState)
        this.logger.debug({ sqlState, durationMs: performance.now() - started }, 'transaction failed');
      throw error;
    } finally {
      this.queriesInFlight -= 1;
    }
  }

  /**
   * A connection whose transaction could not be begun or ended is closed, not used again: nobody knows what state it is
   * in (threat B7).
   */
  private async inTransaction<T>(opening: string, options: RunOptions, work: Work<T>): Promise<T> {
    const connection = await this.borrow();
    // While it is lent the pool does not listen: a connection that breaks between two statements would end the process.
    const onError = ({ message }: Error): void =>
      this.logger.error({ err: { message } }, 'database connection error');
    connection.on('error', onError);
    const isPipelined = isPipelinedPool(this.pool);
    const open = new OpenTransaction(connection, this.prisma, {
      opening,
      isolation: options.isolation ? ISOLATION_LEVELS[options.isolation] : null,
      isReadOnly: options.readOnly ?? false,
      isPipelined,
      preparedGeneration: isPipelined ? this.preparedGeneration : null,
      timeoutMs: options.timeoutMs ?? this.settings.statementTimeoutMs + 5_000,
      observe: (text, durationMs) => this.noteSlow(text, durationMs),
    });
    void open.settled.then((isInOrder) => {
      connection.removeListener('error', onError);
      connection.release(!isInOrder);
    });
    try {
      const result = await work(open.handle, (part) => open.closeWith(part));
      await open.commit();
      return result;
    } catch (error) {
      await open.rollback();
      throw error;
    }
  }

  /**
   * Takes a connection out of the pool. Waiting for one is given up early when the server answers nobody (threat B6):
   * then there is neither a free one to be had nor a new one.
   */
  private async borrow(): Promise<pg.PoolClient> {
    const connection = this.pool.connect();
    // The embedded engine is busy, not silent.
    const { idleCount, waitingCount } = this.pool;
    const isThere = idleCount > 0 && idleCount >= waitingCount;
    if (isThere || !isPipelinedPool(this.pool)) return connection;
    const since = performance.now();
    const silence = Promise.withResolvers<never>();
    const watch = setInterval(() => {
      if (performance.now() - Math.max(since, this.answeredAt) > SILENCE_MS)
        silence.reject(new ServerSilentError(SILENCE_MS));
    }, SILENCE_MS / 10);
    try {
      return await Promise.race([connection, silence.promise]);
    } catch (error) {
      connection.then(
        (late) => late.release(),
        () => undefined,
      );
      throw error;
    } finally {
      clearInterval(watch);
    }
  }

  /**
   * Behind some poolers prepared statements do not work: then none are prepared any more. When a migration has changed
   * tables under them, all connections prepare theirs anew, under other names. The transaction that found out did nothing,
   * and is run again.
   * @param generation the one that the transaction used; others that found out at the same time change nothing more
   */
  private preparesOtherwise(error: unknown, generation: number | null): boolean {
    const isOutdated = outdatesPrepared(error);
    if (!isOutdated && !refusesPrepared(error)) return false;
    if (generation !== null && this.preparedGeneration === generation) {
      this.preparedGeneration = isOutdated ? generation + 1 : null;
      this.logger.warn(
        { sqlState: sqlStateOf(error) },
        isOutdated
          ? 'statements are prepared anew'
          : 'prepared statements do not work here: going on without',
      );
    }
    return true;
  }

  /** C52: never the parameters; they hold personal text and vectors. */
  private noteSlow(query: string, durationMs: number): void {
    if (durationMs < this.settings.slowQueryMs) return;
    this.logger.warn(
      { durationMs: Math.round(durationMs), query: query.replace(/\s+/g, ' ').slice(0, 100) },
      'slow query',
    );
  }

  /** What every transaction takes on before anything else, all local to it: role, user, time limit, settings. */
  private settingsOf(actor: Actor, settings: TransactionSettings = {}): Record<string, string> {
    const userId = actor.userId ?? '';
    if (userId !== '' && !UUID.test(userId)) throw new Error('the actor has no valid user id');
    return {
      role: DATABASE_ROLES[actor.kind],
      'app.current_user_id': userId,
      statement_timeout: String(this.settings.statementTimeoutMs),
      ...settings,
    };
  }

  /** True when the database answers. Never throws. */
  async healthCheck(): Promise<boolean> {
    try {
      await this.pool.query('SELECT 1');
      return true;
    } catch (error) {
      this.logger.error({ sqlState: sqlStateOf(error) }, 'database health check failed');
      return false;
    }
  }

  getPoolInfo(): PoolInfo {
    return {
      totalCount: this.pool.totalCount,
      idleCount: this.pool.idleCount,
      waitingCount: this.pool.waitingCount,
      max: this.pool.options.max ?? 0,
    };
  }

  /**
   * Facts about the login and the server, asked with the runtime login itself (no role taken on). For start-up checks
   * and health only: this is the one query outside of `run`.
   */
  async inspectServer(): Promise<ServerFacts> {
    const { rows } = await this.pool.query<ServerFacts>(`
      SELECT r.rolsuper AS "isSuperuser", r.rolbypassrls AS "bypassesRls",
        (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND pg_has_role(session_user, c.relowner, 'MEMBER')) AS "ownedTables",
        (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')) AS "tables",
        current_setting('server_version_num')::int AS "serverVersion", version() AS "versionText",
        (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS "vectorVersion",
        current_setting('max_connections')::int AS "maxConnections",
        (SELECT count(*)::int FROM pg_roles p WHERE p.rolname IN ('app_user', 'app_admin', 'app_system')
          AND pg_has_role(session_user, p.oid, 'MEMBER')) AS "grantedRoles",
        ARRAY(SELECT p.rolname::text FROM pg_roles p
          WHERE p.rolname IN ('app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader')
            AND pg_has_role(session_user, p.oid, 'USAGE') ORDER BY 1) AS "inheritedRoles"
      FROM pg_roles r WHERE r.rolname = session_user`);
    const facts = rows[0];
    if (!facts) throw new Error('the database login is not in pg_roles');
    return facts;
  }

  /** Waits for transactions under way, then closes the pool. */
  async end(): Promise<void> {
    for (let waited = 0; this.queriesInFlight > 0 && waited < 10_000; waited += 50) await sleep(50);
    await this.prisma.$disconnect();
    if (!this.pool.ended) await this.pool.end();
  }
}

/** As text, because it travels with BEGIN: constants, a checked UUID and numbers, each escaped as a literal. */
function openingStatement(settings: Record<string, string>): string {
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, true)`,
  );
  return `SELECT ${calls.join(', ')}`;
}

export interface ServerFacts {
  isSuperuser: boolean;
  bypassesRls: boolean;
  ownedTables: number;
  tables: number;
  serverVersion: number;
  versionText: string;
  vectorVersion: string | null;
  maxConnections: number;
  /** How many of app_user, app_admin and app_system the login may take on. */
  grantedRoles: number;
  /** Roles of the application whose rights the login has without taking them on; of a superuser, all. */
  inheritedRoles: string[];
}
