import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import type { Session, TestApp } from '../harness/app.js';
import { MediaClient } from './media-client.js';

let client: MediaClient;
let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  client = await MediaClient.open();
  ({ app, superuser } = client);
});

afterAll(() => client.close());

const endJobs = (session: Session): Promise<unknown> =>
  superuser.query(`UPDATE processing_jobs SET status = 'cancelled' WHERE user_id = $1`, [session.id]);

describe('GET /v1/media/{id}/content', () => {
  it('gives the bytes that were uploaded, whole or in part', async () => {
    const session = await client.newUser();
    const content = await picture();
    const { id, fileHash } = await client.upload(session, {}, content);
    const url = `/v1/media/${id}/content`;
    const whole = await app.http.get(url).set(session.headers).expect(200);
    expect((whole.body as Buffer).equals(content)).toBe(true);
    expect(whole.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(content.length),
      'content-disposition': 'attachment; filename=picture.jpg',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
      etag: `"${fileHash}"`,
    });
    expect(whole.headers['content-security-policy']).toMatch(/sandbox/);

    const part = await app.http.get(url).set(session.headers).set('Range', 'bytes=10-19').expect(206);
    expect((part.body as Buffer).equals(content.subarray(10, 20))).toBe(true);
    expect(part.headers['content-range']).toBe(`bytes 10-19/${content.length}`);

    const outside = await app.http.get(url).set(session.headers).set('Range', 'bytes=9999999-').expect(416);
    expect(outside.headers['content-range']).toBe(`bytes */${content.length}`);
    expect(outside.headers['content-type']).toMatch(/^application\/problem\+json/);

    await app.http.get(url).set(session.headers).set('If-None-Match', `"${fileHash}"`).expect(304);
    const head = await app.http.head(url).set(session.headers).expect(200);
    expect(head.headers['content-length']).toBe(String(content.length));
    const inline = await app.http.get(`${url}?disposition=inline`).set(session.headers).expect(200);
    expect(inline.headers['content-disposition']).toBe('inline; filename=picture.jpg');
  });

  it('C13: what a browser could run is never shown inline', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session);
    await superuser.query(`UPDATE media_files SET mime_type = 'image/tiff' WHERE id = $1`, [id]);
    const { headers } = await app.http.get(`/v1/media/${id}/content?disposition=inline`).set(session.headers);
    expect(headers['content-disposition']).toMatch(/^attachment/);
  });

  it('says so when the stored file is missing, and when there is no thumbnail yet', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session);
    const thumbnail = await app.http.get(`/v1/media/${id}/thumbnail`).set(session.headers);
    expect([thumbnail.status, thumbnail.body.code]).toEqual([404, 'thumbnail-not-ready']);
    await app.runtime.storage.delete(`tenant/${session.id}/media/${id}/original.jpg`);
    const content = await app.http.get(`/v1/media/${id}/content`).set(session.headers);
    expect([content.status, content.body.code]).toEqual([404, 'file-missing']);
  });
});

describe('what the analysis found', () => {
  it('is shown for one file', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session);
    const keyframeId = uuidv7();
    const folder = `tenant/${session.id}/media/${id}`;
    const webp = await picture('webp');
    const jpeg = await picture('jpeg');
    await app.runtime.storage.putBuffer(`${folder}/thumb`, webp, 'image/webp');
    await app.runtime.storage.putBuffer(`${folder}/frame`, jpeg, 'image/jpeg');
    await superuser.query(`UPDATE media_files SET thumbnail_s3_key = $2, language = 'en' WHERE id = $1`, [
      id,
      `${folder}/thumb`,
    ]);
    await superuser.query(
      `INSERT INTO keyframes (user_id, id, media_file_id, timestamp_seconds, storage_key, width, height, size_bytes, description, labels)
       VALUES ($1, $2, $3, 1.5, $4, 64, 48, 100, 'a dog', '[{"name":"dog","confidence":0.9,"kind":"object"}]')`,
      [session.id, keyframeId, id, `${folder}/frame`],
    );
    await superuser.query(
      `INSERT INTO clips (user_id, media_file_id, start_time_seconds, end_time_seconds, score, rank, status)
       VALUES ($1, $2, 0, 3.25, 0.91, 1, 'scored'), ($1, $2, 4, 6, 0.75, 2, 'scored'), ($1, $2, 7, 9, 0.4, 3, 'scored')`,
      [session.id, id],
    );
    await superuser.query(
      `INSERT INTO transcript_segments (user_id, media_file_id, start_time_seconds, end_time_seconds, text, source)
       VALUES ($1, $2, 61.5, 63, 'second <line>', 'sidecar'), ($1, $2, 0, 1.25, 'first line', 'sidecar')`,
      [session.id, id],
    );
    await superuser.query(
      `INSERT INTO analyses (user_id, media_file_id, version, kind, summary, raw_response, model_used)
       VALUES ($1, $2, 1, 'image', 'old', '{"secret":"raw"}', 'm1'), ($1, $2, 2, 'image', 'new', NULL, 'm2')`,
      [session.id, id],
    );
    const get = (route: string) => app.http.get(`/v1/media/${id}${route}`).set(session.headers);

    const thumbnail = await get('/thumbnail').expect(200);
    expect(thumbnail.headers['content-type']).toBe('image/webp');
    expect((thumbnail.body as Buffer).equals(webp)).toBe(true);
    await get('/thumbnail').set('If-None-Match', String(thumbnail.headers['etag'])).expect(304);
    expect((await get('').expect(200)).body.thumbnailUrl).toBe(`/v1/media/${id}/thumbnail`);

    const keyframes = await get('/keyframes').expect(200);
    expect(keyframes.body).toEqual({
      items: [
        {
          id: keyframeId,
          timestampSeconds: 1.5,
          width: 64,
          height: 48,
          description: 'a dog',
          labels: [{ name: 'dog', confidence: 0.9, kind: 'object' }],
          detectedText: [],
          imageUrl: `/v1/media/${id}/keyframes/${keyframeId}/image`,
        },
      ],
    });
    const image = await get(`/keyframes/${keyframeId}/image`).expect(200);
    expect(image.headers['content-type']).toBe('image/jpeg');
    await get(`/keyframes/${uuidv7()}/image`).expect(404);

    // 002-23: getTopClips, minScore 0.7 by default.
    expect((await get('/clips').expect(200)).body.items).toMatchObject([
      { startSeconds: 0, endSeconds: 3.25, score: 0.91, rank: 1 },
      { score: 0.75, rank: 2 },
    ]);
    expect((await get('/clips?minScore=0&limit=1').expect(200)).body.items).toHaveLength(1);
    expect((await get('/clips?minScore=0').expect(200)).body.items).toHaveLength(3);
    await get('/clips?minScore=2').expect(400);

    expect((await get('/transcript').expect(200)).body).toEqual({
      mediaFileId: id,
      language: 'en',
      segments: [
        { startSeconds: 0, endSeconds: 1.25, text: 'first line', source: 'sidecar' },
        { startSeconds: 61.5, endSeconds: 63, text: 'second <line>', source: 'sidecar' },
      ],
    });
    const vtt = await get('/transcript.vtt').expect(200);
    expect(vtt.headers['content-type']).toBe('text/vtt; charset=utf-8');
    expect(vtt.text).toMatch(/^WEBVTT\n[^]*00:01:01\.500 --> 00:01:03\.000\nsecond &lt;line/);

    const analyses = await get('/analyses').expect(200);
    expect(analyses.body.items).toMatchObject([
      { version: 2, summary: 'new', modelUsed: 'm2' },
      { version: 1, summary: 'old', modelUsed: 'm1' },
    ]);
    expect(JSON.stringify(analyses.body)).not.toContain('secret');
  });

  it('begins anew on request, but not while it is under way', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session);
    const busy = await app.http.post(`/v1/media/${id}/reanalyze`).set(session.headers);
    expect([busy.status, busy.body.code]).toEqual([409, 'jobs-running']);
    await endJobs(session);
    await superuser.query(`UPDATE media_files SET status = 'completed' WHERE id = $1`, [id]);
    const { body } = await app.http.post(`/v1/media/${id}/reanalyze`).set(session.headers).expect(200);
    expect(body).toMatchObject({ status: 'queued', jobs: { total: 5, completed: 0 } });
    const attempts = await Promise.all(
      [1, 2, 3].map(() => app.http.post(`/v1/media/${id}/reanalyze`).set(session.headers)),
    );
    expect(attempts.map(({ status }) => status)).toEqual([409, 409, 409]);
  });

  it('counts looks, many at once', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session);
    await Promise.all(
      Array.from({ length: 10 }, () =>
        app.http.post(`/v1/media/${id}/view`).set(session.headers).expect(200),
      ),
    );
    const { body } = await app.http.get(`/v1/media/${id}`).set(session.headers);
    expect(body).toMatchObject({ viewCount: 10, lastViewedAt: expect.any(String) });
  });
});

describe('somebody else', () => {
  it('finds nothing of a file, whatever the route', async () => {
    const [owner, other] = [await client.newUser(), await client.newUser()];
    const { id } = await client.upload(owner, { tags: 'mine', category: 'Mine' });
    const gets = [
      '',
      '/content',
      '/thumbnail',
      '/keyframes',
      `/keyframes/${uuidv7()}/image`,
      '/analyses',
      '/clips',
      '/transcript',
      '/transcript.vtt',
    ];
    const answers = [
      ...(await Promise.all(gets.map((route) => app.http.get(`/v1/media/${id}${route}`).set(other.headers)))),
      await app.http.patch(`/v1/media/${id}`).set(other.headers).send({ title: 'x' }),
      await app.http.delete(`/v1/media/${id}`).set(other.headers),
      await app.http.delete(`/v1/media/${id}?permanent=true`).set(other.headers),
      ...(await Promise.all(
        ['restore', 'reanalyze', 'view'].map((verb) =>
          app.http.post(`/v1/media/${id}/${verb}`).set(other.headers),
        ),
      )),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    const unknown = await app.http.get(`/v1/media/${uuidv7()}`).set(other.headers);
    expect(answers[0]?.body.detail).toBe(unknown.body.detail);
    expect((await client.list(other)).items).toEqual([]);
    expect((await client.list(other, '?tag=mine')).items).toEqual([]);
    expect((await app.http.get('/v1/tags').set(other.headers)).body.items).toEqual([]);
    await app.http.get(`/v1/media/${id}`).set(owner.headers).expect(200);
  });

  it('gets 400 for an id that is none', async () => {
    const session = await client.newUser();
    const { status, body } = await app.http.get('/v1/media/1%27%20OR%201=1').set(session.headers);
    expect([status, body.code]).toEqual([400, 'invalid-id']);
  });
});

describe('tags and categories', () => {
  it('are made, renamed on all files, and taken off them', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session, { tags: ['sea', 'sun'] });
    const tags = await app.http.get('/v1/tags').set(session.headers).expect(200);
    expect(tags.body.items).toMatchObject([
      { name: 'sea', mediaCount: 1, description: null },
      { name: 'sun', mediaCount: 1 },
    ]);
    const [sea, sun] = tags.body.items as { id: string }[];
    const taken = await app.http.patch(`/v1/tags/${sea?.id}`).set(session.headers).send({ name: 'SUN' });
    expect([taken.status, taken.body.code]).toEqual([409, 'already-exists']);
    const renamed = await app.http
      .patch(`/v1/tags/${sea?.id}`)
      .set(session.headers)
      .send({ name: 'ocean', description: 'salt water' })
      .expect(200);
    expect(renamed.body).toMatchObject({ name: 'ocean', description: 'salt water', mediaCount: 1 });
    await app.http.delete(`/v1/tags/${sun?.id}`).set(session.headers).expect(204);
    await app.http.delete(`/v1/tags/${sun?.id}`).set(session.headers).expect(404);
    expect((await app.http.get(`/v1/media/${id}`).set(session.headers)).body.tags).toEqual(['ocean']);
    await app.http.post('/v1/tags').set(session.headers).send({ name: ' forest ' }).expect(201);
    expect((await app.http.post('/v1/tags').set(session.headers).send({ name: 'Forest' })).status).toBe(409);
    expect((await app.http.post('/v1/tags').set(session.headers).send({ name: 'a\u0000' })).status).toBe(400);
    expect(
      (await app.http.patch(`/v1/tags/${sea?.id}`).set(session.headers).send({ name: null })).status,
    ).toBe(400);
  });

  it('are listed page by page', async () => {
    const session = await client.newUser();
    await client.upload(session, { tags: ['b', 'A', 'c'] });
    const first = await app.http.get('/v1/tags?limit=2').set(session.headers).expect(200);
    const second = await app.http
      .get(`/v1/tags?limit=2&cursor=${first.body.nextCursor}`)
      .set(session.headers)
      .expect(200);
    const names = [...first.body.items, ...second.body.items].map(({ name }: { name: string }) => name);
    expect(names).toEqual(['A', 'b', 'c']);
    expect(second.body.nextCursor).toBeNull();
    await app.http.get(`/v1/categories?cursor=${first.body.nextCursor}`).set(session.headers).expect(400);
  });

  it('C27: the system categories belong to everybody and are changed by nobody', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session, { category: ['nature', 'Trips'] });
    const { body } = await app.http.get('/v1/categories?limit=100').set(session.headers).expect(200);
    const items = body.items as { id: string; name: string; isSystem: boolean; mediaCount: number }[];
    const [nature, trips] = ['nature', 'Trips'].map((name) => items.find((item) => item.name === name));
    expect(nature).toMatchObject({ isSystem: true, mediaCount: 1 });
    expect(trips).toMatchObject({ isSystem: false, mediaCount: 1 });
    await app.http.patch(`/v1/categories/${nature?.id}`).set(session.headers).send({ name: 'x' }).expect(403);
    await app.http.delete(`/v1/categories/${nature?.id}`).set(session.headers).expect(403);
    expect((await app.http.post('/v1/categories').set(session.headers).send({ name: 'Nature' })).status).toBe(
      409,
    );
    await app.http
      .patch(`/v1/categories/${trips?.id}`)
      .set(session.headers)
      .send({ name: 'Journeys' })
      .expect(200);
    expect((await app.http.get(`/v1/media/${id}`).set(session.headers)).body.categories).toEqual([
      'Journeys',
      'nature',
    ]);
    const other = await client.newUser();
    await app.http.patch(`/v1/categories/${trips?.id}`).set(other.headers).send({ name: 'x' }).expect(404);
    await app.http.delete(`/v1/categories/${trips?.id}`).set(other.headers).expect(404);
    await app.http.delete(`/v1/categories/${trips?.id}`).set(session.headers).expect(204);
    expect((await app.http.get(`/v1/media/${id}`).set(session.headers)).body.categories).toEqual(['nature']);
  });

  it('twenty uploads at once that name the same new tags make each tag once', async () => {
    const session = await client.newUser();
    const names = ['delta', 'alpha', 'charlie', 'bravo'];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        client.upload(session, { tags: index % 2 ? names : [...names].reverse() }),
      ),
    );
    const { body } = await app.http.get('/v1/tags').set(session.headers).expect(200);
    expect(body.items).toMatchObject([...names].sort().map((name) => ({ name, mediaCount: 20 })));
  });
});
