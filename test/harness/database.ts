import { cp } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import { runInScope } from '../../src/infrastructure/context/request-context.js';
import { Database } from '../../src/infrastructure/database/database.js';
import { EmbeddedDatabase } from '../../src/infrastructure/database/embedded/embedded-database.js';
import { createPool } from '../../src/infrastructure/database/pool.js';
import { ThrowawayPostgres } from './services/postgres.js';
import { testServices } from './test-services.js';

export interface TestDatabaseUrls {
  /** What the application gets as DATABASE_URL. */
  runtimeUrl: string;
  /** Superuser, to look behind row-level security in assertions and to break things on purpose. */
  adminUrl: string;
  /** DATABASE_URL is the embedded engine's. */
  embedded: boolean;
}

let urls: Promise<TestDatabaseUrls> | undefined;

/** The database of this Jest worker; made on first use from the template, shared by its test files. */
export function testDatabaseUrls(): Promise<TestDatabaseUrls> {
  urls ??= openWorkerDatabase(`worker_${process.env['JEST_WORKER_ID'] ?? '1'}`);
  return urls;
}

/** A database of its own, for a test that changes the schema or the server's state. */
export async function ownDatabaseUrls(name: string): Promise<TestDatabaseUrls> {
  return openWorkerDatabase(`${name}_${uuidv7().slice(-8)}`);
}

async function openWorkerDatabase(name: string): Promise<TestDatabaseUrls> {
  const services = testServices();
  if (services.kind === 'services' && services.postgres) {
    const postgres = new ThrowawayPostgres(services.postgres);
    const existing = new pg.Client({ connectionString: postgres.adminUrl });
    await existing.connect();
    const { rowCount } = await existing.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    await existing.end();
    if (rowCount === 0) await postgres.createDatabase(name, services.templateDatabase);
    const admin = new URL(postgres.adminUrl);
    admin.pathname = `/${name}`;
    return { runtimeUrl: postgres.runtimeUrl(name), adminUrl: admin.toString(), embedded: false };
  }
  const dataDir = path.join(services.runDir, name);
  await cp(services.templateDir ?? '', dataDir, { recursive: true, force: false, errorOnExist: false });
  // Left running for the next test file of this worker; it ends with the worker process.
  const database = await EmbeddedDatabase.open(dataDir);
  return { runtimeUrl: database.url, adminUrl: database.url, embedded: true };
}

/** Connects the product's own Database to the worker's database. */
export async function connectTestDatabase(
  options: { poolMax?: number; url?: string } = {},
): Promise<Database> {
  const { runtimeUrl, embedded } = await testDatabaseUrls();
  const pool = createPool(options.url ?? runtimeUrl, {
    DATABASE_POOL_MAX: options.poolMax ?? (embedded ? 5 : 10),
    DATABASE_POOL_MIN: 0,
    DATABASE_SSL: 'auto',
    isProduction: false,
    embedded,
  });
  return new Database(pool, { slowQueryMs: 60_000, statementTimeoutMs: 15_000 }, pino({ level: 'silent' }));
}

/** Raw client that row-level security does not bind. */
export async function connectAsSuperuser(url?: string): Promise<pg.Client> {
  const { adminUrl, embedded } = await testDatabaseUrls();
  const client = new pg.Client({ connectionString: url ?? adminUrl });
  await client.connect();
  return embedded ? inTransactions(client) : client;
}

/**
 * PGlite's socket server may mix the messages of two connections between transactions, so that a query with parameters
 * loses its unnamed statement (seen once: "unnamed prepared statement does not exist"). Inside a transaction a
 * connection has the engine to itself. The product only ever asks inside of one.
 */
function inTransactions(client: pg.Client): pg.Client {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<pg.QueryResult>;
  let open = false;
  client.query = (async (...args: unknown[]) => {
    const text = typeof args[0] === 'string' ? args[0] : String((args[0] as { text?: string }).text ?? '');
    const isPlain = !Array.isArray(args[1]) || args[1].length === 0;
    if (/^\s*(begin|start transaction)/i.test(text)) open = true;
    if (/^\s*(commit|rollback(?! to)|end)\b/i.test(text)) open = false;
    if (open || isPlain) return query(...args);
    await query('BEGIN');
    try {
      const result = await query(...args);
      await query('COMMIT');
      return result;
    } catch (error) {
      await query('ROLLBACK');
      throw error;
    }
  }) as typeof client.query;
  return client;
}

/** Runs `fn` in a request scope of this actor, as a request would. */
export function actingAs<T>(actor: Actor, fn: () => Promise<T>): Promise<T> {
  return runInScope({ requestId: uuidv7(), ipAddress: '127.0.0.1', userAgent: 'test', actor }, fn);
}
