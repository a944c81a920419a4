import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import type { DestinationStream } from 'pino';
import type { AiProviders } from './ai/ai.types.js';
import { createAiProviders } from './ai/create-ai-providers.js';
import { TextEmbedders } from './ai/text-embedders.js';
import { resolveDatabaseUrl, resolveJwtSecret } from './config/secrets.js';
import type { AppConfig } from './config/config.js';
import { tlsWarning } from './config/database-tls.js';
import { assertSafeDatabase } from './database/boot-checks.js';
import { Database, type ServerFacts } from './database/database.js';
import { EmbeddedDatabase } from './database/embedded/embedded-database.js';
import { runPrismaCli } from './database/migrate.js';
import { createPool } from './database/pool.js';
import { hasPendingMigrations } from './database/pending-migrations.js';
import { MediaTools } from './media-tools/media-tools.js';
import { createLogger, type Logger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import {
  connectLimiterRedis,
  MemoryRateLimiter,
  RedisRateLimiter,
  type RateLimiter,
} from './rate-limit/rate-limiter.js';
import {
  aiOptions,
  mediaFunctions,
  mediaToolsOptions,
  openAiOptions,
  storageOptions,
} from './runtime-options.js';
import { createStorage } from './storage/create-storage.js';
import type { ObjectStorage } from './storage/object-storage.js';

/** The checkout or image that this code runs from: holds prisma/, dist/, node_modules/. */
export const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS_DIR = path.join(PROJECT_DIR, 'prisma', 'migrations');
/** PGlite runs one transaction at a time: more connections only wait. */
const EMBEDDED_POOL_MAX = 10;

/** There, a statement's time is mostly the wait for its turn. */
const EMBEDDED_SLOW_QUERY_MS = 2000;

/** Which jobs a process has: serve HTTP, work on jobs, or both. */
export interface ProcessRole {
  readonly name: 'api' | 'worker' | 'all';
  readonly runsJobs: boolean;
}

/** Everything of the outside world that a process holds, made before Nest starts and closed after it stopped. */
export interface Runtime {
  config: AppConfig;
  role: ProcessRole;
  logger: Logger;
  metrics: Metrics;
  database: Database;
  databaseFacts: ServerFacts;
  databaseUrl: string;
  storage: ObjectStorage;
  mediaTools: MediaTools;
  ai: AiProviders;
  textEmbedders: TextEmbedders;
  rateLimiter: RateLimiter;
  signingSecret: string;
  close(): Promise<void>;
}

/**
 * Opens the outside world for one process. The embedded database is started and migrated on the way; a real one must
 * have been migrated by its owner.
 * @param logDestination where log lines go; standard output when left out
 * @throws UnsafeDatabaseError, or whatever the first thing that cannot be opened throws; nothing stays open then
 */
export async function createRuntime(
  config: AppConfig,
  role: ProcessRole,
  logDestination?: DestinationStream,
): Promise<Runtime> {
  const logger = createLogger(config.LOG_LEVEL, role.name, logDestination);
  const metrics = new Metrics();
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) {
      await closer().catch((error: Error) => logger.error({ reason: error.message }, 'closing failed'));
    }
  };
  try {
    const configuredUrl = await resolveDatabaseUrl(config);
    const databaseUrl = configuredUrl ?? (await openEmbedded(config, logger, closers));
    const warning = tlsWarning(databaseUrl, config);
    if (warning) logger.warn({ DATABASE_SSL: config.DATABASE_SSL }, warning);
    const poolMax = configuredUrl
      ? config.DATABASE_POOL_MAX
      : Math.min(config.DATABASE_POOL_MAX, EMBEDDED_POOL_MAX);
    const pool: pg.Pool = createPool(databaseUrl, {
      ...config,
      DATABASE_POOL_MAX: poolMax,
      DATABASE_POOL_MIN: Math.min(config.DATABASE_POOL_MIN, poolMax),
    });
    const database = new Database(
      pool,
      {
        slowQueryMs: config.embedded
          ? Math.max(config.DATABASE_SLOW_QUERY_MS, EMBEDDED_SLOW_QUERY_MS)
          : config.DATABASE_SLOW_QUERY_MS,
        statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
      },
      logger,
      (milliseconds, outcome) => metrics.transactionSeconds.observe({ outcome }, milliseconds / 1000),
    );
    closers.push(() => database.end());
    const databaseFacts = await assertSafeDatabase(
      database,
      { embedded: config.embedded, poolMax, migrationsDir: MIGRATIONS_DIR },
      logger,
    );

    const mediaTools = new MediaTools(mediaToolsOptions(config));
    const storage = createStorage(storageOptions(config));
    const ai = createAiProviders(aiOptions(config), mediaFunctions(mediaTools));
    const textEmbedders = new TextEmbedders(ai.textEmbedder, openAiOptions(config));
    const rateLimiter = openRateLimiter(config, logger, closers);
    const signingSecret = await resolveJwtSecret(config);
    return {
      config,
      role,
      logger,
      metrics,
      database,
      databaseFacts,
      databaseUrl,
      storage,
      mediaTools,
      ai,
      textEmbedders,
      rateLimiter,
      signingSecret,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openEmbedded(
  config: AppConfig,
  logger: Logger,
  closers: (() => Promise<unknown>)[],
): Promise<string> {
  const embedded = await EmbeddedDatabase.open(config.DATA_DIR);
  closers.push(() => embedded.close());
  if (await hasPendingMigrations(embedded.url, MIGRATIONS_DIR)) {
    logger.info('migrating the embedded database');
    await runPrismaCli(['migrate', 'deploy'], embedded.url, PROJECT_DIR);
  }
  return embedded.url;
}

function openRateLimiter(
  config: AppConfig,
  logger: Logger,
  closers: (() => Promise<unknown>)[],
): RateLimiter {
  if (!config.REDIS_URL) return new MemoryRateLimiter();
  const redis = connectLimiterRedis(config.REDIS_URL, logger);
  closers.push(async () => redis.disconnect());
  return new RedisRateLimiter(redis, logger);
}
