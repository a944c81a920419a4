import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';
import { JobFailure, type JobResult } from '../../src/modules/jobs/jobs.types.js';
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

// A database of its own: the dispatcher takes every due row there is, other tests' rows as well.
beforeAll(async () => {
  const urls = await ownDatabaseUrls('jobs_cancel');
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

async function startMachine(options: MachineOptions): Promise<Machine> {
  const machine = buildMachine(database, options);
  machines.push(machine);
  await machine.start();
  return machine;
}

const done = async (): Promise<JobResult> => ({});

describe('cancelling', () => {
  it('ends a waiting job at once and lets its dependents go on', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const hold = gate();
    const machine = await startMachine({
      concurrency: 2,
      handlers: {
        media_probe: async () => {
          await hold.promise;
          return {};
        },
        thumbnail: done,
        embedding_generation: done,
      },
    });
    const [probe, thumbnail, embeddings] = [uuidv7(), uuidv7(), uuidv7()];
    await enqueue(machine, database, user.id, [
      { id: probe, jobType: 'media_probe', mediaFileId },
      { id: thumbnail, jobType: 'thumbnail', mediaFileId, dependsOn: [probe] },
      { id: embeddings, jobType: 'embedding_generation', mediaFileId, dependsOn: [thumbnail] },
    ]);
    await whenJob(database, user.id, probe, 'processing');
    const answer = await asUser(user.id, () => machine.service.cancel(thumbnail));
    expect(answer).toMatchObject({ id: thumbnail, status: 'cancelled' });
    // Asked twice: still cancelled, and no fault.
    expect(await asUser(user.id, () => machine.service.cancel(thumbnail))).toMatchObject({
      status: 'cancelled',
    });
    await whenJob(database, user.id, embeddings, 'completed');
    hold.open();
    await whenJob(database, user.id, probe, 'completed');
    expect(await readMediaStatus(database, user.id, mediaFileId)).toMatchObject({
      status: 'completed',
      statusReason: 'partial',
    });
    await expect(asUser(user.id, () => machine.service.cancel(probe))).rejects.toMatchObject({
      status: 409,
      code: 'job-ended',
    });
  });

  it('stops a running job, from this process and from another', async () => {
    const user = await createUser(database);
    for (const elsewhere of [false, true]) {
      const mediaFileId = await insertMedia(database, user.id);
      const reasons: unknown[] = [];
      let effects = 0;
      const machine = await startMachine({
        handlers: {
          thumbnail: async ({ signal }) => {
            await untilStopped(signal);
            reasons.push((signal.reason as { reason: string }).reason);
            return {
              commit: async () => {
                effects += 1;
              },
            };
          },
        },
      });
      const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
      await whenJob(database, user.id, jobId, 'processing');
      const canceller = elsewhere ? buildMachine(database) : machine;
      expect((await asUser(user.id, () => canceller.service.cancel(jobId))).status).toBe('processing');
      expect((await whenJob(database, user.id, jobId, 'cancelled')).completedAt).not.toBeNull();
      expect([reasons, effects]).toEqual([['cancelled'], 0]);
      await machine.stop();
    }
  });

  it('takes all jobs of a file that goes away, and never starts one whose file is in the trash', async () => {
    const user = await createUser(database);
    const [cancelled, trashed] = [await insertMedia(database, user.id), await insertMedia(database, user.id)];
    let started = 0;
    const idle = buildMachine(database);
    const [first = '', second = ''] = await enqueue(idle, database, user.id, [
      { jobType: 'thumbnail', mediaFileId: cancelled },
      { jobType: 'thumbnail', mediaFileId: trashed },
    ]);
    await asUser(user.id, () =>
      database.run(async (tx) => {
        await idle.service.cancelForMedia(tx, cancelled);
        await tx.mediaFile.updateMany({
          where: { userId: user.id, id: trashed },
          data: { deletedAt: new Date() },
        });
      }),
    );
    const machine = await startMachine({
      handlers: {
        thumbnail: async () => {
          started += 1;
          return {};
        },
      },
    });
    await eventually(async () =>
      (await machine.scrape()).includes('job_messages_dropped_total{reason="not-due"}'),
    );
    expect(started).toBe(0);
    expect((await readJob(database, user.id, first)).status).toBe('cancelled');
    expect(await readJob(database, user.id, second)).toMatchObject({ status: 'pending', attempts: 0 });
    await asUser(user.id, () => idle.service.cancel(second));
  });
});

describe('a manual retry', () => {
  it('makes a new row for the job and for what was built on it, once', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    let works = false;
    const ran: string[] = [];
    const machine = await startMachine({
      handlers: {
        media_probe: done,
        image_analysis: async ({ job }) => {
          ran.push(`analysis ${String(job.config['version'])}`);
          if (!works)
            throw new JobFailure('provider-refused', 'The provider refused the picture.', false, 'Retry it.');
          return {};
        },
        text_analysis: async () => {
          ran.push('text');
          return {};
        },
        embedding_generation: async () => {
          ran.push('embeddings');
          return {};
        },
      },
    });
    const [probe, analysis, text, embeddings] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
    await enqueue(machine, database, user.id, [
      { id: probe, jobType: 'media_probe', mediaFileId },
      { id: analysis, jobType: 'image_analysis', mediaFileId, dependsOn: [probe], config: { version: 7 } },
      { id: text, jobType: 'text_analysis', mediaFileId, dependsOn: [analysis] },
      { id: embeddings, jobType: 'embedding_generation', mediaFileId, dependsOn: [text] },
    ]);
    await whenJob(database, user.id, embeddings, 'completed');
    await expect(asUser(user.id, () => machine.service.retry(text))).rejects.toMatchObject({
      status: 409,
      code: 'job-not-failed',
    });
    works = true;
    const answers = await Promise.allSettled(
      [1, 2, 3].map(() => asUser(user.id, () => machine.service.retry(analysis))),
    );
    const [created] = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(created).toMatchObject({
      retryOf: analysis,
      jobType: 'image_analysis',
      attempts: 0,
      status: 'pending',
    });
    await eventually(
      async () => (await readMediaStatus(database, user.id, mediaFileId)).status === 'completed',
    );
    expect(ran).toEqual(['analysis 7', 'text', 'embeddings', 'analysis 7', 'text', 'embeddings']);
    expect((await readMediaStatus(database, user.id, mediaFileId)).statusReason).toBeNull();
    expect((await readJob(database, user.id, analysis)).status).toBe('failed');
    await expect(asUser(user.id, () => machine.service.retry(analysis))).rejects.toMatchObject({
      code: 'job-superseded',
    });
    await expect(asUser(user.id, () => machine.service.retry(uuidv7()))).rejects.toMatchObject({
      status: 404,
    });
  });
});
