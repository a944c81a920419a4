import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import type { Session } from '../harness/app.js';
import { idsOf } from './embedded-media.js';
import { SearchClient } from './search-client.js';
import { useLibrary } from './use-library.js';

/** Pages of one search, while the library changes in between. */
const library = useLibrary();
const { toTrash } = library;

const newClient = async (): Promise<SearchClient> =>
  new SearchClient(library.app, await library.app.createSession({ subscriptionTier: 'ultimate' }));

const add = (session: Session, title: string): Promise<string> => library.add(session, { title }, '');

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
    await toTrash(session, seen[pages]!);
    pages++;
  } while (cursor !== null && pages < 30);
  expect(new Set(seen).size).toBe(seen.length);
  expect(ids.filter((id) => !seen.includes(id))).toEqual([]);
  const usage = await library.app.http.get('/v1/me/usage').set(session.headers);
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
    await toTrash(session, gone);
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
    const { body: history } = await library.app.http.get('/v1/searches').set(session.headers);
    expect(history.items).toMatchObject([{ shownCount: 11 }]);
  },
  60_000,
);
