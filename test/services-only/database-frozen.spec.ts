import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isUnavailable } from '../../src/infrastructure/database/sql-state.js';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { startPostgres, type ThrowawayPostgres } from '../harness/services/postgres.js';
import { fileURLToPath } from 'node:url';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
/** Requests are to end within 5 s; the rest is for a busy machine. Without any limit they would wait for ever. */
const ENDED_MS = 10_000;

let postgres: ThrowawayPostgres;
let app: TestApp;
let session: Session;

beforeAll(async () => {
  postgres = await startPostgres();
  await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(), PROJECT_DIR);
  app = await startTestApp({}, { jobs: false, databaseUrl: postgres.runtimeUrl() });
  session = await app.createSession();
}, 120_000);
afterAll(async () => {
  await app.stop();
  await postgres.stop();
});

/** Sends a signal to the server and to every one of its sessions. */
async function signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const pid = (await postgres.pid())!;
  const sessions = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  for (const process_ of [pid, ...sessions.split('\n').filter(Boolean).map(Number)])
    process.kill(process_, name);
}

const ask = () => app.http.get('/v1/me').set(session.headers);

it('B6: a frozen server is answered with 503 in time, and nothing is lost of the pool once it goes on', async () => {
  expect((await ask()).status).toBe(200);
  const pool = app.database.getPoolInfo();
  // A statement is under way when the server stops.
  const stuck = app.database
    .runAsSystem('maintenance', (tx) => tx.$queryRaw`SELECT 1 FROM pg_sleep(1)`, { timeoutMs: 2_000 })
    .catch((error: unknown) => error);
  await sleep(200);
  await signal('SIGSTOP');
  try {
    const started = performance.now();
    // More than there are connections: some find one, some must wait for one, some want a new one.
    const answers = await Promise.all(Array.from({ length: 2 * pool.max }, async () => ask()));
    expect(performance.now() - started).toBeLessThan(ENDED_MS);
    for (const answer of answers) {
      expect([answer.status, answer.body.code]).toEqual([503, 'database-unavailable']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(isUnavailable(await stuck)).toBe(true);
    expect((await app.http.get('/health/ready')).status).toBe(503);
    expect((await app.http.get('/health/live')).status).toBe(200);
  } finally {
    await signal('SIGCONT');
  }
  const resumed = performance.now();
  await app.eventually(async () => ((await ask()).status === 200 ? true : null));
  expect(performance.now() - resumed).toBeLessThan(ENDED_MS);
  await app.eventually(async () => {
    const { totalCount, idleCount, waitingCount } = app.database.getPoolInfo();
    return totalCount === idleCount && waitingCount === 0 ? true : null;
  });
  // The whole pool can be had again.
  const again = await Promise.all(Array.from({ length: pool.max }, async () => ask()));
  expect(again.map((answer) => answer.status)).toEqual(again.map(() => 200));
}, 120_000);
