import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import { connectAsSuperuser } from '../harness/database.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

interface Media {
  id: string;
  title: string;
  tags: string[];
  fileHash: string;
}
interface Page {
  items: Media[];
  nextCursor: string | null;
}

let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  superuser = await connectAsSuperuser();
});

afterAll(async () => {
  await superuser.end();
  await app.stop();
});

const newUser = (): Promise<Session> => app.createSession({ subscriptionTier: 'ultimate' });

async function upload(
  session: Session,
  fields: Record<string, string | string[]> = {},
  content?: Buffer,
): Promise<Media> {
  const request = app.http.post('/v1/media').set(session.headers);
  for (const [name, value] of Object.entries(fields)) {
    for (const entry of [value].flat()) void request.field(name, entry);
  }
  const { body } = await request.attach('file', content ?? (await picture()), 'picture.jpg').expect(201);
  return body as Media;
}

async function list(session: Session, query = ''): Promise<Page> {
  const { body } = await app.http.get(`/v1/media${query}`).set(session.headers).expect(200);
  return body as Page;
}

const titles = (page: Page): string[] => page.items.map(({ title }) => title);

/** All pages of a list, two at a time. */
async function walk(session: Session, query: string): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page = await list(session, `?limit=2&${query}${cursor ? `&cursor=${cursor}` : ''}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...titles(page));
    cursor = page.nextCursor;
    expect(seen.length).toBeLessThan(20);
  }
  return seen;
}

const endJobs = (session: Session): Promise<unknown> =>
  superuser.query(`UPDATE processing_jobs SET status = 'cancelled' WHERE user_id = $1`, [session.id]);

describe('GET /v1/media', () => {
  let session: Session;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    session = await newUser();
    const files: [string, Record<string, string | string[]>, string][] = [
      ['beach', { tags: ['sea', 'sun'], category: 'nature' }, "taken_at = '2024-05-01', view_count = 3"],
      [
        'Alps',
        { tags: ['snow', 'sun'], category: 'Trips', isPrivate: 'true' },
        "taken_at = '2023-01-01', view_count = 1",
      ],
      ['cat', { tags: ['Sea'] }, 'view_count = 3'],
      ['dog', {}, "view_count = 0, status = 'completed'"],
      ['eel', {}, "taken_at = '2024-05-01', view_count = 9, uploaded_at = uploaded_at - interval '2 days'"],
    ];
    for (const [title, fields, columns] of files) {
      const { id } = await upload(session, { title, ...fields });
      ids[title] = id;
      await superuser.query(`UPDATE media_files SET ${columns} WHERE id = $1`, [id]);
    }
    await superuser.query(
      `INSERT INTO media_labels (user_id, media_file_id, label, confidence, kind) VALUES ($1, $2, 'cat', 0.9, 'object')`,
      [session.id, ids['cat']],
    );
  });

  it('gives the newest first', async () => {
    expect(titles(await list(session))).toEqual(['dog', 'cat', 'Alps', 'beach', 'eel']);
  });

  it.each([
    ['tag=sea', ['cat', 'beach']],
    ['tag=SUN&tag=snow', ['Alps']],
    ['tag=sea&tag=snow', []],
    ['category=trips', ['Alps']],
    ['category=Nature', ['beach']],
    ['label=Cat', ['cat']],
    ['isPrivate=true', ['Alps']],
    ['isPrivate=false', ['dog', 'cat', 'beach', 'eel']],
    ['status=completed', ['dog']],
    ['fileType=video', []],
    ['takenFrom=2024-01-01T00:00:00Z', ['beach', 'eel']],
    ['takenTo=2024-01-01T00:00:00Z', ['Alps']],
    [`uploadedTo=${new Date(Date.now() - 86_400_000).toISOString()}`, ['eel']],
    ['deleted=true', []],
  ])('filters by %s', async (query, expected) => {
    expect(titles(await list(session, `?${query}`))).toEqual(expected);
  });

  it.each([
    ['sort=title&order=asc', ['Alps', 'beach', 'cat', 'dog', 'eel']],
    ['sort=title&order=desc', ['eel', 'dog', 'cat', 'beach', 'Alps']],
    ['sort=uploadedAt&order=asc', ['eel', 'beach', 'Alps', 'cat', 'dog']],
    // Equal values are told apart by id, files without a value come last either way.
    ['sort=takenAt&order=desc', ['eel', 'beach', 'Alps', 'dog', 'cat']],
    ['sort=takenAt&order=asc', ['Alps', 'beach', 'eel', 'cat', 'dog']],
    ['sort=viewCount&order=desc', ['eel', 'cat', 'beach', 'Alps', 'dog']],
    ['sort=durationSeconds&order=asc', ['beach', 'Alps', 'cat', 'dog', 'eel']],
  ])('pages through %s without a gap or a repetition', async (query, expected) => {
    expect(await walk(session, query)).toEqual(expected);
  });

  it('shows a file in the shape that clients rely on', async () => {
    const [item] = (await list(session, '?tag=snow')).items;
    expect(Object.keys(item ?? {}).sort()).toEqual(
      [
        ...[
          'id',
          'title',
          'originalFilename',
          'fileType',
          'mimeType',
          'fileSizeBytes',
          'status',
          'width',
          'height',
        ],
        ...[
          'durationSeconds',
          'tags',
          'categories',
          'detectedLabels',
          'detectedText',
          'aiSummary',
          'sentiment',
        ],
        ...[
          'contentWarnings',
          'customMetadata',
          'isPrivate',
          'uploadedAt',
          'deletedAt',
          'contentUrl',
          'thumbnailUrl',
        ],
        ...['jobs', 'tagCount'],
      ].sort(),
    );
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=many',
    'sort=size',
    'order=up',
    'fileType=audio',
    'isPrivate=1',
    'takenFrom=yesterday',
    'colour=blue',
    'tag=',
    `tag=${'x'.repeat(101)}`,
  ])('refuses ?%s', async (query) => {
    const { status, body } = await app.http.get(`/v1/media?${query}`).set(session.headers);
    expect([status, body.code]).toEqual([400, 'validation-failed']);
  });

  it('refuses a cursor of somebody else, of another list, and one that was changed', async () => {
    const { nextCursor } = await list(session, '?limit=2');
    const other = await newUser();
    const tampered = `${(nextCursor ?? '').slice(0, -2)}AA`;
    const attempts: [Session, string][] = [
      [other, `limit=2&cursor=${nextCursor}`],
      [session, `limit=2&tag=sea&cursor=${nextCursor}`],
      [session, `limit=2&sort=title&cursor=${nextCursor}`],
      [session, `limit=2&cursor=${tampered}`],
      [session, 'limit=2&cursor=nonsense'],
    ];
    for (const [who, query] of attempts) {
      const { status, body } = await app.http.get(`/v1/media?${query}`).set(who.headers);
      expect([status, body.code]).toEqual([400, 'invalid-cursor']);
    }
  });
});

describe('PATCH /v1/media/{id}', () => {
  it('changes what is sent and leaves the rest', async () => {
    const session = await newUser();
    const { id } = await upload(session, { title: 'old', tags: ['a', 'b'], category: 'nature' });
    const first = await app.http
      .patch(`/v1/media/${id}`)
      .set(session.headers)
      .send({ title: ' new ', tags: ['B', 'c'], customMetadata: { a: { b: 1 } } })
      .expect(200);
    // The tag keeps the spelling it was created with.
    expect(first.body).toMatchObject({
      title: 'new',
      tags: ['b', 'c'],
      categories: ['nature'],
      customMetadata: { a: { b: 1 } },
    });
    const second = await app.http
      .patch(`/v1/media/${id}`)
      .set(session.headers)
      .send({ tags: [], categories: ['Mine', 'work'], isPrivate: true })
      .expect(200);
    expect(second.body).toMatchObject({
      title: 'new',
      tags: [],
      categories: ['Mine', 'work'],
      isPrivate: true,
    });
    const { rows } = await superuser.query(
      `SELECT old_values, new_values FROM audit_logs WHERE user_id = $1 AND event_type = 'media.updated' ORDER BY occurred_at`,
      [session.id],
    );
    expect(rows[0]).toEqual({
      old_values: { title: 'old', tags: ['a', 'b'] },
      new_values: { title: 'new', tags: ['b', 'c'] },
    });
  });

  it.each([
    [{ status: 'completed' }, '/status'],
    [{ userId: uuidv7() }, '/userId'],
    [{ fileHash: 'x' }, '/fileHash'],
    [{ title: '' }, '/title'],
    [{ title: 5 }, '/title'],
    [{ title: null }, '/title'],
    [{ customMetadata: null }, '/customMetadata'],
    [{ isPrivate: null }, '/isPrivate'],
    [{ tags: null }, '/tags'],
    [{ tags: 'sea' }, '/tags'],
    [{ tags: ['x'.repeat(101)] }, '/tags'],
    [{ tags: [{ name: 'x' }] }, '/tags'],
    [{ categories: Array.from({ length: 11 }, (_, index) => `c${index}`) }, '/categories'],
    [{ customMetadata: [] }, '/customMetadata'],
    [{ customMetadata: { a: '\u0000' } }, '/customMetadata'],
    [{ isPrivate: 'true' }, '/isPrivate'],
  ])('refuses %j', async (body, pointer) => {
    const session = await newUser();
    const { id } = await upload(session, { title: 'as it was' });
    const response = await app.http.patch(`/v1/media/${id}`).set(session.headers).send(body);
    expect([response.status, response.body.code]).toEqual([400, 'validation-failed']);
    expect((response.body.errors as { pointer: string }[])[0]?.pointer).toBe(pointer);
  });
});

describe('bodies that are no objects', () => {
  it.each(['null', '[]', '"text"', '{"title":', ''])(
    'PATCH with %j does not break anything',
    async (body) => {
      const session = await newUser();
      const { id } = await upload(session, { title: 'as it was' });
      const response = await app.http
        .patch(`/v1/media/${id}`)
        .set(session.headers)
        .set('Content-Type', 'application/json')
        .send(body);
      expect(response.status).toBe(body === '' ? 200 : 400);
      expect((await app.http.get(`/v1/media/${id}`).set(session.headers)).body.title).toBe('as it was');
    },
  );
});

describe('trash', () => {
  it('C58: a deleted file is nowhere but in the trash, and comes back', async () => {
    const session = await newUser();
    const { id } = await upload(session, { title: 'gone', tags: 'sea' });
    await app.http.delete(`/v1/media/${id}`).set(session.headers).expect(204);
    for (const route of [
      '',
      '/content',
      '/thumbnail',
      '/keyframes',
      '/analyses',
      '/clips',
      '/transcript',
      '/transcript.vtt',
    ]) {
      await app.http.get(`/v1/media/${id}${route}`).set(session.headers).expect(404);
    }
    await app.http.patch(`/v1/media/${id}`).set(session.headers).send({ title: 'x' }).expect(404);
    await app.http.post(`/v1/media/${id}/view`).set(session.headers).expect(404);
    await app.http.post(`/v1/media/${id}/reanalyze`).set(session.headers).expect(404);
    await app.http.delete(`/v1/media/${id}`).set(session.headers).expect(404);
    expect(titles(await list(session))).toEqual([]);
    const trash = await list(session, '?deleted=true');
    expect(trash.items).toMatchObject([{ id, deletedAt: expect.any(String) }]);
    const usage = await app.http.get('/v1/me/usage').set(session.headers);
    expect(usage.body.storage.usedBytes).toBe(0);
    const cancelled = await superuser.query(
      `SELECT DISTINCT status FROM processing_jobs WHERE user_id = $1`,
      [session.id],
    );
    expect(cancelled.rows).toEqual([{ status: 'cancelled' }]);

    const restored = await app.http.post(`/v1/media/${id}/restore`).set(session.headers).expect(200);
    // Its analysis had not ended, so it begins anew.
    expect(restored.body).toMatchObject({ id, deletedAt: null, status: 'queued', tags: ['sea'] });
    expect(titles(await list(session))).toEqual(['gone']);
    await app.http.post(`/v1/media/${id}/restore`).set(session.headers).expect(404);
  });

  it('does not restore what was uploaded again meanwhile', async () => {
    const session = await newUser();
    const content = await picture();
    const first = await upload(session, {}, content);
    await app.http.delete(`/v1/media/${first.id}`).set(session.headers).expect(204);
    const second = await upload(session, {}, content);
    expect(second.id).not.toBe(first.id);
    const { status, body } = await app.http.post(`/v1/media/${first.id}/restore`).set(session.headers);
    expect([status, body.code]).toEqual([409, 'duplicate-exists']);
  });

  it('does not restore what the storage does not hold', async () => {
    const session = await newUser();
    const { id } = await upload(session);
    await app.http.delete(`/v1/media/${id}`).set(session.headers).expect(204);
    await superuser.query('UPDATE users SET storage_quota_bytes_override = 10 WHERE id = $1', [session.id]);
    const { status, body } = await app.http.post(`/v1/media/${id}/restore`).set(session.headers);
    expect([status, body.quota]).toEqual([402, 'storage']);
  });

  it('removes for good only what is in the trash', async () => {
    const session = await newUser();
    const { id } = await upload(session, { tags: 'sea', category: 'nature' });
    const { status, body } = await app.http.delete(`/v1/media/${id}?permanent=true`).set(session.headers);
    expect([status, body.code]).toEqual([409, 'not-in-trash']);
    await app.http.delete(`/v1/media/${id}`).set(session.headers).expect(204);
    await app.http.delete(`/v1/media/${id}?permanent=true`).set(session.headers).expect(204);
    await app.http.delete(`/v1/media/${id}?permanent=true`).set(session.headers).expect(404);
    await app.http.post(`/v1/media/${id}/restore`).set(session.headers).expect(404);
    const { rowCount } = await superuser.query('SELECT 1 FROM media_files WHERE id = $1', [id]);
    expect(rowCount).toBe(0);
    for await (const object of app.runtime.storage.list(`tenant/${session.id}/`)) throw new Error(object.key);
  });
});

describe('GET /v1/media/{id}/content', () => {
  it('gives the bytes that were uploaded, whole or in part', async () => {
    const session = await newUser();
    const content = await picture();
    const { id, fileHash } = await upload(session, {}, content);
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
    const session = await newUser();
    const { id } = await upload(session);
    await superuser.query(`UPDATE media_files SET mime_type = 'image/tiff' WHERE id = $1`, [id]);
    const { headers } = await app.http.get(`/v1/media/${id}/content?disposition=inline`).set(session.headers);
    expect(headers['content-disposition']).toMatch(/^attachment/);
  });

  it('says so when the stored file is missing, and when there is no thumbnail yet', async () => {
    const session = await newUser();
    const { id } = await upload(session);
    const thumbnail = await app.http.get(`/v1/media/${id}/thumbnail`).set(session.headers);
    expect([thumbnail.status, thumbnail.body.code]).toEqual([404, 'thumbnail-not-ready']);
    await app.runtime.storage.delete(`tenant/${session.id}/media/${id}/original.jpg`);
    const content = await app.http.get(`/v1/media/${id}/content`).set(session.headers);
    expect([content.status, content.body.code]).toEqual([404, 'file-missing']);
  });
});

describe('what the analysis found', () => {
  it('is shown for one file', async () => {
    const session = await newUser();
    const { id } = await upload(session);
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
    const session = await newUser();
    const { id } = await upload(session);
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
    const session = await newUser();
    const { id } = await upload(session);
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
    const [owner, other] = [await newUser(), await newUser()];
    const { id } = await upload(owner, { tags: 'mine', category: 'Mine' });
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
    expect((await list(other)).items).toEqual([]);
    expect((await list(other, '?tag=mine')).items).toEqual([]);
    expect((await app.http.get('/v1/tags').set(other.headers)).body.items).toEqual([]);
    await app.http.get(`/v1/media/${id}`).set(owner.headers).expect(200);
  });

  it('gets 400 for an id that is none', async () => {
    const session = await newUser();
    const { status, body } = await app.http.get('/v1/media/1%27%20OR%201=1').set(session.headers);
    expect([status, body.code]).toEqual([400, 'invalid-id']);
  });
});

describe('tags and categories', () => {
  it('are made, renamed on all files, and taken off them', async () => {
    const session = await newUser();
    const { id } = await upload(session, { tags: ['sea', 'sun'] });
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
    const session = await newUser();
    await upload(session, { tags: ['b', 'A', 'c'] });
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
    const session = await newUser();
    const { id } = await upload(session, { category: ['nature', 'Trips'] });
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
    const other = await newUser();
    await app.http.patch(`/v1/categories/${trips?.id}`).set(other.headers).send({ name: 'x' }).expect(404);
    await app.http.delete(`/v1/categories/${trips?.id}`).set(other.headers).expect(404);
    await app.http.delete(`/v1/categories/${trips?.id}`).set(session.headers).expect(204);
    expect((await app.http.get(`/v1/media/${id}`).set(session.headers)).body.categories).toEqual(['nature']);
  });

  it('twenty uploads at once that name the same new tags make each tag once', async () => {
    const session = await newUser();
    const names = ['delta', 'alpha', 'charlie', 'bravo'];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        upload(session, { tags: index % 2 ? names : [...names].reverse() }),
      ),
    );
    const { body } = await app.http.get('/v1/tags').set(session.headers).expect(200);
    expect(body.items).toMatchObject([...names].sort().map((name) => ({ name, mediaCount: 20 })));
  });
});
