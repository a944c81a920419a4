import { startTestApp, type Session, type TestApp } from '../harness/app.js';

describe('the limit of 50 live API keys', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
  });
  afterAll(() => app.stop());

  const create = (session: Session): ReturnType<TestApp['http']['post']> =>
    app.http
      .post('/v1/me/api-keys')
      .set(session.headers)
      .send({ name: 'one of many', scopes: ['search'] });

  it('holds for requests at the same time, each user for themselves, and revoking makes room', async () => {
    const [session, other] = [
      await app.createSession({ subscriptionTier: 'ultimate' }),
      await app.createSession({ subscriptionTier: 'ultimate' }),
    ];
    const answers = await Promise.all(Array.from({ length: 70 }, () => create(session)));
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(made).toHaveLength(50);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.code as string}`))).toEqual(
      new Set(['409 too-many-api-keys']),
    );
    const { body: listed } = await app.http.get('/v1/me/api-keys').set(session.headers).expect(200);
    expect(listed.items).toHaveLength(50);

    await create(other).expect(201);
    await app.http
      .delete(`/v1/me/api-keys/${made[0]!.body.id as string}`)
      .set(session.headers)
      .expect(204);
    const last = await Promise.all([create(session), create(session)]);
    expect(last.map(({ status }) => status).sort()).toEqual([201, 409]);
  });
});
