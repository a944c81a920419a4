import { startTestApp, type Session, type TestApp } from '../harness/app.js';

describe('Idempotency-Key (B10)', () => {
  let app: TestApp;
  let session: Session;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
  });
  beforeEach(async () => {
    session = await app.createSession({ subscriptionTier: 'ultimate' });
  });
  afterAll(() => app.stop());

  const post = (key: string, body: object, headers = session.headers): ReturnType<TestApp['http']['post']> =>
    app.http.post('/v1/tags').set(headers).set('Idempotency-Key', key).send(body);
  const count = async (): Promise<number> =>
    (await app.http.get('/v1/tags').set(session.headers)).body.items.length as number;

  it('makes many requests at once one effect with one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('k-1', { name: 'one' })));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect(await count()).toBe(1);
  });

  it('refuses the same key with another body', async () => {
    await post('k-2', { name: 'one' }).expect(201);
    const other = await post('k-2', { name: 'two' }).expect(422);
    expect(other.body.code).toBe('idempotency-key-reused');
    expect(await count()).toBe(1);
  });

  it('keeps no failure: the same key may be tried again', async () => {
    const taken = await post('other', { name: 'one' }).expect(201);
    await post('k-3', { name: 'one' }).expect(409);
    await app.http.delete(`/v1/tags/${taken.body.id}`).set(session.headers).expect(204);
    await post('k-3', { name: 'one' }).expect(201);
  });

  it("is each user's own", async () => {
    const other = await app.createSession({ subscriptionTier: 'ultimate' });
    const mine = await post('k-4', { name: 'one' }).expect(201);
    const theirs = await post('k-4', { name: 'one' }, other.headers).expect(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('refuses keys that are none', async () => {
    for (const key of ['', 'x'.repeat(256), 'with space']) {
      const answer = await post(key, { name: 'one' });
      expect([key.length, answer.status]).toEqual([key.length, 400]);
    }
  });
});
