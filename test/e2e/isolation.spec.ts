import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { v7 as uuidv7 } from 'uuid';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

const UNKNOWN = '01900000-0000-7000-8000-000000000000';

/** Routes with something in braces that is nobody's own. A new one belongs here with its reason, or is tried below. */
const NOT_OWNED: Readonly<Record<string, string>> = {
  'GET /v1/admin/usage-limits/{tier}': 'a plan; for administrators only (route-access.spec.ts)',
  'PUT /v1/admin/usage-limits/{tier}': 'a plan; for administrators only (route-access.spec.ts)',
  'GET /v1/admin/embedding-models/{id}/estimate': 'a model; for administrators only (route-access.spec.ts)',
  'POST /v1/admin/embedding-models/{id}/reindex': 'a model; for administrators only (route-access.spec.ts)',
  'POST /v1/admin/embedding-models/{id}/activate': 'a model; for administrators only (route-access.spec.ts)',
  'DELETE /v1/admin/embedding-models/{id}/vectors': 'a model; for administrators only (route-access.spec.ts)',
};
/** What a route would accept, so that nothing but the id can be refused. */
const BODIES: Readonly<Record<string, object>> = {
  'PATCH /v1/media/{id}': { title: 'taken over' },
  'PATCH /v1/tags/{id}': { name: 'taken over' },
  'PATCH /v1/categories/{id}': { name: 'taken over' },
  'PATCH /v1/saved-searches/{id}': { name: 'taken over' },
};
/** Routes that take the id of a file beside those of the path: in the query, or in the body. */
const MEDIA_ID_BESIDE: Readonly<Record<string, 'query' | 'body'>> = {
  'GET /v1/search/{searchId}/explain': 'query',
  'POST /v1/searches/{id}/clicks': 'body',
};
/** Differ between any two answers. */
const VOLATILE_HEADERS = [
  'date',
  'x-request-id',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
];

type Owned = Record<string, string>;
interface Route {
  name: string;
  method: 'get';
  path: string;
  /** What each id that the route takes is an id of: the segment before it. */
  kinds: string[];
}

/**
 * Generated from the OpenAPI document. Every route that takes an id is called by another user with ids that exist (but
 * are not theirs) and with ids that nobody has: the answers must not differ, and none may succeed. A route that takes
 * two is tried with each of them foreign and the other one theirs, foreign or unknown.
 */
describe('A1: what belongs to somebody else', () => {
  let app: TestApp;
  let alice: Session;
  let bob: Session;
  let paths: Record<string, Record<string, unknown>>;
  /** Things of each of them by kind. */
  let alices: Owned = {};
  let bobs: Owned = {};
  const canary = `canary${randomBytes(6).toString('hex')}`;

  beforeAll(async () => {
    app = await startTestApp();
    [alice, bob] = await Promise.all([
      app.createSession({ subscriptionTier: 'ultimate' }),
      app.createSession({ subscriptionTier: 'ultimate' }),
    ]);
    alices = await makeOneOfEach(alice, canary);
    bobs = await makeOneOfEach(bob, 'something else');
    paths = (await app.http.get('/openapi.json')).body.paths;
  }, 120_000);
  afterAll(() => app.stop());

  /** One of every kind of thing that a user can have. */
  async function makeOneOfEach(owner: Session, name: string): Promise<Owned> {
    const post = async (
      path: string,
      body: object,
      status: number,
    ): Promise<{ id: string; searchId: string }> =>
      (await app.http.post(path).set(owner.headers).send(body).expect(status)).body;
    const first = async (path: string): Promise<string> =>
      (await app.http.get(path).set(owner.headers).expect(200)).body.items[0].id;
    const background = `#${randomBytes(3).toString('hex')}`;
    const content = await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .png()
      .toBuffer();
    const uploaded = await app.http
      .post('/v1/media')
      .set(owner.headers)
      .field('title', name)
      .field('tags', name)
      .attach('file', content, 'a.png')
      .expect(201);
    const media: string = uploaded.body.id;
    await app.eventually(async () => {
      const { body } = await app.http.get(`/v1/media/${media}`).set(owner.headers);
      return body.status === 'completed' ? true : null;
    });
    const { searchId } = await post('/v1/search', { query: name }, 200);
    const savedSearch = { name, search: { query: name } };
    return {
      media,
      keyframes: await addKeyframe(owner, media),
      jobs: await first('/v1/jobs'),
      tags: await first('/v1/tags'),
      categories: (await post('/v1/categories', { name }, 201)).id,
      'api-keys': (await post('/v1/me/api-keys', { name, scopes: ['search'] }, 201)).id,
      searches: searchId,
      search: searchId,
      'saved-searches': (await post('/v1/saved-searches', savedSearch, 201)).id,
    };
  }

  /** As the analysis of a video would leave it. */
  async function addKeyframe({ id: userId }: Session, mediaFileId: string): Promise<string> {
    const id = uuidv7();
    const storageKey = `tenant/${userId}/media/${mediaFileId}/frame`;
    await app.runtime.storage.putBuffer(storageKey, await picture('jpeg'), 'image/jpeg');
    await app.database.runAs({ kind: 'user', userId }, (tx) =>
      tx.keyframe.create({
        data: {
          ...{ userId, id, mediaFileId, storageKey, timestampSeconds: 1.5 },
          ...{ width: 64, height: 48, sizeBytes: 100n },
        },
      }),
    );
    return id;
  }

  const routesWithIds = (): Route[] =>
    Object.entries(paths).flatMap(([path, operations]) => {
      const kinds = [...path.matchAll(/\/([a-z-]+)\/\{\w+\}/g)].map(([, kind]) => kind!);
      if (!path.includes('{')) return [];
      return Object.keys(operations).map((method) => {
        const name = `${method.toUpperCase()} ${path}`;
        const beside = MEDIA_ID_BESIDE[name] ? ['media'] : [];
        return { name, method: method as 'get', path, kinds: [...kinds, ...beside] };
      });
    });

  const isTried = ({ kinds, path }: Route): boolean =>
    !path.includes('/admin/') && kinds.length > 0 && kinds.every((kind) => alices[kind] !== undefined);

  /** @param ids one for each of the route's kinds */
  async function call(who: Session, { name, method, path }: Route, ids: string[]) {
    const left = [...ids];
    const target = path.replace(/\{\w+\}/g, () => left.shift()!);
    const query = MEDIA_ID_BESIDE[name] === 'query' ? `?mediaId=${left.shift()!}` : '';
    const body = MEDIA_ID_BESIDE[name] === 'body' ? { mediaFileId: left.shift()! } : BODIES[name];
    const answer = await app.http[method](target + query)
      .set(who.headers)
      .send(body);
    const {
      requestId: _requestId,
      instance: _instance,
      ...rest
    } = (answer.body ?? {}) as Record<string, unknown>;
    const headers = Object.entries(answer.headers as Record<string, string>).filter(
      ([header]) => !VOLATILE_HEADERS.includes(header),
    );
    return { status: answer.status, body: rest, headers: Object.fromEntries(headers) };
  }

  it('is tried with every route that takes an id, but those named with a reason', () => {
    const routes = routesWithIds();
    expect(
      routes
        .filter((route) => !isTried(route))
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(NOT_OWNED).sort());
    const names = routes.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...Object.keys(BODIES), ...Object.keys(MEDIA_ID_BESIDE)]));
  });

  it('answers like what does not exist, on every route with an id', async () => {
    for (const route of routesWithIds().filter(isTried)) {
      for (const places of placesOf(route.kinds.length)) {
        const ids = (foreign: (kind: string) => string): string[] =>
          places.map((place, index) => {
            const kind = route.kinds[index]!;
            return place === 'foreign' ? foreign(kind) : place === 'own' ? bobs[kind]! : UNKNOWN;
          });
        const foreign = await call(
          bob,
          route,
          ids((kind) => alices[kind]!),
        );
        const unknown = await call(
          bob,
          route,
          ids(() => UNKNOWN),
        );
        expect([route.name, places, foreign]).toEqual([route.name, places, unknown]);
        expect([route.name, places, foreign.status >= 400]).toEqual([route.name, places, true]);
      }
    }
    // And nothing was done by trying.
    const { body } = await app.http.get(`/v1/media/${alices['media']}`).set(alice.headers).expect(200);
    expect(body).toMatchObject({ title: canary, tags: [canary], deletedAt: null });
  });

  it('is there for its owner, by the same ids', async () => {
    const reads = routesWithIds().filter((route) => isTried(route) && route.method === 'get');
    expect(reads.length).toBeGreaterThanOrEqual(12);
    for (const route of reads) {
      const { status } = await call(
        alice,
        route,
        route.kinds.map((kind) => alices[kind]!),
      );
      expect([route.name, status]).toEqual([route.name, 200]);
    }
  });

  it('A2: is in no list, search, suggestion, count or history', async () => {
    const nobody = await app.createSession({ subscriptionTier: 'ultimate' });
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
      const { text } = await app.http.get(path + query).set(nobody.headers);
      expect([path, text.includes(canary), text.includes(alices['media']!)]).toEqual([path, false, false]);
    }
    for (const mode of ['hybrid', 'text', 'semantic']) {
      const { body } = await app.http
        .post('/v1/search')
        .set(nobody.headers)
        .send({ query: canary, mode })
        .expect(200);
      expect(body.items).toEqual([]);
    }
    const { body } = await app.http.get('/v1/me/usage').set(nobody.headers).expect(200);
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

/** Every way to fill so many places with what is foreign, own or unknown, in which at least one is foreign. */
function placesOf(count: number): ('foreign' | 'own' | 'unknown')[][] {
  let ways: ('foreign' | 'own' | 'unknown')[][] = [[]];
  for (let place = 0; place < count; place++) {
    ways = ways.flatMap((way) => (['foreign', 'own', 'unknown'] as const).map((next) => [...way, next]));
  }
  return ways.filter((way) => way.includes('foreign'));
}
