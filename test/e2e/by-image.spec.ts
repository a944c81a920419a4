import { readdir } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { jest } from '@jest/globals';
import type pg from 'pg';
import type { Sharp } from 'sharp';
import { ProviderError, type AiProviders } from '../../src/infrastructure/ai/ai.types.js';
import { AI_PROVIDERS } from '../../src/infrastructure/infrastructure.tokens.js';
import { blackPng } from '../../src/infrastructure/media-tools/testing/make-media.js';
import { picture, video } from '../../src/modules/media/testing/sample-files.js';
import type { ByImageResponse } from '../../src/modules/search/dto/similar.response.js';
import { SimilarPageReader } from '../../src/modules/search/similar-page.reader.js';
import { sailboatOnBlueWater, sunsetOverSea } from '../../src/samples/scenes/sea-and-sky.js';
import { coffeeCup, redApple } from '../../src/samples/scenes/still-life.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import { draw, upright } from './drawn-picture.js';

let app: TestApp;
let superuser: pg.Client;
let providers: AiProviders;
/** Owner of the stored pictures; `ids` by the name they were uploaded with. */
let owner: Session;
const ids: Record<string, string> = {};

beforeAll(async () => {
  app = await startTestApp();
  superuser = await connectAsSuperuser();
  providers = app.nest.get<AiProviders>(AI_PROVIDERS);
  owner = await app.createSession({ subscriptionTier: 'ultimate' });
  const files: [string, Buffer][] = [
    ['sunset over the sea.jpg', await draw(sunsetOverSea)],
    ['sailboat at sea.jpg', await draw(sailboatOnBlueWater)],
    ['coffee cup.jpg', await draw(coffeeCup)],
  ];
  for (const [name, content] of files) {
    const { body } = await app.http
      .post('/v1/media')
      .set(owner.headers)
      .attach('file', content, name)
      .expect(201);
    ids[name] = body.id;
  }
  for (const id of Object.values(ids)) {
    await app.eventually(async () => {
      const { body } = await app.http.get(`/v1/media/${id}`).set(owner.headers).expect(200);
      return body.status === 'completed' ? true : null;
    });
  }
}, 120_000);

afterEach(async () => {
  jest.restoreAllMocks();
  expect(await staged()).toEqual([]);
});
afterAll(async () => {
  await superuser.end();
  await app.stop();
});

const staged = (): Promise<string[]> =>
  readdir(path.join(app.runtime.config.DATA_DIR, 'staging')).catch((): string[] => []);

const post = (session: Session, content: Buffer, name: string, fields: Record<string, string> = {}) => {
  const request = app.http.post('/v1/search/by-image').set(session.headers);
  for (const [field, value] of Object.entries(fields)) void request.field(field, value);
  return request.attach('file', content, name);
};

async function search(
  session: Session,
  content: Buffer,
  name = 'upload.jpg',
  fields: Record<string, string> = {},
): Promise<ByImageResponse> {
  const response = await post(session, content, name, fields);
  expect([response.status, response.body]).toEqual([200, expect.anything()]);
  return response.body as ByImageResponse;
}

/** What the user has, and has used: a search by picture changes searches, history and ledger only. */
async function footprint(session: Session): Promise<Record<string, number>> {
  const { rows } = await superuser.query(
    `SELECT (SELECT count(*)::int FROM media_files WHERE user_id = $1) AS media,
            (SELECT count(*)::int FROM processing_jobs WHERE user_id = $1) AS jobs,
            (SELECT count(*)::int FROM media_embeddings WHERE user_id = $1) AS vectors,
            (SELECT count(*)::int FROM upload_reservations WHERE user_id = $1) AS reservations,
            (SELECT storage_used_bytes::int FROM users WHERE id = $1) AS bytes,
            (SELECT uploads_this_month FROM users WHERE id = $1) AS uploads,
            (SELECT searches_this_month FROM users WHERE id = $1) AS searches,
            (SELECT count(*)::int FROM search_history WHERE user_id = $1) AS history`,
    [session.id],
  );
  let objects = 0;
  for await (const _object of app.runtime.storage.list(`tenant/${session.id}/`)) objects += 1;
  return { ...(rows[0] as Record<string, number>), objects };
}
const NOTHING = {
  media: 0,
  jobs: 0,
  vectors: 0,
  reservations: 0,
  bytes: 0,
  uploads: 0,
  searches: 0,
  history: 0,
  objects: 0,
};

const newUser = (): Promise<Session> => app.createSession({ subscriptionTier: 'ultimate' });

describe('POST /v1/search/by-image', () => {
  it('puts the stored copy first, similar pictures after it, and keeps nothing', async () => {
    const before = await footprint(owner);
    const found = await search(owner, await draw(sunsetOverSea), 'sunset over the sea.jpg');
    expect(found.nearDuplicates).toMatchObject([
      { media: { id: ids['sunset over the sea.jpg'] }, hashDistance: 0, score: expect.any(Number) },
    ]);
    expect(found.nearDuplicates[0]!.score).toBeGreaterThan(0.8);
    expect(found.items[0]).toMatchObject({ media: { id: ids['sailboat at sea.jpg'] }, nearestMoment: null });
    expect(found).toMatchObject({ plan: 'exact', model: 'local-hash-embedding' });
    expect(found.degraded).toBeUndefined();
    expect(await footprint(owner)).toEqual({
      ...before,
      searches: before['searches']! + 1,
      history: before['history']! + 1,
    });
    const { body } = await app.http.get('/v1/searches').set(owner.headers).expect(200);
    expect(body.items[0]).toMatchObject({
      id: found.searchId,
      query: '(picture)',
      mode: 'semantic',
      filters: { kind: 'by-image', mode: 'all', includePrivate: false },
      resultsCount: found.nearDuplicates.length + found.items.length,
    });
    expect(JSON.stringify(body.items[0])).not.toContain('sunset');
    await app.http
      .post(`/v1/searches/${found.searchId}/clicks`)
      .set(owner.headers)
      .send({ mediaFileId: ids['sunset over the sea.jpg'] })
      .expect(200);
  });

  it.each<[string, (scene: Sharp) => Sharp]>([
    ['smaller', (scene) => scene.resize(240).jpeg({ quality: 60 })],
    ['as PNG', (scene) => scene.png()],
    ['as WebP', (scene) => scene.webp({ quality: 50 })],
    ['brighter', (scene) => scene.modulate({ brightness: 1.1 }).jpeg()],
    // The rows stored turned; EXIF orientation 6 says how to see them upright.
    ['stored on its side', (scene) => scene.rotate(-90).jpeg().withMetadata({ orientation: 6 })],
  ])('knows the copy that is %s', async (_what, change) => {
    const copy = await change(upright(coffeeCup)).toBuffer();
    const { nearDuplicates } = await search(owner, copy, 'x', { mode: 'near-duplicates' });
    expect(nearDuplicates.map(({ media }) => media.id)).toEqual([ids['coffee cup.jpg']]);
  });

  it('gives back the search that failed when the picture had been looked at', async () => {
    const session = await newUser();
    const spy = jest.spyOn(app.nest.get(SimilarPageReader), 'read').mockRejectedValueOnce(new Error('down'));
    expect((await post(session, await draw(redApple), 'a.jpg')).status).toBe(500);
    spy.mockRestore();
    expect(await footprint(session)).toEqual(NOTHING);
    await search(session, await draw(redApple), 'a.jpg');
    expect(await footprint(session)).toEqual({ ...NOTHING, searches: 1, history: 1 });
  });

  it('compares hashes alone when asked to, without a provider', async () => {
    const analyze = jest.spyOn(providers.imageAnalyzer, 'analyze');
    const embed = jest.spyOn(providers.textEmbedder, 'embed');
    const found = await search(owner, await draw(sunsetOverSea), 'a.jpg', { mode: 'near-duplicates' });
    expect(found).toMatchObject({ items: [], plan: 'none', model: null });
    expect(found.nearDuplicates).toHaveLength(1);
    expect([analyze.mock.calls.length, embed.mock.calls.length]).toEqual([0, 0]);
    const apple = await search(owner, await draw(redApple), 'a.jpg', { mode: 'near-duplicates' });
    expect(apple.nearDuplicates).toEqual([]);
  });

  it('finds the very file again even where its hash says nothing', async () => {
    const session = await newUser();
    const plain = await picture();
    const { body } = await app.http
      .post('/v1/media')
      .set(session.headers)
      .attach('file', plain, 'a.jpg')
      .expect(201);
    await app.http
      .post('/v1/media')
      .set(session.headers)
      .attach('file', await picture(), 'b.jpg')
      .expect(201);
    const { nearDuplicates } = await search(session, plain, 'c.jpg', { mode: 'near-duplicates' });
    expect(nearDuplicates).toMatchObject([{ media: { id: body.id }, hashDistance: 0 }]);
  });

  it('leaves private files out unless asked, and the trash always', async () => {
    const session = await newUser();
    const content = await draw(redApple);
    const { body } = await app.http
      .post('/v1/media')
      .set(session.headers)
      .field('isPrivate', 'true')
      .attach('file', content, 'apple.jpg')
      .expect(201);
    const count = async (fields: Record<string, string>): Promise<number> =>
      (await search(session, content, 'apple.jpg', { mode: 'near-duplicates', ...fields })).nearDuplicates
        .length;
    expect(await count({})).toBe(0);
    expect(await count({ includePrivate: 'true' })).toBe(1);
    await app.http.delete(`/v1/media/${body.id}`).set(session.headers).expect(204);
    expect(await count({ includePrivate: 'true' })).toBe(0);
  });

  it('A4: finds nothing of other users, with their own picture', async () => {
    const bob = await newUser();
    const found = await search(bob, await draw(sunsetOverSea), 'sunset over the sea.jpg', {
      includePrivate: 'true',
    });
    expect([found.nearDuplicates, found.items]).toEqual([[], []]);
    expect(await footprint(bob)).toEqual({ ...NOTHING, searches: 1, history: 1 });
  });

  describe('refuses, keeps nothing and charges nothing for', () => {
    const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    it.each<[string, string, () => Buffer | Promise<Buffer>, number, string]>([
      ['an empty file', 'a.jpg', () => Buffer.alloc(0), 422, 'empty-file'],
      ['an SVG named .png', 'a.png', () => Buffer.from(SVG), 415, 'unsupported-media-type'],
      [
        'a script behind a GIF header',
        'a.gif',
        () => Buffer.from(`GIF89a/*${SVG}*/=1`),
        415,
        'unsupported-media-type',
      ],
      ['a cut picture', 'a.jpg', async () => (await draw(redApple)).subarray(0, 4000), 422, 'corrupt-media'],
      ['a PNG of 30,000 x 30,000', 'a.png', () => blackPng(30_000, 30_000), 422, 'image-too-large'],
      ['a video', 'a.mp4', video, 415, 'unsupported-media-type'],
    ])('%s', async (_what, name, content, status, code) => {
      const session = await newUser();
      const response = await post(session, await content(), name);
      expect([response.status, response.body.code]).toEqual([status, code]);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(await staged()).toEqual([]);
      expect(await footprint(session)).toEqual(NOTHING);
    });

    it.each<[string, Record<string, string>, string]>([
      ['an unknown field', { title: 'x' }, '/title'],
      ['a limit of 0', { limit: '0' }, '/limit'],
      ['an unknown mode', { mode: 'text' }, '/mode'],
    ])('%s', async (_what, fields, pointer) => {
      const session = await newUser();
      const response = await post(session, await picture(), 'a.jpg', fields);
      expect([response.status, response.body.errors[0].pointer]).toEqual([400, pointer]);
      expect(await footprint(session)).toEqual(NOTHING);
    });

    it('no file, subtitles, and no form at all', async () => {
      const session = await newUser();
      const url = '/v1/search/by-image';
      const none = await app.http.post(url).set(session.headers).field('limit', '1');
      expect([none.status, none.body.errors[0].pointer]).toEqual([400, '/file']);
      const both = await post(session, await picture(), 'a.jpg').attach(
        'subtitles',
        Buffer.from('x'),
        'a.srt',
      );
      expect([both.status, both.body.errors[0].pointer]).toEqual([400, '/subtitles']);
      const json = await app.http.post(url).set(session.headers).send({ file: 'x' });
      expect([json.status, json.body.code]).toEqual([415, 'unsupported-media-type']);
      expect(await footprint(session)).toEqual(NOTHING);
    });

    it('a file above the limit of the plan', async () => {
      const session = await app.createSession({ subscriptionTier: 'premium' });
      const limit = `UPDATE usage_limits SET max_file_size_bytes = $1 WHERE tier_name = 'premium'`;
      await superuser.query(limit, [2000]);
      try {
        const response = await post(session, await draw(redApple), 'a.jpg');
        expect([response.status, response.body.code]).toEqual([413, 'payload-too-large']);
      } finally {
        await superuser.query(limit, [524_288_000]);
      }
      await app.eventually(async () => ((await staged()).length === 0 ? true : null));
      expect(await footprint(session)).toEqual(NOTHING);
    });
  });

  it('keeps nothing when the client goes away in the middle of the body', async () => {
    const session = await newUser();
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/search/by-image HTTP/1.1\r\nHost: x\r\nAuthorization: ${session.headers.Authorization}\r\n` +
        'Content-Length: 5000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n' +
        `--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n${'x'.repeat(300_000)}`,
    );
    await app.eventually(async () => ((await staged()).length > 0 ? true : null));
    socket.destroy();
    await app.eventually(async () => ((await staged()).length === 0 ? true : null));
    expect(await footprint(session)).toEqual(NOTHING);
  });

  it('stops the provider and keeps nothing when the client goes away while the picture is looked at', async () => {
    const session = await newUser();
    let seen: AbortSignal | undefined;
    jest.spyOn(providers.imageAnalyzer, 'analyze').mockImplementation((_input, signal) => {
      seen = signal;
      return new Promise((_resolve, reject) =>
        signal!.addEventListener('abort', () =>
          reject(new ProviderError('provider-cancelled', 'cancelled', false, 'none')),
        ),
      );
    });
    const content = await draw(redApple);
    const body = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'),
      content,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/search/by-image HTTP/1.1\r\nHost: x\r\nAuthorization: ${session.headers.Authorization}\r\n` +
        `Content-Length: ${body.length}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n`,
    );
    socket.write(body);
    await app.eventually(() => Promise.resolve(seen));
    expect((await staged()).length).toBe(2);
    socket.destroy();
    await app.eventually(async () => ((await staged()).length === 0 ? true : null));
    expect(seen!.aborted).toBe(true);
    expect(await footprint(session)).toEqual({ ...NOTHING, searches: 1 });
  });

  it('is 402 when the searches are used up, and belongs to every plan', async () => {
    const free = await app.createSession();
    expect((await post(free, await draw(redApple), 'a.jpg')).status).toBe(200);
    await superuser.query('UPDATE users SET searches_this_month = 50 WHERE id = $1', [free.id]);
    const analyze = jest.spyOn(providers.imageAnalyzer, 'analyze');
    const response = await post(free, await draw(redApple), 'a.jpg');
    expect([response.status, response.body.quota]).toEqual([402, 'searches']);
    expect(analyze).not.toHaveBeenCalled();
  });

  it('takes an API key with the scope search, and no other', async () => {
    const keyWith = async (scope: string): Promise<string> =>
      (
        await app.http
          .post('/v1/me/api-keys')
          .set(owner.headers)
          .send({ name: scope, scopes: [scope] })
          .expect(201)
      ).body.key as string;
    for (const [scope, status] of [
      ['search', 200],
      ['media:write', 403],
    ] as const) {
      const response = await app.http
        .post('/v1/search/by-image')
        .set('X-API-Key', await keyWith(scope))
        .attach('file', await picture(), 'a.jpg');
      expect([scope, response.status]).toEqual([scope, status]);
    }
  });
});
