import { readFileSync } from 'node:fs';
import pg from 'pg';
import { ConfigurationError, type AppConfig } from '../config/config.js';
import { isUnixSocket, tlsFault } from '../config/database-tls.js';

/** Idle connections are closed after this (documents: 30 s). */
const IDLE_TIMEOUT_MS = 30_000;
/** A connection lives an hour at most, so that fail-overs and rebalanced poolers are followed. */
const MAX_LIFETIME_SECONDS = 3600;
/** Waiting longer for a connection means the pool is too small or stuck. */
const CONNECT_TIMEOUT_MS = 20_000;

export type PoolSettings = Pick<
  AppConfig,
  | 'DATABASE_POOL_MAX'
  | 'DATABASE_POOL_MIN'
  | 'DATABASE_SSL'
  | 'DATABASE_SSL_CA_FILE'
  | 'isProduction'
  | 'embedded'
>;

/** What a connection string may say about TLS in general; its certificates are named by other parameters. */
const TLS_PARAMETERS = ['sslmode', 'ssl', 'uselibpqcompat'];

/** Makes the application's pool (C35). @throws as {@link tlsOptions} */
export function createPool(connectionString: string, settings: PoolSettings): pg.Pool {
  return new pg.Pool({
    max: settings.DATABASE_POOL_MAX,
    min: settings.DATABASE_POOL_MIN,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'ai-media-search',
    // The embedded engine is one session behind many connections, and takes one message at a time.
    pipeline: !settings.embedded,
    ...tlsOptions(connectionString, settings),
  });
}

/** Whether the pool's connections take a statement before they have answered the one before. */
export const isPipelinedPool = (pool: pg.Pool): boolean =>
  (pool.options as { pipeline?: boolean }).pipeline ?? false;

/**
 * TLS (C51): verify-full in production unless told otherwise; "no-verify" must be asked for by name. A Unix socket has
 * none. Without a DATABASE_SSL the sslmode of the connection string decides; in production it must verify.
 * @throws ConfigurationError when it does not, or an error when DATABASE_SSL_CA_FILE cannot be read
 */
export function tlsOptions(
  connectionString: string,
  settings: PoolSettings,
): Pick<pg.PoolConfig, 'connectionString' | 'ssl'> {
  if (isUnixSocket(connectionString)) return { connectionString, ssl: false };
  const fault = tlsFault(connectionString, settings);
  if (fault) throw new ConfigurationError([{ variable: 'DATABASE_URL', message: fault }]);
  const url = new URL(connectionString);
  if (settings.DATABASE_SSL === 'auto' && (url.searchParams.has('sslmode') || !settings.isProduction))
    return { connectionString };
  // The driver lets the connection string win over `ssl`.
  const plain = TLS_PARAMETERS.some((name) => url.searchParams.has(name))
    ? without(url, TLS_PARAMETERS)
    : connectionString;
  return { connectionString: plain, ssl: sslOf(settings) };
}

function sslOf(settings: PoolSettings): pg.PoolConfig['ssl'] {
  if (settings.DATABASE_SSL === 'disable') return false;
  if (settings.DATABASE_SSL === 'no-verify') return { rejectUnauthorized: false };
  return {
    rejectUnauthorized: true,
    ...(settings.DATABASE_SSL_CA_FILE ? { ca: readFileSync(settings.DATABASE_SSL_CA_FILE, 'utf8') } : {}),
  };
}

function without(url: URL, parameters: string[]): string {
  const copy = new URL(url);
  for (const name of parameters) copy.searchParams.delete(name);
  return copy.toString();
}

/** The part of a connection string that may be logged: never the password. */
export function describeDatabase(connectionString: string): string {
  const url = new URL(connectionString);
  return `${url.hostname || 'local socket'}${url.port ? `:${url.port}` : ''}${url.pathname}`;
}
