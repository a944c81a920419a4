import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { loadConfig } from '../../src/infrastructure/config/config.js';
import { resolveDatabaseUrl } from '../../src/infrastructure/config/secrets.js';
import { EmbeddedDatabase } from '../../src/infrastructure/database/embedded/embedded-database.js';

/** The checkout that the scripts run from. */
export const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
export const MIGRATIONS_DIR = path.join(PROJECT_DIR, 'prisma', 'migrations');

/** The database that a script works on, as the owner of its tables. */
export interface OwnerConnection {
  url: string;
  embedded: boolean;
  isProduction: boolean;
}

/** A refusal or a mistake of the caller's: printed without a stack trace. */
export class ScriptError extends Error {
  override name = 'ScriptError';
}

/**
 * Runs `work` on the database of the environment: DATABASE_MIGRATION_URL, else DATABASE_URL or PARAMETER_STORE_DB_URL,
 * else the embedded one of DATA_DIR, which is started for the time if nobody runs it.
 */
export async function withOwnerConnection<T>(work: (connection: OwnerConnection) => Promise<T>): Promise<T> {
  // A migration needs no signing key: what only the server asks for in production is not asked for here.
  const { DATABASE_URL, DATABASE_MIGRATION_URL, PARAMETER_STORE_DB_URL, DATA_DIR } = process.env;
  const config = loadConfig({ DATABASE_URL, DATABASE_MIGRATION_URL, PARAMETER_STORE_DB_URL, DATA_DIR });
  const isProduction = process.env['NODE_ENV'] === 'production';
  const url = config.DATABASE_MIGRATION_URL ?? (await resolveDatabaseUrl(config));
  if (url) return work({ url, embedded: false, isProduction });
  if (isProduction)
    throw new ScriptError('Set DATABASE_MIGRATION_URL or DATABASE_URL: production has no embedded database.');
  const embedded = await EmbeddedDatabase.open(config.DATA_DIR);
  try {
    return await work({ url: embedded.url, embedded: true, isProduction });
  } finally {
    await embedded.close();
  }
}

/** Runs `work` with one connection, which is closed afterwards. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'ai-media-search script' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Refuses what destroys data in production. @throws ScriptError */
export function refuseInProduction(connection: Pick<OwnerConnection, 'isProduction'>, command: string): void {
  if (connection.isProduction)
    throw new ScriptError(`${command} destroys data and refuses NODE_ENV=production.`);
}

/** Runs a script's main function; a failure is printed and ends the process with status 1. */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const expected = error instanceof Error && ['ScriptError', 'ConfigurationError'].includes(error.name);
    console.error(expected ? (error as Error).message : error);
    process.exitCode = 1;
  }
}
