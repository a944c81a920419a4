import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makePhotograph, makeVideo, SUBTITLES } from '../../src/modules/media/pipeline/testing/test-media.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

/** A dozen jobs, key frames and OCR among them, on a machine that has other things to do. */
const PATIENCE_MS = 100_000;

let app: TestApp;
let folder: string;

beforeAll(async () => {
  app = await startTestApp();
  folder = await mkdtemp(path.join(tmpdir(), 'pipeline-machine-spec-'));
});

afterAll(async () => {
  await app.stop();
  await rm(folder, { recursive: true, force: true });
});

async function upload(session: Session, file: string, subtitles?: string): Promise<string> {
  const request = app.http.post('/v1/media').set(session.headers).attach('file', file);
  if (subtitles) request.attach('subtitles', Buffer.from(subtitles), 'subtitles.srt');
  const { body } = await request.expect(201);
  return body.id as string;
}

/** The file once nothing more happens to it. */
function finished(session: Session, id: string) {
  return app.eventually(async () => {
    const { body } = await app.http.get(`/v1/media/${id}`).set(session.headers).expect(200);
    return ['completed', 'failed'].includes(body.status) ? body : null;
  }, PATIENCE_MS);
}

it(
  'turns an uploaded photograph into something that is found, on the real job machine',
  async () => {
    const session = await app.createSession({ subscriptionTier: 'ultimate' });
    const id = await upload(session, await makePhotograph(folder));
    const media = await finished(session, id);
    expect(media).toMatchObject({
      status: 'completed',
      statusReason: null,
      width: 640,
      height: 480,
      takenAt: '2008-05-30T15:56:01.000Z',
      thumbnailUrl: `/v1/media/${id}/thumbnail`,
      jobs: { total: 5, completed: 5, failed: 0, progressPercentage: 100 },
    });
    const names = media.detectedLabels.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['blue', 'orange']));
    const { body } = await app.http
      .post('/v1/search')
      .set(session.headers)
      .send({ query: 'grandmother lighthouse', mode: 'semantic' })
      .expect((response) => expect([200, 201]).toContain(response.status));
    expect(body.items.map((item: { media: { id: string } }) => item.media.id)).toEqual([id]);
  },
  PATIENCE_MS + 20_000,
);

it(
  'finds the second of a video at which something is said, from the subtitles uploaded with it',
  async () => {
    const session = await app.createSession({ subscriptionTier: 'ultimate' });
    const id = await upload(session, await makeVideo(folder, { subtitles: false }), SUBTITLES);
    const media = await finished(session, id);
    expect(media).toMatchObject({
      status: 'completed',
      language: 'en',
      jobs: { total: 7, completed: 7, failed: 0 },
    });
    const { body } = await app.http
      .post('/v1/search')
      .set(session.headers)
      .send({ query: 'storm island' })
      .expect((response) => expect([200, 201]).toContain(response.status));
    expect(body.items[0].media.id).toBe(id);
    const times = body.items[0].moments.map((moment: { startSeconds: number; endSeconds: number }) => [
      moment.startSeconds,
      moment.endSeconds,
    ]);
    // The line itself, or the segment of speech that it stands in.
    expect(times.some(([start, end]: [number, number]) => start <= 4 && end >= 7.5)).toBe(true);
  },
  PATIENCE_MS + 20_000,
);

it(
  'keeps a damaged stored file findable by its name, and says what is wrong',
  async () => {
    const session = await app.createSession({ subscriptionTier: 'ultimate' });
    const id = await upload(session, await makePhotograph(folder, 'orchard in bloom.jpg'));
    await finished(session, id);
    const key = await app.database.runAs({ kind: 'user', userId: session.id }, async (tx) => {
      const media = await tx.mediaFile.findFirstOrThrow({ where: { userId: session.id, id } });
      return media.s3Key;
    });
    await app.runtime.storage.delete(key);
    await app.http
      .post(`/v1/media/${id}/reanalyze`)
      .set(session.headers)
      .expect((response) => expect([200, 201, 202]).toContain(response.status));
    const media = await finished(session, id);
    expect(media).toMatchObject({ status: 'failed', processingError: expect.stringContaining('missing') });
    const { body } = await app.http
      .get('/v1/jobs')
      .query({ mediaFileId: id, status: 'failed' })
      .set(session.headers);
    expect(body.items.map((job: { errorCode: string }) => job.errorCode)).toEqual(
      body.items.map(() => 'file-missing'),
    );
    expect(body.items.length).toBeGreaterThan(0);
    const search = await app.http.post('/v1/search').set(session.headers).send({ query: 'orchard bloom' });
    expect(search.body.items.map((item: { media: { id: string } }) => item.media.id)).toEqual([id]);
  },
  PATIENCE_MS + 20_000,
);
