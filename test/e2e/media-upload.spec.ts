import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { jest } from '@jest/globals';
import type pg from 'pg';
import type { Response } from 'supertest';
import { StorageUnavailableError } from '../../src/infrastructure/storage/object-storage.js';
import { blackPng } from '../../src/infrastructure/media-tools/testing/make-media.js';
import { picture, soundInMp4, video } from '../../src/modules/media/testing/sample-files.js';
import { connectAsSuperuser } from '../harness/database.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  // Without workers: what an upload leaves is looked at before any job has run.
  app = await startTestApp({}, { jobs: false });
  superuser = await connectAsSuperuser();
});

afterAll(async () => {
  await superuser.query(`UPDATE usage_limits SET upload_rate_limit = 5 WHERE tier_name = 'free'`);
  await superuser.query(
    `UPDATE usage_limits SET max_file_size_bytes = 524288000 WHERE tier_name = 'premium'`,
  );
  await superuser.end();
  await app.stop();
});

afterEach(() => {
  jest.restoreAllMocks();
});

const newUser = (): Promise<Session> => app.createSession({ subscriptionTier: 'ultimate' });

const upload = (session: Session, content: Buffer, filename: string): Promise<Response> =>
  Promise.resolve(app.http.post('/v1/media').set(session.headers).attach('file', content, filename));

async function objectsOf(session: Session): Promise<string[]> {
  const keys: string[] = [];
  for await (const object of app.runtime.storage.list(`tenant/${session.id}/`)) keys.push(object.key);
  return keys;
}

async function uploadsUsed(session: Session): Promise<number> {
  const { body } = await app.http.get('/v1/me/usage').set(session.headers).expect(200);
  return (body as { uploads: { used: number } }).uploads.used;
}

const staged = (): Promise<string[]> =>
  readdir(path.join(app.runtime.config.DATA_DIR, 'staging')).catch((): string[] => []);

/** Nothing is stored, no quota is used, and the process goes on. */
async function expectNothingKept(session: Session): Promise<void> {
  const { rows } = await superuser.query(
    `SELECT (SELECT count(*)::int FROM media_files WHERE user_id = $1) AS media,
            (SELECT count(*)::int FROM upload_reservations WHERE user_id = $1) AS reservations,
            (SELECT count(*)::int FROM processing_jobs WHERE user_id = $1) AS jobs,
            (SELECT uploads_this_month FROM users WHERE id = $1) AS uploads,
            (SELECT storage_used_bytes::int FROM users WHERE id = $1) AS bytes`,
    [session.id],
  );
  expect(rows[0]).toEqual({ media: 0, reservations: 0, jobs: 0, uploads: 0, bytes: 0 });
  expect(await objectsOf(session)).toEqual([]);
  expect(await staged()).toEqual([]);
  await app.http.get('/health/live').expect(200);
}

describe('POST /v1/media', () => {
  it('takes a picture with all its fields', async () => {
    const session = await newUser();
    const content = await picture();
    const response = await app.http
      .post('/v1/media')
      .set(session.headers)
      .field('title', '  Sunset at the pier ')
      .field('tags', 'sea')
      .field('tags[]', 'Évening')
      .field('category', 'nature')
      .field('category', 'My trips')
      .field('customMetadata', '{"rating":5}')
      .field('isPrivate', 'true')
      .attach('file', content, '../../Füße am Strand.jpg')
      .expect(201);
    expect(response.headers['location']).toBe(`/v1/media/${response.body.id}`);
    expect(response.body).toMatchObject({
      title: 'Sunset at the pier',
      originalFilename: 'Füße am Strand.jpg',
      fileType: 'image',
      mimeType: 'image/jpeg',
      fileSizeBytes: content.length,
      status: 'queued',
      width: 64,
      height: 48,
      durationSeconds: null,
      tags: ['sea', 'Évening'],
      tagCount: 2,
      categories: ['My trips', 'nature'],
      customMetadata: { rating: 5 },
      isPrivate: true,
      deletedAt: null,
      contentUrl: `/v1/media/${response.body.id}/content`,
      thumbnailUrl: null,
      fileHash: createHash('sha256').update(content).digest('hex'),
      jobs: { total: 5, completed: 0, failed: 0, progressPercentage: 0 },
    });
    // Made by the server: no part of the name that the client sent.
    expect(await objectsOf(session)).toEqual([`tenant/${session.id}/media/${response.body.id}/original.jpg`]);
    expect(await uploadsUsed(session)).toBe(1);
    expect(await staged()).toEqual([]);
    const { rows } = await superuser.query(
      `SELECT event_type, target_id::text, user_id::text FROM audit_logs WHERE user_id = $1`,
      [session.id],
    );
    expect(rows).toEqual([
      { event_type: 'media.uploaded', target_id: response.body.id, user_id: session.id },
    ]);
  });

  it('takes a video with its subtitles', async () => {
    const session = await newUser();
    const response = await app.http
      .post('/v1/media')
      .set(session.headers)
      .attach('subtitles', Buffer.from('WEBVTT\n\n00:00.000 --> 00:00.500\nhello there\n'), 'clip.vtt')
      .attach('file', await video(), 'clip.mp4')
      .expect(201);
    expect(response.body).toMatchObject({
      title: 'clip',
      fileType: 'video',
      mimeType: 'video/mp4',
      durationSeconds: 1,
      frameRate: 10,
      hasAudio: false,
      jobs: { total: 7 },
    });
    const folder = `tenant/${session.id}/media/${response.body.id}`;
    expect((await objectsOf(session)).sort()).toEqual([
      `${folder}/original.mp4`,
      `${folder}/original.mp4.subtitles`,
    ]);
  });

  it('goes by the bytes and not by the name', async () => {
    const session = await newUser();
    const response = await upload(session, await picture('png'), 'movie.mp4');
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ fileType: 'image', mimeType: 'image/png', title: 'movie' });
    expect(await objectsOf(session)).toEqual([expect.stringMatching(/original\.png$/)]);
  });

  describe('bad files', () => {
    const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    it.each<[string, string, () => Buffer | Promise<Buffer>, number, string]>([
      ['an empty file', 'a.jpg', () => Buffer.alloc(0), 422, 'empty-file'],
      [
        'a wrong type',
        'a.pdf',
        () => Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n'),
        415,
        'unsupported-media-type',
      ],
      ['an SVG', 'a.svg', () => Buffer.from(SVG), 415, 'unsupported-media-type'],
      ['an SVG named .png', 'a.png', () => Buffer.from(SVG), 415, 'unsupported-media-type'],
      [
        'a text file named .jpg',
        'a.jpg',
        () => Buffer.from('this is no picture'),
        415,
        'unsupported-media-type',
      ],
      [
        'HTML named .jpg',
        'a.jpg',
        () => Buffer.from('<!doctype html><script>alert(1)</script>'),
        415,
        'unsupported-media-type',
      ],
      ['a truncated picture', 'a.jpg', async () => (await picture()).subarray(0, 400), 422, 'corrupt-media'],
      ['a truncated video', 'a.mp4', async () => (await video()).subarray(0, 1500), 422, 'corrupt-media'],
      ['C12: a PNG of 30,000 x 30,000', 'a.png', () => blackPng(30_000, 30_000), 422, 'image-too-large'],
      ['a video without streams', 'a.mp4', soundInMp4, 422, 'video-without-streams'],
    ])('%s is refused', async (_what, filename, content, status, code) => {
      const session = await newUser();
      const response = await upload(session, await content(), filename);
      expect([response.status, response.body.code]).toEqual([status, code]);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.body.detail.length).toBeGreaterThan(10);
      await expectNothingKept(session);
    });

    it('a video longer than the plan allows is refused', async () => {
      const session = await newUser();
      await superuser.query(
        `UPDATE usage_limits SET max_video_duration_seconds = 1 WHERE tier_name = 'ultimate'`,
      );
      try {
        const { makeVideo } = await import('../../src/infrastructure/media-tools/testing/make-media.js');
        const file = path.join(app.runtime.config.DATA_DIR, 'long.mp4');
        await makeVideo(
          '-f',
          'lavfi',
          '-i',
          'testsrc=size=64x48:rate=5:duration=3',
          '-pix_fmt',
          'yuv420p',
          file,
        );
        const response = await app.http.post('/v1/media').set(session.headers).attach('file', file);
        expect([response.status, response.body.code]).toEqual([422, 'video-too-long']);
      } finally {
        await superuser.query(
          `UPDATE usage_limits SET max_video_duration_seconds = 7200 WHERE tier_name = 'ultimate'`,
        );
      }
      await expectNothingKept(session);
    });
  });

  describe('bad forms', () => {
    it.each<[string, Record<string, string>, string]>([
      ['an unknown field', { userId: 'somebody-else' }, '/userId'],
      ['malformed metadata', { customMetadata: '{"a":' }, '/customMetadata'],
      ['metadata that is no object', { customMetadata: '[1]' }, '/customMetadata'],
      ['metadata with NUL', { customMetadata: '{"a":"\\u0000"}' }, '/customMetadata'],
      ['too much metadata', { customMetadata: JSON.stringify({ a: 'x'.repeat(17_000) }) }, '/customMetadata'],
      ['a title with control characters', { title: 'a\u0007b' }, '/title'],
      ['a title that is too long', { title: 'x'.repeat(256) }, '/title'],
      ['a word that is no boolean', { isPrivate: 'maybe' }, '/isPrivate'],
    ])('%s is refused', async (_what, fields, pointer) => {
      const session = await newUser();
      const request = app.http.post('/v1/media').set(session.headers);
      for (const [name, value] of Object.entries(fields)) void request.field(name, value);
      const response = await request.attach('file', await picture(), 'a.jpg');
      expect([response.status, response.body.code]).toEqual([400, 'validation-failed']);
      expect(response.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
      await expectNothingKept(session);
    });

    it('two files are refused', async () => {
      const session = await newUser();
      const response = await app.http
        .post('/v1/media')
        .set(session.headers)
        .attach('file', await picture(), 'a.jpg')
        .attach('file', await picture(), 'b.jpg');
      expect([response.status, response.body.code]).toEqual([400, 'validation-failed']);
      await expectNothingKept(session);
    });

    it('no file is refused', async () => {
      const session = await newUser();
      const response = await app.http.post('/v1/media').set(session.headers).field('title', 'nothing');
      expect([response.status, response.body.errors[0].pointer]).toEqual([400, '/file']);
      await expectNothingKept(session);
    });

    it('a JSON body is refused', async () => {
      const session = await newUser();
      const response = await app.http.post('/v1/media').set(session.headers).send({ file: 'x' });
      expect(response.status).toBe(415);
      await expectNothingKept(session);
    });

    it('subtitles beside a picture, or that are none, are refused', async () => {
      const session = await newUser();
      const cases: [Buffer, Buffer, string][] = [
        [await picture(), Buffer.from('1\n00:00:00,000 --> 00:00:01,000\nhi\n'), 'belong to a video'],
        [await video(), Buffer.from('just words'), 'at least one line'],
        [await video(), Buffer.from([0xff, 0xfe, 0x31, 0x00]), 'UTF-8'],
      ];
      for (const [file, subtitles, detail] of cases) {
        const response = await app.http
          .post('/v1/media')
          .set(session.headers)
          .attach('file', file, 'a')
          .attach('subtitles', subtitles, 'a.srt');
        expect(response.status).toBe(400);
        expect(response.body.errors[0]).toMatchObject({
          pointer: '/subtitles',
          detail: expect.stringContaining(detail),
        });
      }
      await expectNothingKept(session);
    });

    it.each([
      ['no token', {}],
      ['a forged token', { Authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' }],
    ])('%s is 401', async (_what, headers) => {
      const response = await app.http
        .post('/v1/media')
        .set(headers)
        .attach('file', await picture(), 'a.jpg');
      expect([response.status, response.body.code]).toEqual([401, 'unauthenticated']);
    });
  });

  describe('the size that the plan allows', () => {
    const LIMIT = 200_000;
    beforeAll(async () => {
      await superuser.query(`UPDATE usage_limits SET max_file_size_bytes = $1 WHERE tier_name = 'premium'`, [
        LIMIT,
      ]);
    });

    it.each([
      ['C16: one byte above, with Content-Length', LIMIT + 1, false],
      ['C16: one byte above, chunked without Content-Length', LIMIT + 1, true],
      ['C16: a hundred times above', LIMIT * 100, false],
    ])('%s is 413', async (_what, size, chunked) => {
      const session = await app.createSession({ subscriptionTier: 'premium' });
      const answer = await sendRaw(session, Buffer.alloc(size), chunked);
      expect([answer.status, answer.body.code]).toEqual([413, 'payload-too-large']);
      await eventuallyNothingKept(session);
    });
  });

  it('leaves nothing when the client goes away in the middle', async () => {
    const session = await newUser();
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: ${session.headers.Authorization}\r\n` +
        'Content-Length: 5000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n' +
        `--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n${'x'.repeat(300_000)}`,
    );
    await app.eventually(async () => ((await staged()).length > 0 ? true : null), 10_000);
    socket.destroy();
    await eventuallyNothingKept(session);
  });

  describe('duplicates', () => {
    it('C05: the same bytes again are the same file, and cost nothing', async () => {
      const session = await newUser();
      const content = await picture();
      const first = await upload(session, content, 'first.jpg');
      const second = await upload(session, content, 'second.jpg');
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(second.body.id).toBe(first.body.id);
      expect(second.body.title).toBe('first');
      expect(await objectsOf(session)).toHaveLength(1);
      expect(await uploadsUsed(session)).toBe(1);
    });

    it('eight at once are one file', async () => {
      const session = await newUser();
      const content = await picture();
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => upload(session, content, 'same.jpg')),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
      expect(new Set(answers.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
      expect(await objectsOf(session)).toHaveLength(1);
      expect(await uploadsUsed(session)).toBe(1);
    });

    it('A4: the same bytes of two users are two files, and neither learns of the other', async () => {
      const [alice, bob] = [await newUser(), await newUser()];
      const content = await picture();
      const answers = [await upload(alice, content, 'a.jpg'), await upload(bob, content, 'a.jpg')];
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
      expect(answers[0]?.body.id).not.toBe(answers[1]?.body.id);
    });
  });

  describe('limits of the plan', () => {
    it('B11: 40 uploads at once against a limit of 10: exactly 10 go through', async () => {
      // The hourly limit of the free plan (5) would come first.
      await superuser.query(`UPDATE usage_limits SET upload_rate_limit = 1000 WHERE tier_name = 'free'`);
      const session = await app.createSession({ subscriptionTier: 'free' });
      const pictures = await Promise.all(Array.from({ length: 40 }, () => picture()));
      const answers = await Promise.all(
        pictures.map((content, index) => upload(session, content, `${index}.jpg`)),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(10);
      expect(statuses.filter((status) => status === 402)).toHaveLength(30);
      const refused = answers.find(({ status }) => status === 402);
      expect(refused?.body).toMatchObject({ code: 'quota-exceeded', quota: 'uploads', limit: 10 });
      expect(await objectsOf(session)).toHaveLength(10);
      expect(await uploadsUsed(session)).toBe(10);
    });

    it('a file that the storage does not hold is 402, and nothing is kept', async () => {
      const session = await newUser();
      await superuser.query('UPDATE users SET storage_quota_bytes_override = 100 WHERE id = $1', [
        session.id,
      ]);
      const response = await upload(session, await picture(), 'a.jpg');
      expect([response.status, response.body.code, response.body.quota]).toEqual([
        402,
        'quota-exceeded',
        'storage',
      ]);
      await expectNothingKept(session);
    });
  });

  describe('B9: a store that fails', () => {
    it.each([
      ['full', 507, 'storage-full'],
      ['unreachable', 503, 'storage-unavailable'],
    ] as const)('%s is %i, and nothing is half-saved', async (reason, status, code) => {
      const session = await newUser();
      jest
        .spyOn(app.runtime.storage, 'putFile')
        .mockRejectedValueOnce(new StorageUnavailableError('broken', reason));
      const response = await upload(session, await picture(), 'a.jpg');
      expect([response.status, response.body.code]).toEqual([status, code]);
      await expectNothingKept(session);
    });

    it('fails after the video was stored and before its subtitles were', async () => {
      const session = await newUser();
      const { storage } = app.runtime;
      const putFile = storage.putFile.bind(storage);
      jest
        .spyOn(storage, 'putFile')
        .mockImplementationOnce(putFile)
        .mockRejectedValueOnce(new StorageUnavailableError('broken', 'unreachable'));
      const response = await app.http
        .post('/v1/media')
        .set(session.headers)
        .attach('file', await video(), 'a.mp4')
        .attach('subtitles', Buffer.from('1\n00:00:00,000 --> 00:00:01,000\nhi\n'), 'a.srt');
      expect(response.status).toBe(503);
      await expectNothingKept(session);
    });
  });
});

/** An answer that cut the body short arrives before the server has cleaned up. */
async function eventuallyNothingKept(session: Session): Promise<void> {
  await app.eventually(async () => {
    const { rowCount } = await superuser.query('SELECT 1 FROM upload_reservations WHERE user_id = $1', [
      session.id,
    ]);
    return rowCount === 0 && (await staged()).length === 0 ? true : null;
  }, 10_000);
  await expectNothingKept(session);
}

function sendRaw(
  session: Session,
  content: Buffer,
  chunked: boolean,
): Promise<{ status: number; body: { code: string } }> {
  const body = Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'),
    content,
    Buffer.from('\r\n--b--\r\n'),
  ]);
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${app.url}/v1/media`,
      {
        method: 'POST',
        agent: false,
        headers: {
          ...session.headers,
          'Content-Type': 'multipart/form-data; boundary=b',
          ...(chunked ? {} : { 'Content-Length': body.length }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(chunks).toString()) as never,
          }),
        );
      },
    );
    request.on('error', reject);
    // In pieces, so that Node does not add a Content-Length of its own.
    request.write(body.subarray(0, 1000));
    request.write(body.subarray(1000));
    request.end();
  });
}
