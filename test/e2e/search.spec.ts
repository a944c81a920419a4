import type { Session } from '../harness/app.js';
import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import { asUser, embedText, insertEmbeddings, insertMedia } from '../integration/search-fixtures.js';
import { SearchClient } from './search-client.js';
import { useLibrary } from './use-library.js';

const library = useLibrary();
const { add } = library;

const post = (session: Session, body: object) =>
  library.app.http.post('/v1/search').set(session.headers).send(body);

const search = (session: Session, body: object): Promise<SearchResponse> =>
  new SearchClient(library.app, session).search(body);

const idsOf = (response: SearchResponse): string[] => response.items.map((item) => item.media.id);

it('finds by words and by meaning, tells why, and writes the history', async () => {
  const session = await library.app.createSession();
  const boat = await add(session, {
    title: 'Sailboat <b>& sea</b>',
    tags: ['holiday'],
    summary: 'A small boat with a white sail on blue water.',
  });
  const invoice = await add(session, { title: 'Invoice from Northwind', detectedText: ['TOTAL 99.00 USD'] });

  const words = await search(session, { query: 'sailboat', mode: 'text' });
  expect(words).toMatchObject({
    total: 1,
    totalIsCapped: false,
    nextCursor: null,
    plan: 'none',
    model: null,
  });
  expect(words.items[0]).toMatchObject({
    media: { id: boat },
    parts: { vector: null },
    matchedIn: ['title'],
  });
  expect(words.items[0]!.highlights).toContainEqual({
    field: 'title',
    html: '<mark>Sailboat</mark> &lt;b&gt;&amp; sea&lt;/b&gt;',
  });

  const meaning = await search(session, { query: 'ship', mode: 'semantic' });
  expect(idsOf(meaning)).toEqual([boat]);
  expect(meaning).toMatchObject({ plan: 'exact', model: 'local-hash-embedding' });
  expect(meaning.items[0]!.matchedIn).toEqual(['meaning']);
  expect(meaning.items[0]!.parts.vector).toBe(meaning.items[0]!.score);

  const hybrid = await search(session, {
    query: 'northwind invoice',
    sessionId: '0190a1c4-0000-7000-8000-000000000001',
  });
  expect(hybrid.items[0]).toMatchObject({ media: { id: invoice }, score: 1 });
  expect(idsOf(await search(session, { query: 'total usd', in: ['text'] }))).toEqual([invoice]);
  expect(idsOf(await search(session, { query: 'qwertz zzzz flibber' }))).toEqual([]);

  const history = await library.app.http.get('/v1/searches?limit=2').set(session.headers);
  expect(history.status).toBe(200);
  expect(history.body.items.map((item: { query: string }) => item.query)).toEqual([
    'qwertz zzzz flibber',
    'total usd',
  ]);
  const rest = await library.app.http
    .get(`/v1/searches?cursor=${history.body.nextCursor}`)
    .set(session.headers);
  expect(rest.body.items.map((item: { query: string }) => item.query)).toEqual([
    'northwind invoice',
    'ship',
    'sailboat',
  ]);
  expect(rest.body.items[0]).toMatchObject({
    mode: 'hybrid',
    resultsCount: 1,
    sessionId: '0190a1c4-0000-7000-8000-000000000001',
  });
  expect(rest.body.nextCursor).toBeNull();
  const usage = await library.app.http.get('/v1/me/usage').set(session.headers);
  expect(usage.body.searches.used).toBe(5);
});

it('gives moments of a video, right to the second', async () => {
  const session = await library.app.createSession();
  const windowVector = await embedText('now we talk about volcanoes and lava');
  const video = await asUser(session.id, () =>
    library.app.database.run(async (tx) => {
      const id = await insertMedia(tx, session.id, {
        title: 'Lecture',
        fileType: 'video',
        durationSeconds: 120,
        transcript: 'welcome everybody now we talk about volcanoes the lava of a volcano is hot goodbye',
      });
      const cues: [number, number, string][] = [
        [0, 4, 'welcome everybody'],
        [61.25, 64.5, 'now we talk about volcanoes'],
        [65, 68.75, 'the lava of a volcano is hot'],
        [110, 115, 'goodbye'],
      ];
      for (const [start, end, text] of cues) {
        await tx.transcriptSegment.create({
          data: {
            userId: session.id,
            mediaFileId: id,
            startTimeSeconds: start,
            endTimeSeconds: end,
            text,
            source: 'sidecar',
          },
        });
      }
      await tx.keyframe.create({
        data: {
          userId: session.id,
          mediaFileId: id,
          timestampSeconds: 90,
          storageKey: 'k',
          width: 1,
          height: 1,
          sizeBytes: 1n,
          description: 'A volcano at night',
        },
      });
      await insertEmbeddings(tx, session.id, library.modelId, [
        { mediaFileId: id, vector: await embedText('Lecture') },
        {
          mediaFileId: id,
          vector: windowVector,
          segmentType: 'audio',
          start: 61.25,
          end: 68.75,
          text: 'now we talk about volcanoes',
        },
      ]);
      return id;
    }),
  );
  const found = await search(session, { query: 'volcano' });
  expect(idsOf(found)).toEqual([video]);
  expect(found.items[0]!.matchedIn.sort()).toEqual(['speech', 'visual']);
  expect(found.items[0]!.moments).toEqual([
    { startSeconds: 61.25, endSeconds: 68.75, kind: 'speech', score: 1, text: 'now we talk about volcanoes' },
    { startSeconds: 90, endSeconds: 120, kind: 'visual', score: 1, text: 'A volcano at night' },
  ]);
  const semantic = await search(session, { query: 'lava', mode: 'semantic', in: ['speech'] });
  expect(semantic.items[0]!.moments).toMatchObject([
    { startSeconds: 61.25, endSeconds: 68.75, kind: 'speech' },
  ]);
});

it('pages without repeating or skipping, charges once, and takes clicks on what was shown', async () => {
  const session = await library.app.createSession();
  const ids: string[] = [];
  for (let index = 0; index < 7; index++) ids.push(await add(session, { title: `harbour ${index}` }));
  const first = await search(session, { query: 'harbour', limit: 3 });
  expect(first.total).toBe(7);
  // A new file in between comes up later and repeats nothing.
  ids.push(await add(session, { title: 'harbour harbour harbour' }));
  const second = await search(session, { query: 'harbour', limit: 3, cursor: first.nextCursor });
  const again = await search(session, { query: 'harbour', limit: 3, cursor: first.nextCursor });
  expect(idsOf(again)).toEqual(idsOf(second));
  const third = await search(session, { query: 'harbour', limit: 3, cursor: second.nextCursor });
  expect(third.nextCursor).toBeNull();
  expect([first, second, third].map((page) => page.searchId)).toEqual(
    [first, first, first].map((page) => page.searchId),
  );
  expect([...idsOf(first), ...idsOf(second), ...idsOf(third)].sort()).toEqual([...ids].sort());
  expect((await library.app.http.get('/v1/me/usage').set(session.headers)).body.searches.used).toBe(1);
  const { body: history } = await library.app.http.get('/v1/searches').set(session.headers);
  expect(history.items).toHaveLength(1);
  expect(history.items[0]).toMatchObject({ shownCount: 8, clickThroughRate: 0 });

  const other = await library.app.createSession();
  for (const [who, body] of [
    [other, { query: 'harbour', cursor: first.nextCursor }],
    [session, { query: 'port', cursor: first.nextCursor }],
    [session, { query: 'harbour', cursor: `${first.nextCursor}A` }],
    [session, { query: 'harbour', cursor: 'nonsense' }],
  ] as const) {
    const answer = await post(who, body);
    expect([answer.status, answer.body.code, answer.body.errors]).toEqual([
      400,
      'invalid-cursor',
      [{ pointer: '/cursor', detail: answer.body.detail }],
    ]);
  }

  const click = (who: Session, mediaFileId: string) =>
    library.app.http.post(`/v1/searches/${first.searchId}/clicks`).set(who.headers).send({ mediaFileId });
  expect((await click(session, ids[0]!)).body).toMatchObject({ clickThroughRate: 0.125 });
  expect((await click(session, ids[0]!)).body).toMatchObject({ clickThroughRate: 0.125 });
  const both = await Promise.all([click(session, ids[1]!), click(session, ids[2]!)]);
  expect(both.map((response) => response.status)).toEqual([200, 200]);
  const foreign = await add(other, { title: 'harbour' });
  const refused = await click(session, foreign);
  const unknown = await click(session, '0190a1c4-0000-7000-8000-00000000abcd');
  expect([refused.status, refused.body.code]).toEqual([400, 'not-shown']);
  expect(unknown.body.detail).toBe(refused.body.detail);
  expect((await click(other, foreign)).status).toBe(404);

  const { body: analytics } = await library.app.http
    .get('/v1/searches/analytics?days=2')
    .set(session.headers);
  expect(analytics.days).toHaveLength(2);
  // Today, or yesterday when midnight has come in between.
  expect(analytics.days.filter(({ searchCount }: { searchCount: number }) => searchCount > 0)).toMatchObject([
    { searchCount: 1, averageClickThroughRate: 0.375 },
  ]);
  expect((await library.app.http.delete('/v1/searches').set(session.headers)).body).toEqual({ deleted: 1 });
  expect((await library.app.http.get('/v1/searches').set(session.headers)).body.items).toEqual([]);
  const lost = await post(session, { query: 'harbour', limit: 3, cursor: first.nextCursor });
  expect([lost.status, lost.body.code, lost.body.errors[0].pointer]).toEqual([
    400,
    'invalid-cursor',
    '/cursor',
  ]);
});

it('answers 402 when the searches of the plan are used up, and charges no refused request', async () => {
  const session = await library.app.createSession();
  await asUser(session.id, () =>
    library.app.database.run((tx) =>
      tx.user.update({ where: { id: session.id }, data: { searchesThisMonth: 49 }, select: { id: true } }),
    ),
  );
  expect((await post(session, { query: '' })).status).toBe(400);
  expect((await post(session, { query: 'last one' })).status).toBe(200);
  const refused = await post(session, { query: 'one more' });
  expect([refused.status, refused.body.code, refused.body.quota]).toEqual([
    402,
    'quota-exceeded',
    'searches',
  ]);
});

it('goes on with words when the query cannot be embedded', async () => {
  const session = await library.app.createSession();
  const id = await add(session, { title: 'lighthouse' });
  const { textEmbedder } = library.app.runtime.ai;
  const original = textEmbedder.embed;
  const { ProviderError } = await import('../../src/infrastructure/ai/ai.types.js');
  textEmbedder.embed = () => Promise.reject(new ProviderError('provider-unavailable', 'down', true, 'Wait.'));
  try {
    const hybrid = await search(session, { query: 'lighthouse', alpha: 1 });
    expect(hybrid).toMatchObject({
      degraded: 'semantic-unavailable',
      degradedReason: 'provider',
      plan: 'none',
    });
    expect(idsOf(hybrid)).toEqual([id]);
    const semantic = await post(session, { query: 'lighthouse', mode: 'semantic' });
    expect([semantic.status, semantic.body.code]).toEqual([503, 'semantic-unavailable']);
    expect((await library.app.http.get('/v1/me/usage').set(session.headers)).body.searches.used).toBe(1);
  } finally {
    textEmbedder.embed = original;
  }
});

it('A3: suggests own words only, whatever is typed', async () => {
  const session = await library.app.createSession();
  const other = await library.app.createSession();
  await add(session, {
    title: 'Old 100% wool',
    tags: ['wool_x'],
    labels: [{ name: 'wool hat', confidence: 1 }],
  });
  await add(session, {
    title: 'wool in the trash',
    deletedAt: new Date(),
    labels: [{ name: 'wool bin', confidence: 1 }],
  });
  await add(other, { title: 'wool secret', tags: ['wool secret'] });
  await search(session, { query: 'wool socks' });
  const suggest = async (q: string) =>
    (await library.app.http.get('/v1/search/suggestions').query({ q }).set(session.headers)).body.items.map(
      (item: { text: string; kind: string }) => `${item.kind}: ${item.text}`,
    );
  expect(await suggest('wOOl')).toEqual([
    'query: wool socks',
    'tag: wool_x',
    'label: wool hat',
    'title: Old 100% wool',
  ]);
  expect(await suggest('wool_')).toEqual(['tag: wool_x']);
  expect(await suggest('%')).toEqual([]);
  expect(await suggest('100%')).toEqual(['title: Old 100% wool']);
});
