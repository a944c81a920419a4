import type pg from 'pg';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import { activeModel, asUser, insertMedia } from '../integration/search-fixtures.js';

/** C49: somebody may not want what they search for to be kept. */
let app: TestApp;
let superuser: pg.Client;
let session: Session;

beforeAll(async () => {
  app = await startTestApp({ SEARCH_KEEP_QUERY_VECTORS: 'true' }, { jobs: false });
  superuser = await connectAsSuperuser();
  await activeModel(app.database);
});
afterAll(async () => {
  await superuser.end();
  await app.stop();
});
beforeEach(async () => {
  session = await app.createSession({ subscriptionTier: 'ultimate' });
  const titles = ['harbour one', 'harbour two', 'harbour three'];
  await asUser(session.id, () =>
    app.database.run(async (tx) => {
      for (const title of titles) await insertMedia(tx, session.id, { title });
    }),
  );
});

const setConsent = (keepsSearchHistory: unknown) =>
  app.http.patch('/v1/me').set(session.headers).send({ keepsSearchHistory });
const search = async (body: object) =>
  (
    await app.http
      .post('/v1/search')
      .set(session.headers)
      .set('User-Agent', 'tell-tale')
      .send(body)
      .expect(200)
  ).body;
const rowsOf = async (table: string, orderBy = 'id') =>
  (
    await superuser.query<Record<string, unknown>>(
      `SELECT * FROM ${table} WHERE user_id = $1 ORDER BY ${orderBy}`,
      [session.id],
    )
  ).rows;

it('keeps searches unless told otherwise, and says so', async () => {
  const { body } = await app.http.get('/v1/me').set(session.headers).expect(200);
  expect(body.keepsSearchHistory).toBe(true);
  await search({ query: 'harbour' });
  expect(await rowsOf('search_history')).toMatchObject([{ query_text: 'harbour', user_agent: 'tell-tale' }]);
  expect(await rowsOf('search_query_vectors', 'query_hash')).toHaveLength(1);
});

it('counts a search and keeps nothing else of it once told not to', async () => {
  expect((await setConsent(false).expect(200)).body.keepsSearchHistory).toBe(false);
  const { searchId } = await search({
    query: 'Harbour',
    filter: { fileType: 'image' },
    sessionId: '0193a8c2-0000-7000-8000-000000000001',
  });
  const [row, ...others] = await rowsOf('search_history');
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    id: searchId,
    query_text: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    filters: {},
    user_agent: null,
    ip_address: null,
    search_session_id: null,
    query_vector_hash: null,
    anonymized_at: expect.any(Date),
    results_count: 3,
  });
  expect(await rowsOf('search_query_vectors', 'query_hash')).toEqual([]);
  const history = await app.http.get('/v1/searches').set(session.headers).expect(200);
  expect(history.body.items).toEqual([]);
  const suggestions = await app.http
    .get('/v1/search/suggestions')
    .query({ prefix: 'Harbour' })
    .set(session.headers);
  expect(JSON.stringify(suggestions.body)).not.toContain('"history"');
  const usage = await app.http.get('/v1/me/usage').set(session.headers).expect(200);
  expect(usage.body.searches.used).toBe(1);
});

it('makes the hash that a search gets after its time, so that reports count both as one query', async () => {
  await search({ query: '  HARBOUR   one ' });
  await setConsent(false).expect(200);
  await search({ query: 'harbour one' });
  const report = await app.http.get('/v1/searches/analytics').set(session.headers).expect(200);
  expect(report.body.busiestQueries).toMatchObject([{ query: 'harbour one', searchCount: 2 }]);
});

it('still walks through all pages, and counts clicks', async () => {
  await setConsent(false).expect(200);
  const first = await search({ query: 'harbour', mode: 'text', limit: 2 });
  const second = await search({ query: 'harbour', mode: 'text', limit: 2, cursor: first.nextCursor });
  const ids = [...first.items, ...second.items].map(({ media }: { media: { id: string } }) => media.id);
  expect([new Set(ids).size, second.nextCursor]).toEqual([3, null]);
  await app.http
    .post(`/v1/searches/${first.searchId}/clicks`)
    .set(session.headers)
    .send({ mediaFileId: ids[2] })
    .expect(({ status }) => expect([200, 201]).toContain(status));
});

it('keeps searches again when it is wanted again; each change is audited once', async () => {
  await setConsent(false).expect(200);
  await setConsent(false).expect(200);
  await setConsent(true).expect(200);
  await search({ query: 'harbour' });
  expect(await rowsOf('search_history')).toMatchObject([{ query_text: 'harbour' }]);
  const audited = (await rowsOf('audit_logs')).filter(
    (row) => row['event_type'] === 'search.history-consent',
  );
  expect(audited.map((row) => row['new_values'])).toEqual([
    { keepsSearchHistory: false },
    { keepsSearchHistory: true },
  ]);
});

it('refuses what is neither yes nor no, and says where', async () => {
  for (const value of ['no', 0, [false], {}]) {
    const { body } = await setConsent(value).expect(400);
    expect(JSON.stringify(body.errors)).toContain('/keepsSearchHistory');
  }
  expect((await app.http.get('/v1/me').set(session.headers)).body.keepsSearchHistory).toBe(true);
});

it("changes nobody else's", async () => {
  const other = await app.createSession();
  await setConsent(false).expect(200);
  expect((await app.http.get('/v1/me').set(other.headers)).body.keepsSearchHistory).toBe(true);
});
