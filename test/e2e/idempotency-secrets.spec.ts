import type pg from 'pg';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';

/** An answer that holds a secret is given once: it is neither stored nor repeated, to nobody. */
describe('Idempotency-Key on routes that answer with a secret (B10, C4)', () => {
  let app: TestApp;
  let superuser: pg.Client;
  let session: Session;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
    superuser = await connectAsSuperuser();
  });
  beforeEach(async () => {
    session = await app.createSession({ subscriptionTier: 'ultimate' });
  });
  afterAll(async () => {
    await superuser.end();
    await app.stop();
  });

  const BODY = { name: 'one', scopes: ['search'] };
  const post = (key: string, headers: object = session.headers): ReturnType<TestApp['http']['post']> =>
    app.http
      .post('/v1/me/api-keys')
      .set(headers as Record<string, string>)
      .set('Idempotency-Key', key)
      .send(BODY);
  const names = async (): Promise<string[]> =>
    (await app.http.get('/v1/me/api-keys').set(session.headers).expect(200)).body.items.map(
      (item: { name: string }) => item.name,
    );

  /** Tables of which a row, written out with all of its columns, holds the text. */
  async function tablesWith(text: string): Promise<string[]> {
    const { rows: tables } = await superuser.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm') AND NOT relispartition ORDER BY 1`,
    );
    expect(tables.length).toBeGreaterThan(20);
    const found: string[] = [];
    for (const { name } of tables) {
      const { rows } = await superuser.query(`SELECT FROM ${name} t WHERE strpos(t::text, $1) > 0 LIMIT 1`, [
        text,
      ]);
      if (rows.length > 0) found.push(name);
    }
    return found;
  }

  it('shows a new API key once, and says what to do to who asks again', async () => {
    const first = await post('s-1').expect(201);
    const again = await post('s-1').expect(409);
    expect(again.body).toMatchObject({ code: 'secret-shown-once', status: 409 });
    expect(again.body.detail).toContain('GET /v1/me/api-keys');
    expect(again.text).not.toContain(first.body.key);
    expect(await names()).toEqual(['one']);
    await app.http.get('/v1/media').set('X-API-Key', first.body.key).expect(403);
  });

  it('makes one key of many requests at once, and shows it to one of them', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('s-2')));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(answers.filter(({ body }) => 'key' in body)).toHaveLength(1);
    expect(await names()).toEqual(['one']);
  });

  it('gives nothing to an API key that repeats the request, whatever its scopes', async () => {
    const weaker = await app.http
      .post('/v1/me/api-keys')
      .set(session.headers)
      .send({ name: 'weaker', scopes: ['account:read', 'account:write'] })
      .expect(201);
    const first = await post('s-3').expect(201);
    const replay = await post('s-3', { 'X-API-Key': weaker.body.key }).expect(403);
    expect(replay.body.code).toBe('forbidden');
    expect(replay.text).not.toContain(first.body.key);
  });

  it('leaves the secret in no table of the database', async () => {
    const { key, prefix, id } = (await post('s-4').expect(201)).body as Record<
      'key' | 'prefix' | 'id',
      string
    >;
    // What is looked for is found where it may be.
    expect(await tablesWith(prefix)).toEqual(['api_keys']);
    expect(await tablesWith(id)).toEqual(expect.arrayContaining(['api_keys', 'audit_logs']));
    expect(await tablesWith(key)).toEqual([]);
    expect(await tablesWith(key.slice(prefix.length))).toEqual([]);
  });

  it('is not looked at where a session is begun: each answer is new, and none is stored', async () => {
    const account = {
      email: `idempotent-${process.pid}-${Date.now()}@example.test`,
      password: 'a long password',
    };
    const send = async (route: string, body: object, status: number): Promise<Record<string, string>> =>
      (await app.http.post(`/v1/auth/${route}`).set('Idempotency-Key', 's-5').send(body).expect(status)).body;
    const registered = await send('register', account, 201);
    await send('register', account, 409);
    const first = await send('login', account, 200);
    const second = await send('login', account, 200);
    expect(second['refreshToken']).not.toBe(first['refreshToken']);
    const refreshed = await send('refresh', { refreshToken: second['refreshToken'] }, 200);
    for (const answer of [registered, first, second, refreshed]) {
      expect(await tablesWith(answer['accessToken']!)).toEqual([]);
      expect(await tablesWith(answer['refreshToken']!)).toEqual([]);
    }
  });
});
