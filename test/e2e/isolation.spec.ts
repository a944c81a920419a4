import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

/**
 * A1, A4: generated from the OpenAPI document. Every route that takes an id is called by another user with ids that
 * exist (but are not theirs) and with ids that nobody has: the answers must not differ, and none may succeed.
 */
describe('what belongs to somebody else', () => {
  let app: TestApp;
  let alice: Session;
  let bob: Session;
  let paths: Record<string, Record<string, { requestBody?: { content?: Record<string, unknown> } }>>;
  /** Alice's things by kind. */
  const owned: Record<string, string> = {};
  const canary = `canary${randomBytes(6).toString('hex')}`;
  const UNKNOWN = '01900000-0000-7000-8000-000000000000';

  beforeAll(async () => {
    app = await startTestApp();
    [alice, bob] = await Promise.all([
      app.createSession({ subscriptionTier: 'ultimate' }),
      app.createSession({ subscriptionTier: 'ultimate' }),
    ]);
    const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#2060c0' } })
      .composite([
        {
          input: { create: { width: 8, height: 8, channels: 3, background: randomColor() } },
          left: 3,
          top: 5,
        },
      ])
      .png()
      .toBuffer();
    const uploaded = await app.http
      .post('/v1/media')
      .set(alice.headers)
      .field('title', canary)
      .field('tags', canary)
      .attach('file', picture, 'a.png')
      .expect(201);
    owned['media'] = uploaded.body.id;
    await app.eventually(async () => {
      const { body } = await app.http.get(`/v1/media/${owned['media']}`).set(alice.headers);
      return body.status === 'completed' ? true : null;
    });
    owned['jobs'] = (await app.http.get('/v1/jobs').set(alice.headers).expect(200)).body.items[0].id;
    owned['tags'] = (await app.http.get('/v1/tags').set(alice.headers).expect(200)).body.items[0].id;
    owned['api-keys'] = (
      await app.http
        .post('/v1/me/api-keys')
        .set(alice.headers)
        .send({ name: canary, scopes: ['search'] })
        .expect(201)
    ).body.id;
    owned['searches'] = (
      await app.http.post('/v1/search').set(alice.headers).send({ query: canary }).expect(200)
    ).body.searchId;
    owned['saved-searches'] = (
      await app.http
        .post('/v1/saved-searches')
        .set(alice.headers)
        .send({ name: canary, search: { query: canary } })
        .expect(201)
    ).body.id;
    paths = (await app.http.get('/openapi.json')).body.paths;
  }, 120_000);
  afterAll(() => app.stop());

  const randomColor = (): string => `#${randomBytes(3).toString('hex')}`;
  /** Which of Alice's ids a path parameter stands for, by the segment before it. */
  const resourceOf = (path: string): string | undefined => /\/([a-z-]+)\/\{\w+\}/.exec(path)?.[1];
  const BODIES: Record<string, object> = {
    'PATCH /v1/media/{id}': { title: 'taken over' },
    'PATCH /v1/tags/{id}': { name: 'taken over' },
    'PATCH /v1/categories/{id}': { name: 'taken over' },
    'PATCH /v1/saved-searches/{id}': { name: 'taken over' },
  };

  it('answers like what does not exist, on every route with an id', async () => {
    const checked: string[] = [];
    for (const [path, operations] of Object.entries(paths)) {
      const resource = resourceOf(path);
      if (!resource || path.includes('/admin/')) continue;
      const foreignId = owned[resource];
      if (!foreignId) continue;
      for (const method of Object.keys(operations)) {
        const call = async (id: string): Promise<{ status: number; body: unknown }> => {
          const target = path.replace(/\{\w+\}/, id).replace(/\{\w+\}/g, UNKNOWN);
          const body =
            BODIES[`${method.toUpperCase()} ${path}`] ??
            (path.endsWith('/clicks') ? { mediaFileId: owned['media'] } : undefined);
          const answer = await app.http[method as 'get'](target).set(bob.headers).send(body);
          const {
            requestId: _requestId,
            instance: _instance,
            ...rest
          } = (answer.body ?? {}) as Record<string, unknown>;
          return { status: answer.status, body: rest };
        };
        const [foreign, unknown] = [await call(foreignId), await call(UNKNOWN)];
        expect([method, path, foreign]).toEqual([method, path, unknown]);
        expect([method, path, foreign.status >= 400]).toEqual([method, path, true]);
        checked.push(`${method} ${path}`);
      }
    }
    expect(checked.length).toBeGreaterThanOrEqual(15);
    // And nothing was done by trying.
    const { body } = await app.http.get(`/v1/media/${owned['media']}`).set(alice.headers).expect(200);
    expect(body).toMatchObject({ title: canary, tags: [canary], deletedAt: null });
  });

  it('is in no list, search, suggestion, count or history', async () => {
    const lists = Object.entries(paths)
      .filter(
        ([path, operations]) =>
          operations['get'] &&
          !path.includes('{') &&
          path.startsWith('/v1/') &&
          !path.includes('/admin/') &&
          path !== '/v1/events',
      )
      .map(([path]) => path);
    expect(lists.length).toBeGreaterThan(6);
    for (const path of lists) {
      const query = path.endsWith('/suggestions') ? `?q=${canary.slice(0, 8)}` : '';
      const { text } = await app.http.get(path + query).set(bob.headers);
      expect([path, text.includes(canary), text.includes(owned['media'] ?? '')]).toEqual([
        path,
        false,
        false,
      ]);
    }
    for (const mode of ['hybrid', 'text', 'semantic']) {
      const { body } = await app.http
        .post('/v1/search')
        .set(bob.headers)
        .send({ query: canary, mode })
        .expect(200);
      expect(body.items).toEqual([]);
    }
    const { body } = await app.http.get('/v1/me/usage').set(bob.headers).expect(200);
    expect(body.storage.usedBytes).toBe(0);
  });

  it('A10: 200 mixed requests at once each see their own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const who = index % 2 === 0 ? alice : bob;
        const { body } = await app.http.get('/v1/me').set(who.headers);
        return body.id === who.id;
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
  });
});
