import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { get, type IncomingMessage } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import type { JobResponse } from '../../src/modules/jobs/dto/job.dto.js';
import { JobsService } from '../../src/modules/jobs/jobs.service.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { ownDatabaseUrls } from '../harness/database.js';
import { asUser, insertMedia } from './jobs-machine.js';

let app: TestApp;
let jobs: JobsService;
/** Left open by the last test, to see it end with the application. */
let lastStreamEnded: Promise<void> | undefined;

// Nobody works: the rows stay as the test puts them.
beforeAll(async () => {
  const { runtimeUrl } = await ownDatabaseUrls('jobs_http');
  app = await startTestApp({}, { jobs: false, databaseUrl: runtimeUrl });
  jobs = app.nest.get(JobsService);
});
afterAll(async () => {
  await app.stop();
  await lastStreamEnded;
});

async function enqueue(userId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let file = 0; file < count; file += 1) {
    const mediaFileId = await insertMedia(app.database, userId);
    const id = uuidv7();
    await asUser(userId, () =>
      app.database.run((tx) => jobs.enqueue(tx, [{ id, jobType: 'thumbnail', mediaFileId }])),
    );
    ids.push(id);
  }
  return ids;
}

describe('GET /v1/jobs', () => {
  it('pages through the own jobs, newest first, with filters', async () => {
    const [alice, bob] = [await app.createSession(), await app.createSession()];
    const ids = await enqueue(alice.id, 5);
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page += 1) {
      const { body } = await app.http.get(`/v1/jobs?limit=2${cursor}`).set(alice.headers).expect(200);
      seen.push(...(body as { items: JobResponse[] }).items.map((job) => job.id));
      cursor = `&cursor=${encodeURIComponent((body as { nextCursor: string }).nextCursor)}`;
      if (page === 0) await app.http.get(`/v1/jobs?limit=2${cursor}`).set(bob.headers).expect(400);
    }
    expect(seen).toEqual([...ids].reverse());
    expect((await app.http.get('/v1/jobs').set(bob.headers)).body).toEqual({ items: [], nextCursor: null });

    const first = (await app.http.get(`/v1/jobs/${ids[0]}`).set(alice.headers).expect(200))
      .body as JobResponse;
    expect(first).toMatchObject({
      id: ids[0],
      jobType: 'thumbnail',
      status: 'pending',
      priority: 5,
      attempts: 0,
    });
    const count = async (query: string): Promise<number> => {
      const { body } = await app.http.get(`/v1/jobs?${query}`).set(alice.headers).expect(200);
      return (body as { items: unknown[] }).items.length;
    };
    expect(await count('status=pending&jobType=thumbnail')).toBe(5);
    expect(await count('status=completed')).toBe(0);
    expect(await count('jobType=media_probe')).toBe(0);
    expect(await count(`mediaFileId=${first.mediaFileId}`)).toBe(1);
  });

  it.each([
    'status=mining',
    'jobType=mining',
    'mediaFileId=1',
    'limit=0',
    'limit=101',
    'userId=x',
    'cursor=x',
  ])('refuses ?%s', async (query) => {
    const session = await app.createSession();
    const { body } = await app.http.get(`/v1/jobs?${query}`).set(session.headers).expect(400);
    expect((body as { errors: unknown[] }).errors).toHaveLength(1);
  });
});

it("treats other people's jobs as if they were not there", async () => {
  const [alice, bob] = [await app.createSession(), await app.createSession()];
  const [id = ''] = await enqueue(alice.id, 1);
  for (const jobId of [id, uuidv7()]) {
    await app.http.get(`/v1/jobs/${jobId}`).set(bob.headers).expect(404);
    await app.http.post(`/v1/jobs/${jobId}/cancel`).set(bob.headers).expect(404);
    await app.http.post(`/v1/jobs/${jobId}/retry`).set(bob.headers).expect(404);
  }
  await app.http.get('/v1/jobs/not-a-uuid').set(alice.headers).expect(400);
  await app.http.get(`/v1/jobs/${id}`).expect(401);
  const { body } = await app.http.get(`/v1/jobs/${id}`).set(alice.headers).expect(200);
  expect((body as JobResponse).status).toBe('pending');
});

it('cancels and retries over HTTP, and says when that is not possible', async () => {
  const alice = await app.createSession();
  const [id = ''] = await enqueue(alice.id, 1);
  const refused = await app.http.post(`/v1/jobs/${id}/retry`).set(alice.headers).expect(409);
  expect(refused.body).toMatchObject({ code: 'job-not-failed' });
  const cancelled = await app.http.post(`/v1/jobs/${id}/cancel`).set(alice.headers).expect(200);
  expect(cancelled.body).toMatchObject({ id, status: 'cancelled' });
  const retried = await app.http.post(`/v1/jobs/${id}/retry`).set(alice.headers).expect(201);
  expect(retried.body).toMatchObject({ retryOf: id, status: 'pending', jobType: 'thumbnail' });
  const again = await app.http.post(`/v1/jobs/${id}/retry`).set(alice.headers).expect(409);
  expect(again.body).toMatchObject({ code: 'job-superseded' });
});

it('shows administrators all jobs and the queue, and nobody else', async () => {
  const admin = await app.createSession({ role: 'ADMIN' });
  const alice = await app.createSession();
  const [id = ''] = await enqueue(alice.id, 1);
  for (const path of ['/v1/admin/jobs', '/v1/admin/queues'])
    await app.http.get(path).set(alice.headers).expect(403);
  const { body } = await app.http.get(`/v1/admin/jobs?userId=${alice.id}`).set(admin.headers).expect(200);
  expect((body as { items: JobResponse[] }).items).toMatchObject([
    { id, userId: alice.id, subscriptionTier: 'free' },
  ]);
  const queues = await app.http.get('/v1/admin/queues').set(admin.headers).expect(200);
  expect(queues.body).toMatchObject({ transportOk: true, transportDetail: null });
  const pending = (queues.body as { figures: { status: string; jobs: number }[] }).figures.find(
    (figure) => figure.status === 'pending',
  );
  expect(pending?.jobs).toBeGreaterThan(0);
});

describe('GET /v1/events', () => {
  interface Received {
    id: string;
    event: string;
    data: JobResponse;
  }
  interface Stream {
    events: Received[];
    close(): void;
    ended: Promise<void>;
  }

  function open(session: Session, lastEventId?: string): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const headers = { ...session.headers, ...(lastEventId ? { 'Last-Event-ID': lastEventId } : {}) };
      const request = get(`${app.url}/v1/events`, { headers }, (response: IncomingMessage) => {
        if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}`));
        expect(response.headers['content-type']).toContain('text/event-stream');
        const events: Received[] = [];
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          const blocks = text.split('\n\n');
          text = blocks.pop() ?? '';
          for (const block of blocks) {
            const fields = new Map(
              block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
            );
            const data = fields.get('data');
            if (!data) continue;
            const event = {
              id: fields.get('id') ?? '',
              event: fields.get('event') ?? '',
              data: JSON.parse(data) as JobResponse,
            };
            events.push(event);
          }
        });
        response.on('error', () => undefined);
        const ended = new Promise<void>((done) => response.once('close', done));
        resolve({ events, ended, close: () => request.destroy() });
      });
      request.on('error', reject);
    });
  }

  const told = (stream: Stream, id: string, status: string): Promise<Received> =>
    app.eventually(async () =>
      stream.events.find((event) => event.data.id === id && event.data.status === status),
    );

  it('begins with what has not ended, tells each change once, and nothing of others', async () => {
    const [alice, bob] = [await app.createSession(), await app.createSession()];
    const [before = ''] = await enqueue(alice.id, 1);
    const stream = await open(alice);
    await told(stream, before, 'pending');
    const [later = ''] = await enqueue(alice.id, 1);
    await enqueue(bob.id, 2);
    await told(stream, later, 'pending');
    await app.http.post(`/v1/jobs/${before}/cancel`).set(alice.headers).expect(200);
    await told(stream, before, 'cancelled');
    // Two more looks: nothing is told again.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(stream.events.map(({ event, data }) => [event, data.id, data.status])).toEqual([
      ['job', before, 'pending'],
      ['job', later, 'pending'],
      ['job', before, 'cancelled'],
    ]);
    const ids = stream.events.map((event) => BigInt(event.id));
    expect(ids).toEqual([...ids].sort((a, b) => Number(a - b)));
    stream.close();
  });

  it('goes on after Last-Event-ID without a gap', async () => {
    const alice = await app.createSession();
    const [first = '', second = ''] = await enqueue(alice.id, 2);
    const stream = await open(alice);
    const { id: lastEventId } = await told(stream, second, 'pending');
    stream.close();
    await stream.ended;
    for (const id of [first, second])
      await app.http.post(`/v1/jobs/${id}/cancel`).set(alice.headers).expect(200);
    const resumed = await open(alice, lastEventId);
    await told(resumed, first, 'cancelled');
    await told(resumed, second, 'cancelled');
    resumed.close();
  });

  it('allows five streams at once, and one more after one has gone', async () => {
    const alice = await app.createSession();
    const streams = await Promise.all(Array.from({ length: 5 }, () => open(alice)));
    const { body, headers } = await app.http.get('/v1/events').set(alice.headers).expect(429);
    expect([body, headers['retry-after']]).toEqual([
      expect.objectContaining({ code: 'too-many-streams' }),
      '5',
    ]);
    streams[0]?.close();
    const another = await app.eventually(() => open(alice).catch(() => null));
    for (const stream of [...streams, another]) stream.close();
  });

  it('needs a log-in, and ends with the application', async () => {
    await app.http.get('/v1/events').expect(401);
    const stream = await open(await app.createSession());
    // Awaited in afterAll, which would otherwise run into its time limit.
    lastStreamEnded = stream.ended;
    expect(stream.events).toEqual([]);
  });
});
