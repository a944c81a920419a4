import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Bull from 'bull';
import type pg from 'pg';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';
import { BullTransport } from '../../src/infrastructure/queue/bull-transport.js';
import type { JobContext, JobResult } from '../../src/modules/jobs/jobs.types.js';
import { createUser } from '../factories/users.js';
import { connectAsSuperuser, connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
import { startRedis, type ThrowawayRedis } from '../harness/services/redis.js';
import {
  buildMachine,
  enqueue,
  eventually,
  gate,
  insertMedia,
  whenJob,
  type Machine,
  type MachineOptions,
} from '../integration/jobs-machine.js';

const PREFIX = 'jobs-redis-test';
const JOBS = Number(process.env['JOBS_QUEUED'] ?? 200);

let database: Database;
let superuser: pg.Client;
let redis: ThrowawayRedis;
const machines: Machine[] = [];

beforeAll(async () => {
  const urls = await ownDatabaseUrls('jobs_redis');
  database = await connectTestDatabase({ url: urls.runtimeUrl });
  superuser = await connectAsSuperuser(urls.adminUrl);
});
// A Redis of its own: it is flushed and killed.
beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.stop();
  await redis.stop();
});
afterAll(async () => {
  await superuser.end();
  await database.end();
});

function machineOf(options: MachineOptions = {}): Machine {
  const logger = pino({ level: 'silent' });
  const transport = new BullTransport({ redisUrl: redis.url, prefix: PREFIX, leaseSeconds: 2, logger });
  // No worker dies here: a job whose lease ran out would only tell that the machine was busy.
  const machine = buildMachine(database, { transport, leaseSeconds: 60, concurrency: 4, ...options });
  machines.push(machine);
  return machine;
}

const withEffect = async ({ job }: JobContext): Promise<JobResult> => ({
  commit: async (tx) => {
    await tx.tag.create({ data: { userId: job.userId, id: uuidv7(), name: `${job.id} ${uuidv7()}` } });
  },
});

/** Writes one job for each of so many files; returns how long each took in ms. */
async function queueMany(machine: Machine, userId: string, count: number): Promise<number[]> {
  const durations: number[] = [];
  for (let file = 0; file < count; file += 1) {
    const mediaFileId = await insertMedia(database, userId);
    const started = performance.now();
    await enqueue(machine, database, userId, [{ jobType: 'thumbnail', mediaFileId }]);
    durations.push(performance.now() - started);
  }
  return durations;
}

async function countsOf(userId: string): Promise<{ completed: number; effects: number; attempts: number }> {
  const { rows } = await superuser.query<{ completed: number; effects: number; attempts: number }>(
    `SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed, coalesce(max(attempts), 0)::int AS attempts,
       (SELECT count(*)::int FROM tags WHERE user_id = $1) AS effects
     FROM processing_jobs WHERE user_id = $1`,
    [userId],
  );
  return rows[0] ?? { completed: 0, effects: 0, attempts: 0 };
}

it(`B4: all of ${JOBS} queued jobs are done, once, after Redis was flushed`, async () => {
  const user = await createUser(database, { subscriptionTier: 'ultimate' });
  const machine = machineOf({ handlers: { thumbnail: withEffect } });
  await queueMany(machine, user.id, JOBS);
  await machine.start();
  await eventually(async () => (await countsOf(user.id)).completed >= JOBS / 10);
  await redis.flushAll();
  const flushedAt = performance.now();
  await eventually(async () => (await countsOf(user.id)).completed === JOBS, 55_000);
  process.stdout.write(`flushed: the rest was done ${Math.round(performance.now() - flushedAt)} ms later\n`);
  expect(await countsOf(user.id)).toEqual({ completed: JOBS, effects: JOBS, attempts: 1 });
});

it('B5: jobs are accepted at once while Redis is down, and done when it is back', async () => {
  const user = await createUser(database, { subscriptionTier: 'ultimate' });
  const machine = machineOf({ handlers: { thumbnail: withEffect } });
  await machine.start();
  await eventually(async () => (await machine.transport.health()).ok);
  await redis.kill();
  await eventually(async () => !(await machine.transport.health()).ok);
  const durations = (await queueMany(machine, user.id, 100)).sort((a, b) => a - b);
  process.stdout.write(`Redis down: p95 of writing a job ${Math.round(durations[94] ?? 0)} ms\n`);
  expect(durations[94]).toBeLessThan(1_000);
  expect((await countsOf(user.id)).completed).toBe(0);
  expect(await machine.transport.health()).toEqual({ ok: false, detail: 'Redis is not connected' });
  await redis.restart();
  const backAt = performance.now();
  await eventually(async () => (await countsOf(user.id)).completed === 100, 40_000);
  process.stdout.write(`Redis back: 100 jobs done ${Math.round(performance.now() - backAt)} ms later\n`);
  expect(await countsOf(user.id)).toEqual({ completed: 100, effects: 100, attempts: 1 });
});

it('starts without Redis, and works once it is there', async () => {
  const user = await createUser(database);
  await redis.kill();
  const machine = machineOf({ handlers: { thumbnail: withEffect } });
  await machine.start();
  const mediaFileId = await insertMedia(database, user.id);
  const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await redis.restart();
  await whenJob(database, user.id, jobId, 'completed');
});

describe('B6: a frozen Redis', () => {
  it('holds nobody up, and is used again when it thaws', async () => {
    const user = await createUser(database);
    const machine = machineOf({ handlers: { thumbnail: withEffect } });
    await machine.start();
    await eventually(async () => (await machine.transport.health()).ok);
    const pid = (await redis.pid()) ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      // Redis would keep it waiting for two seconds; of several, the quickest tells it from a busy machine.
      const waits: number[] = [];
      let jobId = '';
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const mediaFileId = await insertMedia(database, user.id);
        const started = performance.now();
        [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
        waits.push(performance.now() - started);
      }
      expect(Math.min(...waits)).toBeLessThan(1_000);
      const asked = performance.now();
      expect((await machine.transport.health()).ok).toBe(false);
      expect(performance.now() - asked).toBeLessThan(10_000);
      process.kill(pid, 'SIGCONT');
      await whenJob(database, user.id, jobId, 'completed');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

it('does a job once when Bull delivers it five times', async () => {
  const user = await createUser(database);
  const hold = gate();
  let starts = 0;
  const machine = machineOf({
    concurrency: 6,
    handlers: {
      thumbnail: async (context) => {
        starts += 1;
        await hold.promise;
        return withEffect(context);
      },
    },
  });
  await machine.start();
  const mediaFileId = await insertMedia(database, user.id);
  const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
  await whenJob(database, user.id, jobId, 'processing');
  const queue = new Bull('jobs', redis.url, { prefix: PREFIX });
  for (let copy = 0; copy < 5; copy += 1)
    await queue.add({ jobId, userId: user.id }, { jobId: `copy ${copy}` });
  await eventually(async () => (await queue.getCompletedCount()) === 5);
  hold.open();
  await whenJob(database, user.id, jobId, 'completed');
  expect(starts).toBe(1);
  expect(await countsOf(user.id)).toEqual({ completed: 1, effects: 1, attempts: 1 });
  await queue.close();
});

it('leaves nothing of finished jobs in Redis', async () => {
  const user = await createUser(database);
  const machine = machineOf({ handlers: { thumbnail: withEffect } });
  await machine.start();
  await queueMany(machine, user.id, 10);
  await eventually(async () => (await countsOf(user.id)).completed === 10);
  const queue = new Bull('jobs', redis.url, { prefix: PREFIX });
  await eventually(async () => {
    const counts = await queue.getJobCounts();
    return Object.values(counts).every((count) => count === 0);
  });
  const keys = await queue.client.keys('*');
  expect(keys.filter((key) => /[0-9a-f]{8}-[0-9a-f]{4}/.test(key))).toEqual([]);
  await queue.close();
});
