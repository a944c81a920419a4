import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { activeModel, asUser } from '../integration/search-fixtures.js';
import { addEmbedded, idsOf } from './embedded-media.js';
import { SearchClient } from './search-client.js';

/** Pages of one search, while the library changes in between. */
let app: TestApp;
let modelId: number;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  modelId = await activeModel(app.database);
}, 120_000);
afterAll(() => app.stop());

const newClient = async (): Promise<SearchClient> =>
  new SearchClient(app, await app.createSession({ subscriptionTier: 'ultimate' }));

const add = (session: Session, title: string): Promise<string> =>
  addEmbedded(app.database, modelId, session, { title }, '');

const remove = (session: Session, id: string): Promise<unknown> =>
  asUser(session.id, () =>
    app.database.run((tx) =>
      tx.mediaFile.update({
        where: { userId_id: { userId: session.id, id } },
        data: { deletedAt: new Date() },
      }),
    ),
  );

it('walks a whole result, without a double or a gap, while files come and go', async () => {
  const client = await newClient();
  const { session } = client;
  const ids: string[] = [];
  for (let index = 0; index < 30; index++) {
    ids.push(await add(session, `heron ${index}`));
  }
  const seen: string[] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const page: SearchResponse = await client.search({
      ...{ query: 'heron', mode: 'text', limit: 4 },
      ...(cursor ? { cursor } : {}),
    });
    seen.push(...idsOf(page.items));
    cursor = page.nextCursor;
    // One comes and one that was shown already goes, on each page.
    await add(session, `heron heron heron ${pages}`);
    await remove(session, seen[pages]!);
    pages++;
  } while (cursor !== null && pages < 30);
  expect(new Set(seen).size).toBe(seen.length);
  expect(ids.filter((id) => !seen.includes(id))).toEqual([]);
  const usage = await app.http.get('/v1/me/usage').set(session.headers);
  expect(usage.body.searches.used).toBe(1);
}, 120_000);

it.each(['relevance', 'uploadedAt'])(
  'gives a page again that got lost, by %s, whatever came in between, and goes on behind it',
  async (sort) => {
    const client = await newClient();
    const { session } = client;
    const body = { query: 'ibis', mode: 'text', limit: 3, sort };
    const addBest = (name: string) => add(session, `ibis ibis ibis ${name}`);
    const ids: string[] = [];
    for (let index = 0; index < 9; index++) ids.push(await add(session, `ibis ${index}`));
    const first = await client.search(body);
    const lost = await client.search({ ...body, cursor: first.nextCursor });
    const came = [await addBest('one'), await addBest('two')];
    const again = await client.search({ ...body, cursor: first.nextCursor });
    expect(idsOf(again.items)).toEqual(idsOf(lost.items));
    // One of the page goes: the others stay, and what is there by now fills it up.
    const gone = idsOf(lost.items)[0]!;
    await remove(session, gone);
    const third = await client.search({ ...body, cursor: first.nextCursor });
    expect(idsOf(third.items).slice(0, 2)).toEqual(idsOf(lost.items).slice(1));
    expect(idsOf(third.items)).toHaveLength(3);
    const seen = [...idsOf(first.items), ...idsOf(third.items)];
    for (let cursor = third.nextCursor; cursor !== null;) {
      const page = await client.search({ ...body, cursor });
      seen.push(...idsOf(page.items));
      cursor = page.nextCursor;
    }
    expect(seen.sort()).toEqual([...ids, ...came].filter((id) => id !== gone).sort());
    const { body: history } = await app.http.get('/v1/searches').set(session.headers);
    expect(history.items).toMatchObject([{ shownCount: 11 }]);
  },
  60_000,
);
