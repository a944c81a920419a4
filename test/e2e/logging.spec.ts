import { randomBytes } from 'node:crypto';
import { startTestApp, type TestApp } from '../harness/app.js';

/** Everything that the product logs at its most talkative, beside requests full of secrets. */
describe('C20: secrets and personal text in logs and figures', () => {
  let app: TestApp;
  let log = '';
  const canaries: string[] = [];
  const canary = (kind: string): string => {
    const value = `canary${kind}${randomBytes(8).toString('hex')}`;
    canaries.push(value);
    return value;
  };

  const metricsToken = canary('metrics');
  beforeAll(async () => {
    app = await startTestApp(
      { LOG_LEVEL: 'trace', DATABASE_SLOW_QUERY_MS: '0', METRICS_TOKEN: metricsToken },
      { logDestination: { write: (line: string) => void (log += line) } },
    );
  });
  afterAll(() => app.stop());

  it('are in none of them', async () => {
    const password = canary('password');
    const email = `log-${Date.now()}@example.test`;
    const { body: session } = await app.http
      .post('/v1/auth/register')
      .send({ email, password, displayName: canary('name') });
    const bearer = { Authorization: `Bearer ${session.accessToken}` };
    canaries.push(session.accessToken, session.refreshToken);
    await app.http
      .post('/v1/auth/login')
      .send({ email, password: canary('wrong') })
      .expect(401);
    await app.http
      .post('/v1/auth/refresh')
      .send({ refreshToken: canary('refresh') })
      .expect(401);
    const { body: key } = await app.http
      .post('/v1/me/api-keys')
      .set(bearer)
      .send({ name: canary('key'), scopes: ['search'] });
    canaries.push(key.key);

    // Credentials that are refused, in every place where one could stand.
    await app.http
      .get('/v1/me')
      .set('Authorization', `Bearer ${canary('bearer')}`)
      .expect(401);
    await app.http.get('/v1/me').set('X-API-Key', canary('header')).expect(401);
    await app.http
      .get('/v1/me')
      .set('Cookie', `session=${canary('cookie')}`)
      .expect(401);
    await app.http.get(`/v1/me?token=${canary('query')}`).set(bearer);
    await app.http
      .get(`/v1/media?cursor=${canary('cursor')}`)
      .set(bearer)
      .expect(400);

    // Personal text, accepted and refused, and text that the database refuses.
    await app.http
      .post('/v1/search')
      .set(bearer)
      .send({ query: canary('search') })
      .expect(200);
    await app.http.get(`/v1/search/suggestions?q=${canary('typing')}`).set(bearer);
    await app.http
      .post('/v1/search')
      .set(bearer)
      .send({ query: canary('field'), [canary('unknown')]: true })
      .expect(400);
    await app.http
      .post('/v1/search')
      .set(bearer)
      .set('content-type', 'application/json')
      .send(`{"query":"${canary('broken')}`);
    await app.http
      .patch('/v1/me')
      .set(bearer)
      .send({ settings: { note: `${canary('nul')}\u0000` } });
    await app.http
      .post('/v1/media')
      .set(bearer)
      .field('title', canary('title'))
      .attach('file', Buffer.from(canary('bytes')), `${canary('file')}.jpg`);
    await app.http
      .put('/v1/admin/usage-limits/free')
      .set(bearer)
      .send({ supportLevel: canary('admin') })
      .expect(403);

    await app.http
      .get('/metrics')
      .set('Authorization', `Bearer ${canary('scrape')}`)
      .expect(401);
    const { text: metrics } = await app.http
      .get('/metrics')
      .set('Authorization', `Bearer ${metricsToken}`)
      .expect(200);
    expect(canaries.length).toBeGreaterThanOrEqual(20);
    expect(log.length).toBeGreaterThan(5_000);
    expect(canaries.filter((value) => log.includes(value) || metrics.includes(value))).toEqual([]);
  });

  it('are not there either when a request fails inside', async () => {
    const user = await app.createSession();
    const secret = canary('inside');
    await app.database
      .runAs({ kind: 'user', userId: user.id }, (tx) => tx.$queryRaw`SELECT ${secret}::uuid`)
      .catch(() => undefined);
    expect(log).not.toContain(secret);
  });

  it('stay within their bounds: each line is one JSON object with the id of its request', async () => {
    log = '';
    await app.http.get('/v1/nothing%0A%22here').set('User-Agent', '"}{"forged":"line').expect(404);
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { req?: object; requestId?: string });
    const finished = lines.filter((line) => line.req);
    expect(finished.length).toBeGreaterThan(0);
    for (const line of finished) expect(line.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
