import { startTestApp, type Session, type TestApp } from '../harness/app.js';

describe('HTTP', () => {
  let app: TestApp;
  let session: Session;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
    session = await app.createSession({ subscriptionTier: 'ultimate' });
  });
  afterAll(() => app.stop());

  it('answers malformed JSON with a problem', async () => {
    const answer = await app.http
      .post('/v1/search')
      .set(session.headers)
      .set('content-type', 'application/json')
      .send('{"query": ')
      .expect(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toEqual({
      type: 'urn:ai-media-search:problem:malformed-json',
      title: 'The request is not valid',
      status: 400,
      detail: 'The body is not valid JSON.',
      instance: '/v1/search',
      requestId: expect.any(String),
      code: 'malformed-json',
    });
  });

  it.each([
    ['an array', '[]'],
    ['a number', '7'],
    ['null', 'null'],
    ['text', '"query"'],
    ['nothing', ''],
  ])('refuses %s as a body', async (_name, body) => {
    const answer = await app.http
      .post('/v1/search')
      .set(session.headers)
      .set('content-type', 'application/json')
      .send(body);
    expect(answer.status).toBe(400);
  });

  it('refuses a body that is too large, deep, or of an unknown encoding', async () => {
    const post = (): ReturnType<TestApp['http']['post']> =>
      app.http.post('/v1/search').set(session.headers).set('content-type', 'application/json');
    expect((await post().send(JSON.stringify({ query: 'x'.repeat(1_100_000) }))).status).toBe(413);
    expect(
      (await post().send(`{"query":"x","filter":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`)).status,
    ).toBe(400);
    expect((await post().set('content-encoding', 'zstd-of-tomorrow').send('{}')).status).toBe(415);
    expect(
      (await app.http.post('/v1/search').set(session.headers).type('text/plain').send('query')).status,
    ).toBe(400);
  });

  it('C18: __proto__ and constructor in a body change nothing', async () => {
    const answer = await app.http
      .post('/v1/search')
      .set(session.headers)
      .set('content-type', 'application/json')
      .send('{"query":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect(answer.status).toBe(400);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('answers unknown routes, bad ids and bad escapes with problems', async () => {
    const get = (path: string): ReturnType<TestApp['http']['get']> => app.http.get(path).set(session.headers);
    expect((await get('/v1/nothing-here').expect(404)).body.code).toBe('not-found');
    expect((await get('/v1/media/not-a-uuid').expect(400)).body.code).toBe('invalid-id');
    expect((await get('/v1/media/%E0%A4%A').expect(400)).body.status).toBe(400);
    expect((await get('/v1/media/01900000-0000-7000-8000-000000000000').expect(404)).body.code).toBe(
      'not-found',
    );
  });

  it('refuses unknown query parameters and bad page sizes', async () => {
    for (const query of [
      'surprise=1',
      'limit=0',
      'limit=101',
      'limit=ten',
      'limit=1e9',
      'cursor=forged',
      'cursor=a.b',
    ]) {
      const answer = await app.http.get(`/v1/audit-logs?${query}`).set(session.headers);
      expect([query, answer.status]).toEqual([query, 400]);
    }
  });

  it('gives each request an id, and takes over a UUID only', async () => {
    const id = '01900000-0000-7000-8000-00000000abcd';
    expect((await app.http.get('/health/live').set('X-Request-Id', id)).headers['x-request-id']).toBe(id);
    const other = await app.http.get('/health/live').set('X-Request-Id', 'evil\tvalue');
    expect(other.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sets safe headers and names no server software', async () => {
    const { headers } = await app.http.get('/health/live').expect(200);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'referrer-policy': 'no-referrer',
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('tells whether it lives and is ready, with pool figures', async () => {
    expect((await app.http.get('/health/live').expect(200)).body).toEqual({ status: 'ok' });
    const { body } = await app.http.get('/health/ready').expect(200);
    expect(body).toMatchObject({
      status: 'ok',
      checks: {
        database: {
          ok: true,
          pool: { totalCount: expect.any(Number), idleCount: expect.any(Number), waitingCount: 0 },
        },
        storage: { ok: true, provider: 'local' },
        jobTransport: { ok: true },
      },
    });
  });

  it('gives figures without ids', async () => {
    await app.http.get('/v1/media/01900000-0000-7000-8000-000000000000').set(session.headers);
    const { text, headers } = await app.http.get('/metrics').expect(200);
    expect(headers['content-type']).toContain('text/plain');
    expect(text).toContain('http_request_duration_seconds');
    expect(text).toContain('database_transaction_duration_seconds');
    // With its dash: eight digits alone may stand in any figure.
    expect(text).not.toContain('01900000-');
  });

  it('serves the documentation', async () => {
    expect((await app.http.get('/docs').expect(200)).text).toContain('swagger-ui');
    expect((await app.http.get('/openapi.json').expect(200)).body.info.title).toBe('AI Media Search');
  });

  it('pages through the audit log without gap or double', async () => {
    const user = await app.createSession({ subscriptionTier: 'ultimate' });
    for (let index = 0; index < 5; index += 1) {
      await app.http
        .post('/v1/me/api-keys')
        .set(user.headers)
        .send({ name: `key ${index}`, scopes: ['search'] })
        .expect(201);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor ? `?limit=2&cursor=${encodeURIComponent(cursor)}` : '?limit=2';
      const { body } = await app.http.get(`/v1/audit-logs${query}`).set(user.headers).expect(200);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      cursor = body.nextCursor as string | null;
    } while (cursor);
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
    const first = await app.http.get('/v1/audit-logs?limit=2').set(user.headers);
    const foreign = await app.http
      .get(`/v1/audit-logs?cursor=${encodeURIComponent(first.body.nextCursor)}`)
      .set(session.headers);
    expect(foreign.status).toBe(400);
    expect(foreign.body.code).toBe('invalid-cursor');
  });
});
