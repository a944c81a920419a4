import sharp from 'sharp';
import { startTestApp, type TestApp } from '../harness/app.js';

describe('C15: a path as file name', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
  });
  afterAll(() => app.stop());

  it('is refused with a pointer; nothing is stored and no quota is used', async () => {
    const session = await app.createSession({ subscriptionTier: 'ultimate' });
    const picture = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    const upload = (filename: string): ReturnType<TestApp['http']['post']> =>
      app.http
        .post('/v1/media')
        .set(session.headers)
        .attach('file', picture, { filepath: filename } as { filename?: string });
    for (const filename of [
      '../../../etc/passwd',
      '/etc/passwd',
      'folder/photo.png',
      'C:\\Users\\me\\photo.png',
      '..\\photo.png',
    ]) {
      const answer = await upload(filename);
      expect([filename, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([filename, 400, '/file']);
    }
    const usage = await app.http.get('/v1/me/usage').set(session.headers).expect(200);
    expect(usage.body).toMatchObject({ uploads: { used: 0 }, storage: { usedBytes: 0 } });
    expect((await app.http.get('/v1/media').set(session.headers)).body.items).toEqual([]);
    const plain = await upload('..photo..png').expect(201);
    expect(plain.body.originalFilename).toBe('..photo..png');
  });
});
