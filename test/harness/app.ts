import { mkdtemp } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DestinationStream } from 'pino';
import supertest from 'supertest';
import { v7 as uuidv7 } from 'uuid';
import { createApplication } from '../../src/application.js';
import { AccessTokens } from '../../src/infrastructure/auth/access-tokens.js';
import { loadConfig } from '../../src/infrastructure/config/config.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { createRuntime, type Runtime } from '../../src/infrastructure/runtime.js';
import { issueRefreshToken } from '../../src/modules/users/sessions.js';
import { prepareInstallation } from '../../src/start-up/prepare-installation.js';
import { createUser, type TestUser } from '../factories/users.js';
import { testDatabaseUrls } from './database.js';
import { testServices } from './test-services.js';

export interface Session extends TestUser {
  accessToken: string;
  refreshToken: string;
  /** Headers for supertest: `.set(session.headers)`. */
  headers: { Authorization: string };
}

export interface TestApp {
  url: string;
  nest: NestExpressApplication;
  runtime: Runtime;
  database: Database;
  /** Supertest against the listening server. */
  http: ReturnType<typeof supertest>;
  /** A fresh user with a session, made in the database: no registration, no rate limit, no password hashing. */
  createSession(overrides?: Parameters<typeof createUser>[1]): Promise<Session>;
  /** Waits until `read` gives something other than null or undefined. @throws after `timeoutMs` */
  eventually<T>(read: () => Promise<T | null | undefined>, timeoutMs?: number): Promise<T>;
  stop(): Promise<void>;
}

/** Headroom under every time limit of the suite. */
const EVENTUALLY_MS = 40_000;

/**
 * The whole product on a random port, on this worker's database, with jobs in this process (embedded), or on Bull with
 * Redis when the suite runs on services.
 * @param env further environment variables, e.g. { JOB_POLL_MS: '100' }
 * @param options.jobs false: uploads stay queued, for tests that look at the state before
 */
export async function startTestApp(
  env: Record<string, string> = {},
  options: { jobs?: boolean; databaseUrl?: string; logDestination?: DestinationStream } = {},
): Promise<TestApp> {
  const services = testServices();
  const { runtimeUrl, embedded } = await testDatabaseUrls();
  const dataDir = await mkdtemp(path.join(services.runDir, 'app-'));
  const config = {
    ...loadConfig({
      NODE_ENV: 'test',
      PORT: '0',
      DATA_DIR: dataDir,
      DATABASE_URL: options.databaseUrl ?? runtimeUrl,
      DATABASE_POOL_MAX: embedded ? '5' : '10',
      DATABASE_POOL_MIN: '0',
      // A Redis database per Jest worker: an app on another database would drop this one's messages.
      ...(services.redisUrl
        ? { REDIS_URL: `${services.redisUrl}/${process.env['JEST_WORKER_ID'] ?? '1'}` }
        : {}),
      JWT_SECRET: 'test-secret-of-at-least-thirty-two-characters',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
      JOB_POLL_MS: '200',
      JOB_RETRY_BASE_MS: '50',
      ...env,
    }),
    // The test passes the embedded engine as a URL; to the product it is still the engine with one superuser.
    embedded,
  };
  const runsJobs = options.jobs ?? true;
  const runtime = await createRuntime(
    config,
    { name: runsJobs ? 'all' : 'api', runsJobs },
    options.logDestination,
  );
  await prepareInstallation(runtime);
  const { nest } = await createApplication(runtime);
  await nest.listen(0, '127.0.0.1');
  const { port } = nest.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const tokens = new AccessTokens(runtime.signingSecret, config.ACCESS_TOKEN_SECONDS);
  return {
    url,
    nest,
    runtime,
    database: runtime.database,
    http: supertest(url),
    createSession: (overrides) => createSession(runtime.database, tokens, overrides),
    eventually,
    stop: async () => {
      await nest.close();
      await runtime.close();
    },
  };
}

async function createSession(
  database: Database,
  tokens: AccessTokens,
  overrides?: Parameters<typeof createUser>[1],
): Promise<Session> {
  const user = await createUser(database, overrides);
  const sessionId = uuidv7();
  const refreshToken = await database.runAsSystem('auth.authenticate', (tx) =>
    issueRefreshToken(tx, user.id, sessionId, 3600),
  );
  const accessToken = await tokens.sign({ userId: user.id, sessionId });
  return { ...user, accessToken, refreshToken, headers: { Authorization: `Bearer ${accessToken}` } };
}

/**
 * Plans count API calls by the hour, 100 of them on the free one: a slow machine must not use them up by asking. So the
 * pauses grow with the time that has passed: some 45 questions in 40 seconds, and 85 in two minutes. They stay below the
 * time after which an idle connection is closed.
 */
const FIRST_PAUSE_MS = 100;
const PAUSE_PER_WAIT = 0.1;
const LONGEST_PAUSE_MS = 2_000;

async function eventually<T>(
  read: () => Promise<T | null | undefined>,
  timeoutMs = EVENTUALLY_MS,
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const value = await read();
    if (value !== null && value !== undefined) return value;
    const waitedMs = performance.now() - started;
    if (waitedMs > timeoutMs) throw new Error(`what the test waits for did not happen in ${timeoutMs} ms`);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, waitedMs * PAUSE_PER_WAIT));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
