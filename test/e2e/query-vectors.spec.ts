import type pg from 'pg';
import { ProviderError } from '../../src/infrastructure/ai/ai.types.js';
import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import { QueryVectorsService } from '../../src/modules/search/query-vectors.service.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import {
  activeModel,
  asUser,
  embedText,
  insertEmbeddings,
  insertMedia,
} from '../integration/search-fixtures.js';

let superuser: pg.Client;
beforeAll(async () => {
  superuser = await connectAsSuperuser();
});
afterAll(() => superuser.end());

let restoreProvider = (): void => undefined;
afterEach(() => restoreProvider());

async function addFile(app: TestApp, session: Session, title: string): Promise<string> {
  const modelId = await activeModel(app.database);
  const vector = await embedText(title);
  return asUser(session.id, () =>
    app.database.run(async (tx) => {
      const id = await insertMedia(tx, session.id, { title });
      await insertEmbeddings(tx, session.id, modelId, [{ mediaFileId: id, vector }]);
      return id;
    }),
  );
}

/** Counts the calls of the provider; `fail` makes it unreachable. */
function watchProvider(app: TestApp): { texts: string[]; fail: boolean } {
  const watched = { texts: [] as string[], fail: false };
  const { textEmbedder } = app.runtime.ai;
  const { embed } = textEmbedder;
  const original = embed.bind(textEmbedder);
  restoreProvider = () => {
    textEmbedder.embed = embed;
  };
  textEmbedder.embed = (texts, signal) => {
    watched.texts.push(...texts);
    return watched.fail
      ? Promise.reject(new ProviderError('provider-unavailable', 'down', true, 'Wait.'))
      : original(texts, signal);
  };
  return watched;
}

async function search(app: TestApp, session: Session, body: object): Promise<SearchResponse> {
  const answer = await app.http.post('/v1/search').set(session.headers).send(body);
  expect([answer.status, answer.body.code]).toEqual([200, undefined]);
  return answer.body as SearchResponse;
}

const keptOf = async (session: Session): Promise<number> =>
  (
    await superuser.query<{ kept: number }>(
      'SELECT count(*)::int AS kept FROM search_query_vectors WHERE user_id = $1',
      [session.id],
    )
  ).rows[0]!.kept;

const historyOf = async (session: Session) =>
  (
    await superuser.query<{ query_text: string; cache_hit: boolean; joined: boolean; kept: boolean }>(
      `SELECT h.query_text, h.cache_hit, h.query_embedding IS NOT NULL AS kept, v.query_hash IS NOT NULL AS joined
       FROM search_history h
       LEFT JOIN search_query_vectors v ON v.user_id = h.user_id AND v.query_hash = h.query_vector_hash
       WHERE h.user_id = $1 ORDER BY h.searched_at, h.id`,
      [session.id],
    )
  ).rows.map((row) => `${row.query_text} | hit ${row.cache_hit} | joined ${row.joined} | in row ${row.kept}`);

const costsOf = async (session: Session): Promise<number> =>
  (
    await superuser.query<{ calls: number }>(
      'SELECT count(*)::int AS calls FROM cost_tracking WHERE user_id = $1',
      [session.id],
    )
  ).rows[0]!.calls;

describe('C73, C61: SEARCH_KEEP_QUERY_VECTORS=true', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ SEARCH_KEEP_QUERY_VECTORS: 'true' }, { jobs: false });
    await activeModel(app.database);
  }, 120_000);
  afterAll(() => app.stop());

  it('keeps a vector once per query, user and model; a repeated query asks nobody and costs nothing', async () => {
    const session = await app.createSession();
    const file = await addFile(app, session, 'a dog on the beach');
    const provider = watchProvider(app);
    const first = await search(app, session, { query: 'Dog on the beach' });
    const again = await search(app, session, { query: 'dog  ON the Beach' });
    await search(app, session, { query: 'dog on the beach -cat', mode: 'semantic' });
    await search(app, session, { query: 'dog on the beach', mode: 'text' });
    await search(app, session, { query: 'harbour' });
    expect(provider.texts).toEqual(['dog on the beach', 'harbour']);
    expect(again.items.map((item) => [item.media.id, item.parts.vector])).toEqual(
      first.items.map((item) => [item.media.id, item.parts.vector]),
    );
    expect(first.items[0]!.media.id).toBe(file);
    expect(await historyOf(session)).toEqual([
      'Dog on the beach | hit false | joined true | in row false',
      'dog  ON the Beach | hit true | joined true | in row false',
      'dog on the beach -cat | hit true | joined true | in row false',
      'dog on the beach | hit false | joined false | in row false',
      'harbour | hit false | joined true | in row false',
    ]);
    const { body: history } = await app.http.get('/v1/searches').set(session.headers);
    expect(history.items.map((item: { cacheHit: boolean }) => item.cacheHit)).toEqual([
      ...[false, false, true, true, false],
    ]);
    expect(await costsOf(session)).toBe(2);
    expect(await keptOf(session)).toBe(2);
    // Searches are charged all the same.
    expect((await app.http.get('/v1/me/usage').set(session.headers)).body.searches.used).toBe(5);
    const { body: report } = await app.http.get('/v1/searches/analytics').set(session.headers);
    expect(report.totals.cacheHitCount).toBe(2);
  });

  it('a further page uses the kept vector as well', async () => {
    const session = await app.createSession();
    for (const title of ['pier one', 'pier two', 'pier three']) await addFile(app, session, title);
    const provider = watchProvider(app);
    const first = await search(app, session, { query: 'pier', limit: 2 });
    const second = await search(app, session, { query: 'pier', limit: 2, cursor: first.nextCursor });
    expect([first.items.length, second.items.length]).toEqual([2, 1]);
    expect(provider.texts).toEqual(['pier']);
    expect(await historyOf(session)).toEqual(['pier | hit false | joined true | in row false']);
  });

  it('nobody is served from, or can tell, what somebody else has searched for', async () => {
    const [alice, bob] = [await app.createSession(), await app.createSession()];
    const provider = watchProvider(app);
    await search(app, alice, { query: 'merger plans' });
    await search(app, bob, { query: 'merger plans' });
    expect(provider.texts).toEqual(['merger plans', 'merger plans']);
    expect(await historyOf(bob)).toEqual(['merger plans | hit false | joined true | in row false']);
    const { rows } = await superuser.query(
      'SELECT DISTINCT query_hash FROM search_query_vectors WHERE user_id = ANY ($1)',
      [[alice.id, bob.id]],
    );
    expect(rows).toHaveLength(2);
    const cleared = await app.http.delete('/v1/searches').set(alice.headers);
    expect(cleared.body).toEqual({ deleted: 1 });
    expect([await keptOf(alice), await keptOf(bob)]).toEqual([0, 1]);
  });

  it('answers a known query by meaning while the provider is away', async () => {
    const session = await app.createSession();
    const file = await addFile(app, session, 'sailboat');
    const provider = watchProvider(app);
    await search(app, session, { query: 'ship', mode: 'semantic' });
    provider.fail = true;
    const known = await search(app, session, { query: 'SHIP', mode: 'semantic' });
    expect(known.items.map((item) => item.media.id)).toEqual([file]);
    const unknown = await app.http
      .post('/v1/search')
      .set(session.headers)
      .send({ query: 'vessel', mode: 'semantic' });
    expect([unknown.status, unknown.body.code]).toEqual([503, 'semantic-unavailable']);
    expect(await keptOf(session)).toBe(1);
  });

  it('the same new query ten times at once is kept once', async () => {
    const session = await app.createSession();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => search(app, session, { query: 'ten at once' })),
    );
    expect(answers).toHaveLength(10);
    expect(await keptOf(session)).toBe(1);
  });

  it('gives no vector of another model, and notes the use once a day', async () => {
    const session = await app.createSession();
    await search(app, session, { query: 'lantern' });
    const vectors = app.nest.get(QueryVectorsService);
    const { model } = app.runtime.ai.textEmbedder;
    await superuser.query(
      `UPDATE search_query_vectors SET last_used_at = now() - interval '3 days' WHERE user_id = $1`,
      [session.id],
    );
    const found = await asUser(session.id, async () => {
      const hash = vectors.hashOf(' LANTERN ');
      return [await vectors.find(model, hash), await vectors.find({ ...model, version: 'v0' }, hash)];
    });
    expect(found[1]).toBeNull();
    const { rows: compared } = await superuser.query(
      'SELECT $1::halfvec(1536) = $2::halfvec(1536) AS equal',
      [found[0], await embedText('lantern')],
    );
    expect(compared).toEqual([{ equal: true }]);
    const { rows } = await superuser.query(
      `SELECT last_used_at > now() - interval '1 minute' AS noted FROM search_query_vectors WHERE user_id = $1`,
      [session.id],
    );
    expect(rows).toEqual([{ noted: true }]);
  });
});

describe('by default', () => {
  it('no vector is kept and each query is embedded as it was typed', async () => {
    const app = await startTestApp({}, { jobs: false });
    try {
      await activeModel(app.database);
      const session = await app.createSession();
      const provider = watchProvider(app);
      for (let round = 0; round < 2; round++) await search(app, session, { query: 'Foghorn' });
      expect(provider.texts).toEqual(['Foghorn', 'Foghorn']);
      expect(await keptOf(session)).toBe(0);
      expect(await historyOf(session)).toEqual(
        Array(2).fill('Foghorn | hit false | joined false | in row false'),
      );
    } finally {
      await app.stop();
    }
  });
});
