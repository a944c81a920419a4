import { startTestApp, type TestApp } from '../harness/app.js';

const TOKEN = 'a-token-of-sixteen-characters-or-more';
const PRODUCTION = { NODE_ENV: 'production', DATABASE_SSL: 'disable' };

/** They count everybody's work, so in production they are for whoever has the token. */
describe('GET /metrics', () => {
  let app: TestApp;
  afterEach(() => app.stop());

  const start = async (env: Record<string, string>): Promise<void> => {
    app = await startTestApp(env, { jobs: false });
  };
  const read = (authorization?: string): ReturnType<TestApp['http']['get']> => {
    const request = app.http.get('/metrics');
    return authorization === undefined ? request : request.set('Authorization', authorization);
  };

  it.each([
    ['outside of production', {}],
    ['in production', PRODUCTION],
  ])('with a token: is for who has it, %s', async (_name, env) => {
    await start({ ...env, METRICS_TOKEN: TOKEN });
    const session = await app.createSession({ role: 'ADMIN' });
    for (const wrong of [
      ...[undefined, '', 'Bearer', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`],
      ...[`Bearer ${TOKEN} x`, session.headers.Authorization],
    ]) {
      const { status, body, text, headers } = await read(wrong);
      expect([wrong, status, body.code]).toEqual([wrong, 401, 'unauthenticated']);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(text).not.toMatch(/http_request_duration_seconds|sixteen/);
    }
    for (const right of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`]) {
      const { text, headers } = await read(right).expect(200);
      expect(text).toContain('http_request_duration_seconds');
      expect(headers).toMatchObject({
        'content-type': expect.stringContaining('text/plain'),
        'cache-control': 'no-store',
      });
    }
    // The token opens nothing else.
    await app.http.get('/v1/me').set('Authorization', `Bearer ${TOKEN}`).expect(401);
  });

  it('without a token: is not there in production, whatever is sent', async () => {
    await start(PRODUCTION);
    const unknown = await app.http.get('/unknown').expect(404);
    for (const given of [undefined, 'Bearer undefined', 'Bearer ', `Bearer ${TOKEN}`]) {
      const { body } = await read(given).expect(404);
      expect(body).toEqual({ ...unknown.body, instance: '/metrics', requestId: body.requestId });
    }
  });

  it('without a token: is open outside of production', async () => {
    await start({});
    expect((await read().expect(200)).text).toContain('http_request_duration_seconds');
  });
});
