import { DiscoveryService, MetadataScanner, Reflector, ModulesContainer } from '@nestjs/core';
import { PATH_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import {
  PUBLIC_ROUTES,
  ROUTE_ACCESS,
  SCOPES,
  type RouteAccess,
} from '../../src/infrastructure/http/route-access.js';
import { startTestApp, type TestApp } from '../harness/app.js';

interface Route {
  name: string;
  method: string;
  path: string;
  access: RouteAccess | undefined;
}

/** Every route of the application, read from the controllers' metadata. */
function routesOf(app: TestApp): Route[] {
  const reflector = new Reflector();
  const discovery = new DiscoveryService(app.nest.get(ModulesContainer));
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ instance, metatype }) => {
    if (!instance || !metatype) return [];
    const prototype = Object.getPrototypeOf(instance) as object;
    const prefix = String(Reflect.getMetadata(PATH_METADATA, metatype) ?? '');
    return scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = (prototype as Record<string, () => unknown>)[name];
      if (!handler || Reflect.getMetadata(METHOD_METADATA, handler) === undefined) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? '';
      const paths = [Reflect.getMetadata(PATH_METADATA, handler) as string | string[]].flat();
      const access = reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [handler, metatype]);
      return paths.map((suffix) => {
        const path = `/${[prefix, suffix].join('/')}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
        return { name: `${method} ${path}`, method, path, access };
      });
    });
  });
}

describe('access to routes', () => {
  let app: TestApp;
  let routes: Route[];
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
    routes = routesOf(app);
  });
  afterAll(() => app.stop());

  it('is declared by every route', () => {
    expect(routes.length).toBeGreaterThan(30);
    expect(routes.filter((route) => !route.access).map((route) => route.name)).toEqual([]);
  });

  it('is open for the named routes only', () => {
    const open = routes.filter((route) => route.access?.kind === 'public').map((route) => route.name);
    expect(open.sort()).toEqual([...PUBLIC_ROUTES].sort());
  });

  it.each(['without a credential', 'with a key that was taken back'])(
    'A1: %s, every other route answers 401 and nothing else',
    async (what) => {
      const headers = what.startsWith('without') ? {} : { 'X-API-Key': await revokedKey() };
      for (const route of routes.filter(({ access }) => access?.kind !== 'public')) {
        const path = route.path.replace(/:(\w+)/g, '01900000-0000-7000-8000-000000000000');
        const method = (route.method === 'ALL' ? 'get' : route.method.toLowerCase()) as 'get';
        const response = await app.http[method](path).set(headers);
        expect([route.name, response.status]).toEqual([route.name, 401]);
        if (method !== ('head' as string))
          expect(response.headers['content-type']).toContain('application/problem+json');
      }
    },
  );

  /** A key with every scope that opened a route until it was deleted. */
  async function revokedKey(): Promise<string> {
    const owner = await app.createSession({ subscriptionTier: 'ultimate' });
    const made = await app.http
      .post('/v1/me/api-keys')
      .set(owner.headers)
      .send({ name: 'gone', scopes: [...SCOPES] })
      .expect(201);
    const key: string = made.body.key;
    await app.http.get('/v1/media').set('X-API-Key', key).expect(200);
    await app.http.delete(`/v1/me/api-keys/${made.body.id}`).set(owner.headers).expect(204);
    return key;
  }

  it('A1: administrators only, for users with a session', async () => {
    const user = await app.createSession();
    for (const route of routes.filter(({ access }) => access?.kind === 'admin')) {
      const path = route.path.replace(/:(\w+)/g, 'free');
      const method = route.method.toLowerCase() as 'get';
      const response = await app.http[method](path).set(user.headers);
      expect([route.name, response.status]).toEqual([route.name, 403]);
    }
  });

  it('C4: an API key with every scope manages no API keys, and is no administrator', async () => {
    const admin = await app.createSession({ role: 'ADMIN' });
    const created = await app.http
      .post('/v1/me/api-keys')
      .set(admin.headers)
      .send({ name: 'all', scopes: SCOPES })
      .expect(201);
    const closed = routes.filter(({ access }) => access?.kind === 'session' || access?.kind === 'admin');
    expect(closed.filter(({ access }) => access?.kind === 'session').map(({ name }) => name)).toEqual([
      'GET /v1/me/api-keys',
      'POST /v1/me/api-keys',
      'DELETE /v1/me/api-keys/:id',
    ]);
    for (const route of closed) {
      const path = route.path.replace(/:(\w+)/g, created.body.id as string);
      const method = route.method.toLowerCase() as 'get';
      const response = await app.http[method](path).set('X-API-Key', created.body.key as string);
      expect([route.name, response.status, response.body.code]).toEqual([route.name, 403, 'forbidden']);
    }
  });
});
