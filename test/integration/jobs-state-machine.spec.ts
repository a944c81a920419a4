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
  insertMedia,
  readJob,
  readMediaStatus,
  whenJob,
  type Machine,
  type MachineOptions,
} from './jobs-machine.js';

let database: Database;
let superuser: pg.Client;
const machines: Machine[] = [];

// A database of its own: the dispatcher takes every due row there is, other tests' rows as well.
beforeAll(async () => {
  const urls = await ownDatabaseUrls('jobs_state');
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

describe('a job', () => {
  it('goes from pending to completed with its effects, result, cost and the status of its file', async () => {
    const user = await createUser(database, { subscriptionTier: 'premium' });
    const mediaFileId = await insertMedia(database, user.id);
    const seen: unknown[] = [];
    const machine = await startMachine({
      handlers: {
        embedding_generation: async (context) => {
          seen.push(context.job, (await readMediaStatus(database, user.id, mediaFileId)).status);
          await context.progress(40, 'half-way');
          const usage = {
            service: 'openai_embeddings',
            operation: 'embed_text',
            model: 'test',
            billingUnit: 'per_token' as const,
            units: 12,
            amount: '0.00000012',
            currency: 'USD',
          };
          await context.paid({ ...usage, amount: '0.00000024' }, async () => ({ usage }));
          return {
            data: { vectors: 1 },
            commit: async (tx) => {
              await tx.tag.create({ data: { userId: user.id, id: uuidv7(), name: 'from the job' } });
            },
          };
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [
      { jobType: 'embedding_generation', mediaFileId, config: { version: 2 } },
    ]);
    const job = await whenJob(database, user.id, jobId, 'completed');
    expect(seen).toEqual([
      {
        id: jobId,
        userId: user.id,
        mediaFileId,
        jobType: 'embedding_generation',
        config: { version: 2 },
        attempt: 1,
      },
      'processing',
    ]);
    expect(job).toMatchObject({
      priority: 3,
      subscriptionTier: 'premium',
      progressPercentage: 100,
      step: 'half-way',
      attempts: 1,
      resultData: { vectors: 1 },
      lockedBy: null,
      leaseExpiresAt: null,
      errorCode: null,
    });
    expect([job.estimatedCost?.toFixed(), job.actualCost?.toFixed()]).toEqual(['0.00000024', '0.00000012']);
    const [tags, costs] = await asUser(user.id, () =>
      database.run(async (tx) => [await tx.tag.count(), await tx.costEntry.findMany()] as const),
    );
    expect(tags).toBe(1);
    expect(costs.map((cost) => [cost.processingJobId, cost.amount.toFixed()])).toEqual([
      [jobId, '0.00000012'],
    ]);
    const media = await readMediaStatus(database, user.id, mediaFileId);
    expect(media).toMatchObject({ status: 'completed', statusReason: null, processingError: null });
    expect(media.processingCompletedAt?.getTime()).toBeGreaterThanOrEqual(
      media.processingStartedAt?.getTime() ?? Infinity,
    );
    // Counted after the row was written, which is what the test has seen.
    await eventually(async () =>
      (await machine.scrape()).includes(
        'jobs_ended_total{job_type="embedding_generation",outcome="completed"} 1',
      ),
    );
  });

  it('runs after what it depends on, whether that completed or failed', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id, 'video');
    const order: string[] = [];
    const noting =
      (name: string, fail = false) =>
      async (): Promise<JobResult> => {
        order.push(name);
        if (fail)
          throw new JobFailure('corrupt-media', 'The sound track cannot be read.', false, 'Upload it again.');
        return {};
      };
    const machine = await startMachine({
      handlers: {
        media_probe: noting('probe'),
        video_analysis: noting('video'),
        transcription: noting('speech', true),
        clip_scoring: noting('clips'),
        embedding_generation: noting('embeddings'),
      },
      concurrency: 4,
    });
    const [probe, video, speech, clips, embeddings] = Array.from({ length: 5 }, () => uuidv7()) as [
      string,
      string,
      string,
      string,
      string,
    ];
    await enqueue(machine, database, user.id, [
      { id: probe, jobType: 'media_probe', mediaFileId },
      { id: video, jobType: 'video_analysis', mediaFileId, dependsOn: [probe] },
      { id: speech, jobType: 'transcription', mediaFileId, dependsOn: [probe] },
      { id: clips, jobType: 'clip_scoring', mediaFileId, dependsOn: [video, speech] },
      { id: embeddings, jobType: 'embedding_generation', mediaFileId, dependsOn: [clips] },
    ]);
    await whenJob(database, user.id, embeddings, 'completed');
    expect(order[0]).toBe('probe');
    expect(order.slice(1, 3).sort()).toEqual(['speech', 'video']);
    expect(order.slice(3)).toEqual(['clips', 'embeddings']);
    expect(await readJob(database, user.id, speech)).toMatchObject({
      status: 'failed',
      attempts: 1,
      errorCode: 'corrupt-media',
      errorMessage: 'The sound track cannot be read.',
      hint: 'Upload it again.',
    });
    expect(await readMediaStatus(database, user.id, mediaFileId)).toMatchObject({
      status: 'completed',
      statusReason: 'partial',
    });
    const summaries = await asUser(user.id, () =>
      database.run((tx) => machine.service.summaries(tx, [mediaFileId])),
    );
    expect(summaries.get(mediaFileId)).toEqual({
      total: 5,
      completed: 4,
      failed: 1,
      progressPercentage: 100,
    });
  });

  it('is tried again after a passing failure, and says what went wrong while it waits', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const whileRetried: unknown[] = [];
    const machine = await startMachine({
      handlers: {
        thumbnail: async ({ job }) => {
          if (job.attempt === 1) throw new Error('secret inside: postgres://user:password@host');
          const { errorCode, errorMessage, hint } = await readJob(database, user.id, job.id);
          whileRetried.push(errorCode, errorMessage, hint);
          return {};
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    const job = await whenJob(database, user.id, jobId, 'completed');
    expect(job).toMatchObject({ attempts: 2, errorCode: null, errorMessage: null, hint: null });
    // In words for the owner: what an unknown error says goes to the log alone.
    expect(whileRetried).toEqual([
      'internal-error',
      'The step failed unexpectedly.',
      'It is tried again by itself; if it still fails, retry it later.',
    ]);
  });

  it('fails after three attempts, and its file with it when nothing can be found without it', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    let calls = 0;
    const machine = await startMachine({
      handlers: {
        embedding_generation: async () => {
          calls += 1;
          throw new JobFailure('provider-down', 'The provider does not answer.', true, 'Try again later.');
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [
      { jobType: 'embedding_generation', mediaFileId },
    ]);
    const job = await whenJob(database, user.id, jobId, 'failed');
    expect([calls, job.attempts, job.errorCode]).toEqual([3, 3, 'provider-down']);
    expect(await readMediaStatus(database, user.id, mediaFileId)).toMatchObject({
      status: 'failed',
      processingError: 'The provider does not answer. Try again later.',
    });
  });

  it('changes nothing when its commit fails, and can be tried again', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const machine = await startMachine({
      handlers: {
        thumbnail: async ({ job }) => ({
          commit: async (tx) => {
            await tx.tag.create({ data: { userId: user.id, id: uuidv7(), name: `attempt ${job.attempt}` } });
            if (job.attempt < 3) throw new Error('in the middle of the commit');
          },
        }),
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'completed');
    const tags = await asUser(user.id, () => database.run((tx) => tx.tag.findMany()));
    expect(tags.map((tag) => tag.name)).toEqual(['attempt 3']);
  });

  it('is stopped when its time is up, even when it does not listen', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const machine = await startMachine({
      timeLimitSeconds: 0.1,
      stopGraceMs: 50,
      handlers: { thumbnail: () => new Promise<JobResult>(() => undefined) },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    expect(await whenJob(database, user.id, jobId, 'failed')).toMatchObject({
      errorCode: 'timed-out',
      attempts: 3,
    });
    await eventually(async () => machine.runner.runningCount === 0);
  });

  it('never shows less progress than before, also not in a later attempt', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const shown: number[] = [];
    const machine = await startMachine({
      handlers: {
        thumbnail: async (context) => {
          for (const [percentage, step] of [
            [30, 'a'],
            [20, 'b'],
            [70, 'c'],
            [Number.NaN, 'd'],
            [1_000, 'e'],
          ] as const) {
            if (context.job.attempt === 2 && step === 'e') break;
            if (context.job.attempt === 1 && step === 'e') throw new Error('again');
            await context.progress(percentage, step);
            shown.push((await readJob(database, user.id, context.job.id)).progressPercentage);
          }
          return {};
        },
      },
    });
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'completed');
    expect(shown).toEqual([30, 30, 70, 70, 70, 70, 70, 70]);
  });

  it('cannot make a forbidden step: the database refuses', async () => {
    const user = await createUser(database);
    const mediaFileId = await insertMedia(database, user.id);
    const allowed = new Set([
      'blocked>pending',
      'blocked>cancelled',
      'blocked>failed',
      'pending>processing',
      'pending>cancelled',
      'pending>failed',
      'retrying>processing',
      'retrying>cancelled',
      'retrying>failed',
      'processing>completed',
      'processing>failed',
      'processing>retrying',
      'processing>cancelled',
      'processing>pending',
    ]);
    const statuses = ['blocked', 'pending', 'processing', 'retrying', 'completed', 'failed', 'cancelled'];
    const made = new Set<string>();
    for (const from of statuses) {
      for (const to of statuses.filter((status) => status !== from)) {
        await superuser.query('BEGIN');
        await superuser.query(
          `INSERT INTO processing_jobs (user_id, id, media_file_id, job_type, status, subscription_tier, lease_expires_at)
           VALUES ($1, $2, $3, 'thumbnail', $4, 'free', now())`,
          [user.id, uuidv7(), mediaFileId, from],
        );
        const step = superuser.query(
          'UPDATE processing_jobs SET status = $1 WHERE user_id = $2 AND status = $3',
          [to, user.id, from],
        );
        await step.then(
          () => made.add(`${from}>${to}`),
          (error: { code?: string }) => expect(error.code).toBe('23514'),
        );
        await superuser.query('ROLLBACK');
      }
    }
    expect(made).toEqual(allowed);
  });
});

it('estimates the end from the median of the own last jobs, and says nothing before there are three', async () => {
  const user = await createUser(database);
  const machine = await startMachine({
    handlers: {
      thumbnail: async ({ job }) => {
        estimates.push((await readJob(database, user.id, job.id)).estimatedCompletionAt);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return {};
      },
    },
  });
  const estimates: (Date | null)[] = [];
  for (let run = 0; run < 4; run += 1) {
    const mediaFileId = await insertMedia(database, user.id);
    const [jobId = ''] = await enqueue(machine, database, user.id, [{ jobType: 'thumbnail', mediaFileId }]);
    await whenJob(database, user.id, jobId, 'completed');
  }
  expect(estimates.slice(0, 3)).toEqual([null, null, null]);
  expect(estimates[3]).toBeInstanceOf(Date);
});
