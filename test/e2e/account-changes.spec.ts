import { setTimeout as sleep } from 'node:timers/promises';
import { REMEMBERED_MS } from '../../src/infrastructure/auth/account-memory.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

/** Threats C3 and C4: what a change of an account or a key means for requests, in this process and in another one. */
describe('changes of accounts and keys', () => {
  let app: TestApp;
  let other: TestApp;
  const both = (): TestApp[] => [app, other];

  beforeAll(async () => {
    [app, other] = [await startTestApp({}, { jobs: false }), await startTestApp({}, { jobs: false })];
  });
  afterAll(async () => {
    await app.stop();
    await other.stop();
  });

  const change = (session: Session, data: object): Promise<unknown> =>
    app.database.runAsSystem('start-up', (tx) => tx.user.updateMany({ where: { id: session.id }, data }));
  const me = (at: TestApp, { headers }: Session): ReturnType<TestApp['http']['get']> =>
    at.http.get('/v1/me').set(headers);
  /**
   * Asks until the answer has this status: for a second, as the product says, and on a slow machine for longer. A plan has 100
   * calls an hour.
   * @throws Error after 40 calls; threat C3 allows for a minute
   */
  const untilStatus = async (status: number, ask: () => PromiseLike<{ status: number }>): Promise<void> => {
    for (let calls = 0; calls < 40; calls++) {
      if ((await ask()).status === status) return;
      await sleep(REMEMBERED_MS / 5);
    }
    throw new Error(`there was no answer ${status}`);
  };

  it('C3: a suspended account is refused soon, and so is a deleted one', async () => {
    const session = await app.createSession();
    for (const at of both()) await me(at, session).expect(200);
    await change(session, { subscriptionStatus: 'suspended' });
    for (const at of both()) await untilStatus(403, () => me(at, session));
    expect((await me(app, session)).body.code).toBe('account-suspended');
    await change(session, { subscriptionStatus: 'active', deletedAt: new Date() });
    for (const at of both()) await untilStatus(401, () => me(at, session));
  });

  it('C3: routes for administrators and for the user in person look each time', async () => {
    const admin = await app.createSession({ role: 'ADMIN' });
    const limits = () => app.http.get('/v1/admin/usage-limits/free').set(admin.headers);
    const keys = () => app.http.get('/v1/me/api-keys').set(admin.headers);
    await me(app, admin).expect(200);
    await limits().expect(200);
    await keys().expect(200);
    await change(admin, { role: 'USER' });
    await limits().expect(403);
    await change(admin, { subscriptionStatus: 'suspended' });
    expect((await keys().expect(403)).body.code).toBe('account-suspended');
  });

  it('C3: a downgraded account loses the features of its plan', async () => {
    const session = await app.createSession({ subscriptionTier: 'premium' });
    const search = () =>
      app.http
        .post('/v1/search/similar')
        .set(session.headers)
        .send({ include: [{ text: 'a boat' }] });
    await search().expect(200);
    await change(session, { subscriptionTier: 'free' });
    await untilStatus(403, search);
    expect((await search()).body.code).toBe('feature-not-in-plan');
  });

  it('a session that was ended is void at once here, and soon elsewhere', async () => {
    const session = await app.createSession();
    for (const at of both()) await me(at, session).expect(200);
    await app.http.post('/v1/auth/logout').send({ refreshToken: session.refreshToken }).expect(204);
    await me(app, session).expect(401);
    await untilStatus(401, () => me(other, session));
  });

  it('C4: a revoked key is void at once here, and soon elsewhere', async () => {
    const session = await app.createSession();
    const { body } = await app.http
      .post('/v1/me/api-keys')
      .set(session.headers)
      .send({ name: 'laptop', scopes: ['media:read'] })
      .expect(201);
    const list = (at: TestApp) => at.http.get('/v1/media').set('X-API-Key', body.key as string);
    for (const at of both()) await list(at).expect(200);
    await app.http
      .delete(`/v1/me/api-keys/${body.id as string}`)
      .set(session.headers)
      .expect(204);
    await list(app).expect(401);
    await untilStatus(401, () => list(other));
  });

  it('many requests at the same time look once', async () => {
    const session = await app.createSession();
    const { database } = app;
    const places: string[] = [];
    const { runAsSystem } = database;
    database.runAsSystem = function (this: typeof database, place, ...rest) {
      places.push(place);
      return runAsSystem.call(this, place, ...rest);
    } as typeof runAsSystem;
    try {
      await Promise.all(Array.from({ length: 20 }, () => me(app, session).expect(200)));
    } finally {
      database.runAsSystem = runAsSystem;
    }
    // Slow machines may need more than a second for them.
    expect(places.filter((place) => place === 'auth.authenticate').length).toBeLessThan(10);
  });
});
