import { createHash } from 'node:crypto';
import path from 'node:path';
import type pg from 'pg';
import { blackPng, makeVideo } from '../../src/infrastructure/media-tools/testing/make-media.js';
import { picture, soundInMp4, video } from '../../src/modules/media/testing/sample-files.js';
import type { TestApp } from '../harness/app.js';
import { MediaClient } from './media-client.js';

let client: MediaClient;
let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  client = await MediaClient.open();
  ({ app, superuser } = client);
});

afterAll(() => client.close());

describe('POST /v1/media', () => {
  it('takes a picture with all its fields', async () => {
    const session = await client.newUser();
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
    expect(await client.objectsOf(session)).toEqual([
      `tenant/${session.id}/media/${response.body.id}/original.jpg`,
    ]);
    expect(await client.uploadsUsed(session)).toBe(1);
    expect(await client.staged()).toEqual([]);
    const { rows } = await superuser.query(
      `SELECT event_type, target_id::text, user_id::text FROM audit_logs WHERE user_id = $1`,
      [session.id],
    );
    expect(rows).toEqual([
      { event_type: 'media.uploaded', target_id: response.body.id, user_id: session.id },
    ]);
  });

  it('takes a video with its subtitles', async () => {
    const session = await client.newUser();
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
    expect((await client.objectsOf(session)).sort()).toEqual([
      `${folder}/original.mp4`,
      `${folder}/original.mp4.subtitles`,
    ]);
  });

  it('goes by the bytes and not by the name', async () => {
    const session = await client.newUser();
    const response = await client.send(session, await picture('png'), 'movie.mp4');
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ fileType: 'image', mimeType: 'image/png', title: 'movie' });
    expect(await client.objectsOf(session)).toEqual([expect.stringMatching(/original\.png$/)]);
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
      const session = await client.newUser();
      const response = await client.send(session, await content(), filename);
      expect([response.status, response.body.code]).toEqual([status, code]);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.body.detail.length).toBeGreaterThan(10);
      await client.expectNothingKept(session);
    });

    it('a video longer than the plan allows is refused', async () => {
      const session = await client.newUser();
      await superuser.query(
        `UPDATE usage_limits SET max_video_duration_seconds = 1 WHERE tier_name = 'ultimate'`,
      );
      try {
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
      await client.expectNothingKept(session);
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
      const session = await client.newUser();
      const request = app.http.post('/v1/media').set(session.headers);
      for (const [name, value] of Object.entries(fields)) void request.field(name, value);
      const response = await request.attach('file', await picture(), 'a.jpg');
      expect([response.status, response.body.code]).toEqual([400, 'validation-failed']);
      expect(response.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
      await client.expectNothingKept(session);
    });

    it('two files are refused', async () => {
      const session = await client.newUser();
      const response = await app.http
        .post('/v1/media')
        .set(session.headers)
        .attach('file', await picture(), 'a.jpg')
        .attach('file', await picture(), 'b.jpg');
      expect([response.status, response.body.code]).toEqual([400, 'validation-failed']);
      await client.expectNothingKept(session);
    });

    it('no file is refused', async () => {
      const session = await client.newUser();
      const response = await app.http.post('/v1/media').set(session.headers).field('title', 'nothing');
      expect([response.status, response.body.errors[0].pointer]).toEqual([400, '/file']);
      await client.expectNothingKept(session);
    });

    it('a JSON body is refused', async () => {
      const session = await client.newUser();
      const response = await app.http.post('/v1/media').set(session.headers).send({ file: 'x' });
      expect(response.status).toBe(415);
      await client.expectNothingKept(session);
    });

    it('subtitles beside a picture, or that are none, are refused', async () => {
      const session = await client.newUser();
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
      await client.expectNothingKept(session);
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
});
