import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { AppConfig } from '../config/config.js';

/** Idle connections are closed after this (documents: 30 s). */
const IDLE_TIMEOUT_MS = 30_000;
/** A connection lives an hour at most, so that fail-overs and rebalanced poolers are followed. */
const MAX_LIFETIME_SECONDS = 3600;
/** Waiting longer for a connection means the pool is too small, or the server is stuck (threat B6: 5 s). */
const CONNECT_TIMEOUT_MS = 5_000;
/** The embedded engine does one thing at a time, and everybody else waits. */
const EMBEDDED_CONNECT_TIMEOUT_MS = 20_000;

export type PoolSettings = Pick<
  AppConfig,
  | 'DATABASE_POOL_MAX'
  | 'DATABASE_POOL_MIN'
  | 'DATABASE_SSL'
  | 'DATABASE_SSL_CA_FILE'
  | 'isProduction'
  | 'embedded'
>;

/** Makes the application's pool (C35). @throws when DATABASE_SSL_CA_FILE cannot be read. */
export function createPool(connectionString: string, settings: PoolSettings): pg.Pool {
  return new pg.Pool({
    connectionString,
    max: settings.DATABASE_POOL_MAX,
    min: settings.DATABASE_POOL_MIN,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    connectionTimeoutMillis: settings.embedded ? EMBEDDED_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'ai-media-search',
    // The embedded engine is one session behind many connections, and takes one message at a time.
    pipeline: !settings.embedded,
    ...sslOption(connectionString, settings),
  });
}

/** Whether the pool's connections take a statement before they have answered the one before. */
export const isPipelinedPool = (pool: pg.Pool): boolean =>
  (pool.options as { pipeline?: boolean }).pipeline ?? false;

/**
 * TLS (C51): verify-full in production unless told otherwise; "no-verify" must be asked for by name. A Unix socket and
 * a connection string with its own sslmode decide for themselves.
 */
export function sslOption(
  connectionString: string,
  settings: PoolSettings,
): { ssl?: ConnectionOptions | false } {
  const url = new URL(connectionString);
  const viaUnixSocket = (url.searchParams.get('host') ?? url.hostname).includes('/');
  if (viaUnixSocket) return { ssl: false };
  if (settings.DATABASE_SSL === 'auto') {
    if (url.searchParams.has('sslmode')) return {};
    if (!settings.isProduction) return {};
  }
  if (settings.DATABASE_SSL === 'disable') return { ssl: false };
  if (settings.DATABASE_SSL === 'no-verify') return { ssl: { rejectUnauthorized: false } };
  return {
    ssl: {
      rejectUnauthorized: true,
      ...(settings.DATABASE_SSL_CA_FILE ? { ca: readFileSync(settings.DATABASE_SSL_CA_FILE, 'utf8') } : {}),
    },
  };
}

/** The part of a connection string that may be logged: never the password. */
export function describeDatabase(connectionString: string): string {
  const url = new URL(connectionString);
  return `${url.hostname || 'local socket'}${url.port ? `:${url.port}` : ''}${url.pathname}`;
}
