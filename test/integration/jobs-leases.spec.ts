import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';
import { InProcessTransport } from '../../src/infrastructure/queue/in-process-transport.js';
import type { JobResult } from '../../src/modules/jobs/jobs.types.js';
import { createUser } from '../factories/users.js';
import { connectAsSuperuser, connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
import {
  asUser,
  buildMachine,
  enqueue,
  eventually,
  gate,
  insertMedia,
  readJob,
  readMediaStatus,
  untilStopped,
  whenJob,
  type Machine,
  type MachineOptions,
} from './jobs-machine.js';

let database: Database;
let superuser: pg.Client;
const machines: Machine[] = [];

beforeAll(async () => {
  const urls = await ownDatabaseUrls('jobs_leases');
  database = await connectTestDatabase({ url: urls.runtimeUrl });
  superuser = await connectAsSuperuser(urls.adminUrl);
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.stop();
});
afterAll(async () => {
  await superuser.end();
  await database.end();
});

function machineOf(options: MachineOptions): Machine {
  const machine = buildMachine(database, options);
  machines.push(machine);
  return machine;
}

async function startMachine(options: MachineOptions): Promise<Machine> {
  const machine = machineOf(options);
  await machine.start();
  return machine;
}

/** Tags are the effects that these jobs have. */
const effectsOf = (userId: string): Promise<number> =>
  asUser(userId, () => database.run((tx) => tx.tag.count({ where: { userId } })));

const withEffect = (userId: string): JobResult => ({
  commit: async (tx) => {
    await tx.tag.create({ data: { userId, id: uuidv7(), name: uuidv7() } });
  },
});

const metricOf = async (machine: Machine, line: string): Promise<number> => {
  const found = (await machine.scrape()).split('\n').find((text) => text.startsWith(`${line} `));
  return Number(found?.split(' ').at(-1) ?? 0);
};

describe('B3: the fencing token', () => {
  it('lets one of two workers commit when the first one was taken for dead', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const stuck = gate();
    const handler = async ({ job }: { job: { attempt: number } }): Promise<JobResult> => {
      if (job.attempt === 1) await stuck.promise;
      return withEffect(user.id);
    };
    const first = await startMachine({ handlers: { thumbnail: handler }, leaseSeconds: 600 });
    const [jobId = ''] = await enqueue(first, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'processing');
    // As if its event loop had been blocked for longer than the lease.
    await superuser.query(
      `UPDATE processing_jobs SET lease_expires_at = now() - interval '1 s' WHERE id = $1`,
      [jobId],
    );
    const second = await startMachine({ handlers: { thumbnail: handler } });
    await whenJob(database, user.id, jobId, 'completed');
    stuck.open();
    const ended = 'jobs_ended_total{job_type="thumbnail",outcome=';
    await eventually(async () => (await metricOf(first, `${ended}"lost"}`)) === 1);
    const job = await readJob(database, user.id, jobId);
    expect([job.status, job.attempts, job.fencingToken]).toEqual(['completed', 2, 2n]);
    expect(await effectsOf(user.id)).toBe(1);
    expect(
      (await metricOf(first, `${ended}"completed"}`)) + (await metricOf(second, `${ended}"completed"}`)),
    ).toBe(1);
  });

  it('stops a worker that lost its lease before it is done', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const reasons: unknown[] = [];
    const machine = await startMachine({
      // Renewed so seldom that no renewal mends what the test does to the lease before the reconciler sees it.
      leaseSeconds: 600,
      handlers: {
        thumbnail: async ({ job, signal }) => {
          if (job.attempt > 1) return {};
          await untilStopped(signal);
          reasons.push((signal.reason as { reason: string }).reason);
          throw signal.reason;
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'processing');
    await superuser.query(
      `UPDATE processing_jobs SET lease_expires_at = now() - interval '1 s' WHERE id = $1`,
      [jobId],
    );
    expect(await whenJob(database, user.id, jobId, 'completed')).toMatchObject({ attempts: 2 });
    await eventually(async () => reasons.length === 1);
    expect(reasons).toEqual(['lease-lost']);
  });

  it('keeps a lease alive for as long as the work goes on', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const machine = await startMachine({
      // Renewed after a third of it: a busy machine may be late by the other two.
      leaseSeconds: 4,
      handlers: {
        thumbnail: async () => {
          await new Promise((resolve) => setTimeout(resolve, 6_000));
          return withEffect(user.id);
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    expect(await whenJob(database, user.id, jobId, 'completed')).toMatchObject({ attempts: 1 });
    expect(await effectsOf(user.id)).toBe(1);
  });
});

it('B2: a job that takes its worker down with it fails after exactly three attempts, and the others go on', async () => {
  const user = await createUser(database);
  const mediaFileId = await insertMedia(database, user.id);
  let starts = 0;
  const machine = await startMachine({
    leaseSeconds: 600,
    concurrency: 5,
    stopGraceMs: 10,
    handlers: {
      media_probe: async () => {
        starts += 1;
        // Never answers; its lease is made to run out below, as it would with a dead process.
        return new Promise<JobResult>(() => undefined);
      },
      thumbnail: async () => ({}),
    },
  });
  const [poison = '', dependent = ''] = [uuidv7(), uuidv7()];
  await enqueue(machine, database, user.id, [
    { id: poison, jobType: 'media_probe', mediaFileId },
    { id: dependent, jobType: 'thumbnail', mediaFileId, dependsOn: [poison] },
  ]);
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    await eventually(async () => {
      const job = await readJob(database, user.id, poison);
      return job.status === 'processing' && job.attempts === attempt;
    });
    await superuser.query(
      `UPDATE processing_jobs SET lease_expires_at = now() - interval '1 s' WHERE id = $1`,
      [poison],
    );
  }
  const job = await whenJob(database, user.id, poison, 'failed');
  expect([starts, job.attempts, job.errorCode]).toEqual([3, 3, 'worker-lost']);
  expect(job.hint).toMatch(/damaged/);
  await whenJob(database, user.id, dependent, 'completed');
  expect(await readMediaStatus(database, user.id, mediaFileId)).toMatchObject({ status: 'failed' });
  expect(await metricOf(machine, 'job_leases_expired_total{outcome="failed"}')).toBe(1);
});

describe('A8: messages are only claims', () => {
  it('A8: drops 100 messages with the wrong tenant and changes no row', async () => {
    const [alice, mallory] = [await createUser(database), await createUser(database)];
    const machine = machineOf({ handlers: { thumbnail: async () => withEffect(alice.id) } });
    const jobs: string[] = [];
    for (let file = 0; file < 10; file += 1) {
      const mediaFileId = await insertMedia(database, alice.id);
      jobs.push(...(await enqueue(machine, database, alice.id, [{ jobType: 'thumbnail', mediaFileId }])));
    }
    const rows = async (): Promise<unknown[]> =>
      (await superuser.query('SELECT * FROM processing_jobs WHERE user_id = $1 ORDER BY id', [alice.id]))
        .rows;
    const before = await rows();
    for (let message = 0; message < 100; message += 1) {
      await machine.runner.execute({ jobId: jobs[message % 10] ?? '', userId: mallory.id });
    }
    expect(await rows()).toEqual(before);
    expect(await metricOf(machine, 'job_messages_dropped_total{reason="not-found"}')).toBe(100);
    expect([await effectsOf(alice.id), await effectsOf(mallory.id)]).toEqual([0, 0]);
    for (const forged of [{ jobId: "' OR 1=1 --", userId: alice.id }, {}, { jobId: jobs[0], userId: 7 }]) {
      await machine.runner.execute(forged as { jobId: string; userId: string });
    }
    expect(await metricOf(machine, 'job_messages_dropped_total{reason="malformed"}')).toBe(3);
    await asUser(alice.id, async () => {
      for (const jobId of jobs) await machine.service.cancel(jobId);
    });
  });

  it('runs a job once when its message comes many times at once', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const [one, other] = [1, 2].map(() =>
      machineOf({ handlers: { thumbnail: async () => withEffect(user.id) } }),
    );
    if (!one || !other) throw new Error('two machines are needed');
    const [jobId = ''] = await enqueue(one, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    const message = { jobId, userId: user.id };
    await Promise.all([one, other, one, other, one, other].map((machine) => machine.runner.execute(message)));
    expect(await readJob(database, user.id, jobId)).toMatchObject({
      status: 'completed',
      attempts: 1,
      fencingToken: 1n,
    });
    expect(await effectsOf(user.id)).toBe(1);
  });
});

describe('the order of work', () => {
  /** Which of these users' jobs a dispatcher with so small a window picks, in order. */
  async function handedOut(window: number): Promise<string[]> {
    const order: string[] = [];
    const transport = new InProcessTransport();
    const take = transport.dispatch.bind(transport);
    transport.dispatch = async (messages) => {
      order.push(...messages.map((message) => message.userId));
      return take(messages);
    };
    const machine = machineOf({ transport, window, pollMs: 60_000 });
    await machine.dispatcher.dispatch();
    return order;
  }

  async function queued(userId: string, count: number, minutesAgo = 0): Promise<void> {
    const machine = buildMachine(database);
    for (let file = 0; file < count; file += 1) {
      const mediaFileId = await insertMedia(database, userId);
      const [jobId] = await enqueue(machine, database, userId, [{ jobType: 'thumbnail', mediaFileId }]);
      await superuser.query(
        `UPDATE processing_jobs SET queued_at = now() - $2 * interval '1 minute' WHERE id = $1`,
        [jobId, minutesAgo],
      );
    }
  }

  beforeEach(async () => {
    await superuser.query(`DELETE FROM processing_jobs`);
  });
  afterAll(async () => {
    await superuser.query(`DELETE FROM processing_jobs`);
  });

  it('follows the plan, and waiting makes up for the plan', async () => {
    const free = await createUser(database);
    const ultimate = await createUser(database, { subscriptionTier: 'ultimate' });
    await queued(free.id, 1);
    await queued(ultimate.id, 1);
    expect(await handedOut(10)).toEqual([ultimate.id, free.id]);
    await superuser.query(`DELETE FROM processing_jobs`);
    // Free is 5, ultimate 1: five minutes of waiting weigh more than the four levels between them.
    await queued(ultimate.id, 1);
    await queued(free.id, 1, 5);
    expect(await handedOut(10)).toEqual([free.id, ultimate.id]);
  });

  it('does not let one user with many files keep others of the same plan waiting', async () => {
    const [many, one] = [await createUser(database), await createUser(database)];
    await queued(many.id, 12);
    await queued(one.id, 1);
    const order = await handedOut(4);
    expect(order).toHaveLength(4);
    expect(order).toContain(one.id);
  });

  it('hands out no more than the transport should hold, and the same row not twice', async () => {
    const user = await createUser(database);
    await queued(user.id, 6);
    expect(await handedOut(4)).toHaveLength(4);
    expect(await handedOut(4)).toHaveLength(0);
    expect(await handedOut(10)).toHaveLength(2);
    await superuser.query(`UPDATE processing_jobs SET dispatched_at = now() - interval '1 hour'`);
    expect(await handedOut(10)).toHaveLength(6);
  });
});

describe('what got lost is found', () => {
  it('hands out rows again whose messages were lost', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const silent = machineOf({});
    // Takes messages and forgets them, as a Redis that was flushed.
    silent.transport.dispatch = async () => undefined;
    const [jobId = ''] = await enqueue(silent, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await silent.dispatcher.dispatch();
    expect((await readJob(database, user.id, jobId)).dispatchedAt).not.toBeNull();
    await startMachine({ handlers: { thumbnail: async () => ({}) } });
    await whenJob(database, user.id, jobId, 'completed');
  });

  it('starts dependents that nobody started', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const idle = machineOf({});
    const [first, second] = [uuidv7(), uuidv7()];
    await enqueue(idle, database, user.id, [
      { id: first, jobType: 'media_probe', mediaFileId },
      { id: second, jobType: 'thumbnail', mediaFileId, dependsOn: [first] },
    ]);
    await superuser.query(`UPDATE processing_jobs SET status = 'cancelled' WHERE id = $1`, [first]);
    expect(await idle.dispatcher.startMissedDependents()).toBe(1);
    expect((await readJob(database, user.id, second)).status).toBe('pending');
    expect(await idle.dispatcher.startMissedDependents()).toBe(0);
    await asUser(user.id, () => idle.service.cancel(second));
  });

  it('goes on after the database was away', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const machine = await startMachine({ handlers: { thumbnail: async () => ({}) } });
    const runAsSystem = database.runAsSystem.bind(database);
    // Between two rounds: one that began before would still reach the database, and may find the job.
    await machine.dispatcher.stop();
    database.runAsSystem = () => Promise.reject(new Error('Connection terminated'));
    machine.dispatcher.start();
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await readJob(database, user.id, jobId)).status).toBe('pending');
    database.runAsSystem = runAsSystem;
    await whenJob(database, user.id, jobId, 'completed');
  });
});

describe('B15: shutting down', () => {
  it('gives running jobs back, uncounted, and another worker goes on at once', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const reasons: unknown[] = [];
    const first = await startMachine({
      leaseSeconds: 600,
      drainMs: 100,
      handlers: {
        thumbnail: async ({ signal }) => {
          await untilStopped(signal);
          reasons.push((signal.reason as { reason: string }).reason);
          throw signal.reason;
        },
      },
    });
    const [jobId = ''] = await enqueue(first, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'processing');
    const started = performance.now();
    await first.stop();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(reasons).toEqual(['shutdown']);
    expect(await readJob(database, user.id, jobId)).toMatchObject({
      status: 'pending',
      attempts: 0,
      lockedBy: null,
      leaseExpiresAt: null,
      dispatchedAt: null,
    });
    await startMachine({ handlers: { thumbnail: async () => withEffect(user.id) } });
    expect(await whenJob(database, user.id, jobId, 'completed')).toMatchObject({ attempts: 1 });
    expect(await effectsOf(user.id)).toBe(1);
  });

  it('lets a job end that is nearly done', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const machine = await startMachine({
      drainMs: 5_000,
      handlers: {
        thumbnail: async () => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          return withEffect(user.id);
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'processing');
    await machine.stop();
    expect(await readJob(database, user.id, jobId)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await effectsOf(user.id)).toBe(1);
  });
});
