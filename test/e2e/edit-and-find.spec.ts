import sharp from 'sharp';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

describe('what the owner changes', () => {
  let app: TestApp;
  let session: Session;
  beforeAll(async () => {
    app = await startTestApp();
    session = await app.createSession({ subscriptionTier: 'ultimate' });
  });
  afterAll(() => app.stop());

  const completed = (id: string, jobsAtLeast: number): Promise<true> =>
    app.eventually(async () => {
      const { body } = await app.http.get(`/v1/media/${id}`).set(session.headers);
      const { body: jobs } = await app.http.get(`/v1/jobs?mediaFileId=${id}&limit=50`).set(session.headers);
      return body.status === 'completed' &&
        jobs.items.length >= jobsAtLeast &&
        body.jobs.progressPercentage === 100
        ? true
        : null;
    });
  const found = async (query: string, mode: string): Promise<string[]> =>
    (await app.http.post('/v1/search').set(session.headers).send({ query, mode }).expect(200)).body.items.map(
      (item: { media: { id: string } }) => item.media.id,
    );

  it('is found in words at once, and by meaning as soon as the vectors are made again', async () => {
    const picture = await sharp({
      create: { width: 40, height: 30, channels: 3, background: '#2040a0' },
    })
      .png()
      .toBuffer();
    const { body } = await app.http
      .post('/v1/media')
      .set(session.headers)
      .field('title', 'untitled')
      .attach('file', picture, 'x.png')
      .expect(201);
    const id = body.id as string;
    await completed(id, 5);
    expect(await found('submarine periscope', 'semantic')).toEqual([]);

    await app.http
      .patch(`/v1/media/${id}`)
      .set(session.headers)
      .send({ title: 'A submarine with a periscope' })
      .expect(200);
    expect(await found('submarine', 'text')).toEqual([id]);
    await completed(id, 6);
    expect(await found('submarine periscope', 'semantic')).toEqual([id]);

    // A change that says nothing new in words costs no job.
    await app.http
      .patch(`/v1/media/${id}`)
      .set(session.headers)
      .send({ customMetadata: { a: 1 } })
      .expect(200);
    const { body: jobs } = await app.http.get(`/v1/jobs?mediaFileId=${id}&limit=50`).set(session.headers);
    expect(jobs.items).toHaveLength(6);
  });
});
