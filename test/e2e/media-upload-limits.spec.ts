import http from 'node:http';
import net from 'node:net';
import { jest } from '@jest/globals';
import type pg from 'pg';
import { StorageUnavailableError } from '../../src/infrastructure/storage/object-storage.js';
import { picture, video } from '../../src/modules/media/testing/sample-files.js';
import type { Session, TestApp } from '../harness/app.js';
import { MediaClient } from './media-client.js';

let client: MediaClient;
let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  client = await MediaClient.open();
  ({ app, superuser } = client);
});

afterAll(async () => {
  await superuser.query(`UPDATE usage_limits SET upload_rate_limit = 5 WHERE tier_name = 'free'`);
  await superuser.query(
    `UPDATE usage_limits SET max_file_size_bytes = 524288000 WHERE tier_name = 'premium'`,
  );
  await client.close();
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('POST /v1/media under limits', () => {
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
      await client.eventuallyNothingKept(session);
    });
  });

  it('leaves nothing when the client goes away in the middle', async () => {
    const session = await client.newUser();
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: ${session.headers.Authorization}\r\n` +
        'Content-Length: 5000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n' +
        `--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n${'x'.repeat(300_000)}`,
    );
    await app.eventually(async () => ((await client.staged()).length > 0 ? true : null));
    socket.destroy();
    await client.eventuallyNothingKept(session);
  });

  describe('duplicates', () => {
    it('C05: the same bytes again are the same file, and cost nothing', async () => {
      const session = await client.newUser();
      const content = await picture();
      const first = await client.send(session, content, 'first.jpg');
      const second = await client.send(session, content, 'second.jpg');
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(second.body.id).toBe(first.body.id);
      expect(second.body.title).toBe('first');
      expect(await client.objectsOf(session)).toHaveLength(1);
      expect(await client.uploadsUsed(session)).toBe(1);
    });

    it('eight at once are one file', async () => {
      const session = await client.newUser();
      const content = await picture();
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => client.send(session, content, 'same.jpg')),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
      expect(new Set(answers.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
      expect(await client.objectsOf(session)).toHaveLength(1);
      expect(await client.uploadsUsed(session)).toBe(1);
    });

    it('A4: the same bytes of two users are two files, and neither learns of the other', async () => {
      const [alice, bob] = [await client.newUser(), await client.newUser()];
      const content = await picture();
      const answers = [await client.send(alice, content, 'a.jpg'), await client.send(bob, content, 'a.jpg')];
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
        pictures.map((content, index) => client.send(session, content, `${index}.jpg`)),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(10);
      expect(statuses.filter((status) => status === 402)).toHaveLength(30);
      const refused = answers.find(({ status }) => status === 402);
      expect(refused?.body).toMatchObject({ code: 'quota-exceeded', quota: 'uploads', limit: 10 });
      expect(await client.objectsOf(session)).toHaveLength(10);
      expect(await client.uploadsUsed(session)).toBe(10);
    });

    it('a file that the storage does not hold is 402, and nothing is kept', async () => {
      const session = await client.newUser();
      await superuser.query('UPDATE users SET storage_quota_bytes_override = 100 WHERE id = $1', [
        session.id,
      ]);
      const response = await client.send(session, await picture(), 'a.jpg');
      expect([response.status, response.body.code, response.body.quota]).toEqual([
        402,
        'quota-exceeded',
        'storage',
      ]);
      await client.expectNothingKept(session);
    });
  });

  describe('B9: a store that fails', () => {
    it.each([
      ['full', 507, 'storage-full'],
      ['unreachable', 503, 'storage-unavailable'],
    ] as const)('%s is %i, and nothing is half-saved', async (reason, status, code) => {
      const session = await client.newUser();
      jest
        .spyOn(app.runtime.storage, 'putFile')
        .mockRejectedValueOnce(new StorageUnavailableError('broken', reason));
      const response = await client.send(session, await picture(), 'a.jpg');
      expect([response.status, response.body.code]).toEqual([status, code]);
      await client.expectNothingKept(session);
    });

    it('fails after the video was stored and before its subtitles were', async () => {
      const session = await client.newUser();
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
      await client.expectNothingKept(session);
    });
  });
});

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
