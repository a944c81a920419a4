import { v7 as uuidv7 } from 'uuid';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { activeModel, asUser, insertMedia } from '../integration/search-fixtures.js';

/** C70: only what a search has shown can be clicked, by whom it was shown. */
describe('clicks', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
    await activeModel(app.database);
  }, 120_000);
  afterAll(() => app.stop());

  const add = (session: Session, title: string): Promise<string> =>
    asUser(session.id, () => app.database.run((tx) => insertMedia(tx, session.id, { title })));
  const search = async (session: Session, body: object) =>
    (await app.http.post('/v1/search').set(session.headers).send(body).expect(200)).body;
  const click = (session: Session, searchId: string, body: object) =>
    app.http.post(`/v1/searches/${searchId}/clicks`).set(session.headers).send(body);

  it('a file of a page that was not asked for yet is not shown; then it is', async () => {
    const session = await app.createSession();
    for (let index = 0; index < 3; index++) await add(session, `gate ${index}`);
    const first = await search(session, { query: 'gate', mode: 'text', limit: 2 });
    const second = await search(session, { query: 'gate', mode: 'text', limit: 2 });
    const later = await search(session, {
      query: 'gate',
      mode: 'text',
      limit: 2,
      cursor: second.nextCursor,
    });
    const mediaFileId = later.items[0].media.id as string;
    const refused = await click(session, first.searchId, { mediaFileId });
    expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([
      400,
      'not-shown',
      '/mediaFileId',
    ]);
    expect((await click(session, second.searchId, { mediaFileId })).body).toMatchObject({
      clickThroughRate: 0.3333,
    });
    const { body } = await app.http.get('/v1/searches/analytics').set(session.headers);
    expect(body.totals).toMatchObject({ clickCount: 1, meanClickPosition: 3 });
  });

  it('foreign and unknown ids, of files and of searches, are refused alike', async () => {
    const [alice, bob] = [await app.createSession(), await app.createSession()];
    await add(alice, 'fence');
    const foreign = await add(bob, 'fence');
    const own = await search(alice, { query: 'fence', mode: 'text' });
    const theirs = await search(bob, { query: 'fence', mode: 'text' });
    const answers = [];
    for (const mediaFileId of [foreign, uuidv7()]) {
      const { status, body } = await click(alice, own.searchId, { mediaFileId });
      answers.push([status, body.code, body.detail]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]![0]).toBe(400);
    for (const searchId of [theirs.searchId, uuidv7()]) {
      expect((await click(alice, searchId, { mediaFileId: foreign })).status).toBe(404);
    }
    for (const body of [{}, { mediaFileId: 'x' }, { mediaFileId: foreign, position: 0 }, { extra: 1 }]) {
      expect((await click(alice, own.searchId, body)).status).toBe(400);
    }
    const { body } = await app.http.get('/v1/searches/analytics').set(alice.headers);
    expect(body.totals.clickCount).toBe(0);
  });
});
