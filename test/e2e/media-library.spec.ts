import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import type { Session, TestApp } from '../harness/app.js';
import { MediaClient, type MediaPage } from './media-client.js';

let client: MediaClient;
let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  client = await MediaClient.open();
  ({ app, superuser } = client);
});

afterAll(() => client.close());

const titles = (page: MediaPage): string[] => page.items.map(({ title }) => title);

/** All pages of a list, two at a time. */
async function walk(session: Session, query: string): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: MediaPage = await client.list(
      session,
      `?limit=2&${query}${cursor ? `&cursor=${cursor}` : ''}`,
    );
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...titles(page));
    cursor = page.nextCursor;
    expect(seen.length).toBeLessThan(20);
  }
  return seen;
}

describe('GET /v1/media', () => {
  let session: Session;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    session = await client.newUser();
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
      const { id } = await client.upload(session, { title, ...fields });
      ids[title] = id;
      await superuser.query(`UPDATE media_files SET ${columns} WHERE id = $1`, [id]);
    }
    await superuser.query(
      `INSERT INTO media_labels (user_id, media_file_id, label, confidence, kind) VALUES ($1, $2, 'cat', 0.9, 'object')`,
      [session.id, ids['cat']],
    );
  });

  it('gives the newest first', async () => {
    expect(titles(await client.list(session))).toEqual(['dog', 'cat', 'Alps', 'beach', 'eel']);
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
    expect(titles(await client.list(session, `?${query}`))).toEqual(expected);
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
    const [item] = (await client.list(session, '?tag=snow')).items;
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
    const { nextCursor } = await client.list(session, '?limit=2');
    const other = await client.newUser();
    // One character of the signature is another one, whichever it was.
    const cursor = nextCursor ?? '';
    const tampered = `${cursor.slice(0, -2)}${cursor.at(-2) === 'A' ? 'B' : 'A'}${cursor.slice(-1)}`;
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
    const session = await client.newUser();
    const { id } = await client.upload(session, { title: 'old', tags: ['a', 'b'], category: 'nature' });
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
      `SELECT old_values, new_values FROM audit_logs WHERE user_id = $1 AND event_type = 'media.updated' ORDER BY occurred_at, id`,
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
    const session = await client.newUser();
    const { id } = await client.upload(session, { title: 'as it was' });
    const response = await app.http.patch(`/v1/media/${id}`).set(session.headers).send(body);
    expect([response.status, response.body.code]).toEqual([400, 'validation-failed']);
    expect((response.body.errors as { pointer: string }[])[0]?.pointer).toBe(pointer);
  });
});

describe('bodies that are no objects', () => {
  it.each(['null', '[]', '"text"', '{"title":', ''])(
    'PATCH with %j does not break anything',
    async (body) => {
      const session = await client.newUser();
      const { id } = await client.upload(session, { title: 'as it was' });
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
    const session = await client.newUser();
    const { id } = await client.upload(session, { title: 'gone', tags: 'sea' });
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
    expect(titles(await client.list(session))).toEqual([]);
    const trash = await client.list(session, '?deleted=true');
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
    expect(titles(await client.list(session))).toEqual(['gone']);
    await app.http.post(`/v1/media/${id}/restore`).set(session.headers).expect(404);
  });

  it('does not restore what was uploaded again meanwhile', async () => {
    const session = await client.newUser();
    const content = await picture();
    const first = await client.upload(session, {}, content);
    await app.http.delete(`/v1/media/${first.id}`).set(session.headers).expect(204);
    const second = await client.upload(session, {}, content);
    expect(second.id).not.toBe(first.id);
    const { status, body } = await app.http.post(`/v1/media/${first.id}/restore`).set(session.headers);
    expect([status, body.code]).toEqual([409, 'duplicate-exists']);
  });

  it('does not restore what the storage does not hold', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session);
    await app.http.delete(`/v1/media/${id}`).set(session.headers).expect(204);
    await superuser.query('UPDATE users SET storage_quota_bytes_override = 10 WHERE id = $1', [session.id]);
    const { status, body } = await app.http.post(`/v1/media/${id}/restore`).set(session.headers);
    expect([status, body.quota]).toEqual([402, 'storage']);
  });

  it('removes for good only what is in the trash', async () => {
    const session = await client.newUser();
    const { id } = await client.upload(session, { tags: 'sea', category: 'nature' });
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
