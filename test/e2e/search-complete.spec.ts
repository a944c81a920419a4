import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { encodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import { MAX_EXACT_VECTORS, Ranker } from '../../src/modules/search/ranker.js';
import { RecallMonitor } from '../../src/modules/search/recall-monitor.js';
import { SearchRepository } from '../../src/modules/search/search.repository.js';
import type { SearchHitResponse, SearchResponse } from '../../src/modules/search/dto/search.response.js';
import type { Session } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import {
  asUser,
  embedder,
  insertClusters,
  randomSource,
  randomVector,
} from '../integration/search-fixtures.js';
import { SearchClient } from './search-client.js';
import { useLibrary } from './use-library.js';

/** Facets, corrections, sorting, cut-off, windows of two queries and explanations, as a client sees them. */
const library = useLibrary();
const { add, newUser } = library;

/** A film with lines of speech. */
async function addFilm(session: Session, title: string, cues: [number, number, string][]): Promise<string> {
  const id = await add(session, {
    title,
    fileType: 'video',
    durationSeconds: 900,
    transcript: cues.map(([, , text]) => text).join(' '),
  });
  await asUser(session.id, () =>
    library.app.database.run((tx) =>
      tx.transcriptSegment.createMany({
        data: cues.map(([startTimeSeconds, endTimeSeconds, text]) => ({
          ...{ userId: session.id, mediaFileId: id, startTimeSeconds, endTimeSeconds, text },
          source: 'speech',
          id: randomUUID(),
        })),
      }),
    ),
  );
  return id;
}

const post = (session: Session, body: object) =>
  library.app.http.post('/v1/search').set(session.headers).send(body);

const search = (session: Session, body: object): Promise<SearchResponse> =>
  new SearchClient(library.app, session).search(body);

const idsOf = (response: SearchResponse): string[] => response.items.map((item) => item.media.id);
const explain = (session: Session, searchId: string, mediaId: string) =>
  library.app.http.get(`/v1/search/${searchId}/explain?mediaId=${mediaId}`).set(session.headers);

describe('facets', () => {
  it('count all files that fit, on whatever page, and nobody else', async () => {
    const [session, other] = [await newUser(), await newUser()];
    for (let index = 0; index < 5; index++) {
      await add(session, {
        title: `pelican ${index}`,
        fileType: index === 0 ? 'video' : 'image',
        tags: index < 3 ? ['Sea'] : [],
      });
      await add(other, { title: `pelican ${index}`, tags: ['Secret'] });
    }
    await add(session, { title: 'invoice', tags: ['Paper'] }, 'invoice');
    const body = { query: 'pelican', limit: 2, facets: ['fileType', 'tags'] };
    const page = await search(session, body);
    expect(page.facets).toEqual({
      fileType: {
        values: [
          { value: 'image', count: 4 },
          { value: 'video', count: 1 },
        ],
        more: 0,
      },
      tags: { values: [{ value: 'Sea', count: 3 }], more: 0 },
    });
    expect(page).toMatchObject({ total: 5, totalIsCapped: false });
    expect((await search(session, { ...body, cursor: page.nextCursor })).facets).toEqual(page.facets);
    expect((await search(session, { query: 'pelican' })).facets).toBeUndefined();
  });
});

describe('typing errors', () => {
  it('are corrected out of the own words, and the answer says so', async () => {
    const session = await newUser();
    const sunset = await add(session, { title: 'Sunset over the harbour' });
    for (const mode of ['text', 'hybrid', 'semantic']) {
      const found = await search(session, { query: 'sunste', mode });
      expect(idsOf(found)).toEqual([sunset]);
      if (mode !== 'semantic') {
        expect(found.correction).toEqual({
          query: 'sunset',
          replaced: [{ from: 'sunste', to: 'sunset' }],
        });
      }
    }
    const plain = await search(session, { query: 'sunset' });
    expect(plain.correction).toBeUndefined();
  });

  it('among words that are equally near, are those that stand in a file together', async () => {
    const session = await newUser();
    await add(session, { title: 'Recipe for a cake' });
    const receipt = await add(session, { title: 'Receipt of a restaurant' });
    const found = await search(session, { query: 'restuarant recipt' });
    expect(found.correction?.query).toBe('restaurant receipt');
    expect(idsOf(found)[0]).toBe(receipt);
  });

  it('never out of the words of somebody else, of private files or of the trash', async () => {
    const [session, other] = [await newUser(), await newUser()];
    await add(other, { title: 'Rhododendron in bloom' });
    await add(session, { title: 'Rhododendron', isPrivate: true });
    await add(session, { title: 'Rhododendron', deletedAt: new Date() });
    await add(session, { title: 'A car' });
    const found = await search(session, { query: 'rhodadendron', mode: 'text' });
    expect(found).toMatchObject({ items: [], total: 0 });
    expect(JSON.stringify(found)).not.toMatch(/rhododendron/i);
    const own = { query: 'rhodadendron', mode: 'text', filter: { includePrivate: true } };
    expect((await search(session, own)).total).toBe(1);
  });
});

describe('order and cut-off', () => {
  it('sorts what fits by a column, files without a value last, and pages through it', async () => {
    const session = await newUser();
    const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
    const b = await add(session, { title: 'otter b', takenAt: day('2021-01-01') });
    const none = await add(session, { title: 'otter none' });
    const c = await add(session, { title: 'otter c', takenAt: day('2022-01-01') });
    const a = await add(session, { title: 'otter a', takenAt: day('2020-01-01') });
    await add(session, { title: 'a tractor', takenAt: day('2023-01-01') }, 'a tractor');
    const body = { query: 'otter', mode: 'text', sort: 'takenAt' };
    expect(idsOf(await search(session, body))).toEqual([c, b, a, none]);
    expect(idsOf(await search(session, { ...body, order: 'asc' }))).toEqual([a, b, c, none]);
    const first = await search(session, { ...body, limit: 3 });
    const rest = await search(session, { ...body, limit: 3, cursor: first.nextCursor });
    expect([...idsOf(first), ...idsOf(rest)]).toEqual([c, b, a, none]);
    expect(rest.nextCursor).toBeNull();
  });

  it('answers nothing to nonsense with cutoff auto, and keeps what is meant', async () => {
    const session = await newUser();
    const things = 'car|boat|invoice|mountain|cake|train|guitar|garden|castle|winter|office|football'.split(
      '|',
    );
    for (let index = 0; index < 36; index++) {
      const [one, two] = [things[index % 12]!, things[(index * 5 + 1) % 12]!];
      await add(session, { title: `${one} and ${two} number ${index}` });
    }
    const ship = await add(session, { title: 'Sailing ship on the water' });
    const auto = { mode: 'semantic', cutoff: 'auto' };
    expect((await search(session, { query: 'flibber qwertz zzyzx', ...auto })).total).toBe(0);
    expect(idsOf(await search(session, { query: 'ship', ...auto }))[0]).toBe(ship);
  });
});

describe('two queries within some seconds', () => {
  it('finds the films in which both happen, in the order asked, one hit a film', async () => {
    const session = await newUser();
    const near = await addFilm(session, 'Near', [
      [10, 13, 'the orchestra begins to play'],
      [18, 21, 'loud applause from the audience'],
      [400, 403, 'the orchestra begins again'],
    ]);
    const far = await addFilm(session, 'Far', [
      [10, 13, 'the orchestra begins to play'],
      [310, 313, 'applause at last'],
    ]);
    await add(session, { title: 'orchestra applause', summary: 'A picture has no moments.' });
    const body = { query: 'orchestra', mode: 'text' };
    const found = await search(session, { ...body, within: { query: 'applause', seconds: 30 } });
    expect(idsOf(found)).toEqual([near]);
    expect(found.items[0]!.pairs![0]).toMatchObject({
      startSeconds: 10,
      endSeconds: 21,
      first: { startSeconds: 10, kind: 'speech' },
      second: { startSeconds: 18 },
    });
    const after = { query: 'applause', seconds: 30, order: 'after' };
    expect((await search(session, { ...body, within: after })).total).toBe(0);
    const wide = await search(session, { ...body, within: { query: 'applause', seconds: 300 } });
    expect(idsOf(wide).sort()).toEqual([near, far].sort());
    const seen = await search(session, {
      ...body,
      in: ['visual'],
      within: { query: 'applause', seconds: 300 },
    });
    expect(seen.total).toBe(0);
  });
});

describe('reasons', () => {
  it('say where each hit was found', async () => {
    const session = await newUser();
    await add(session, {
      title: 'At the dog show',
      tags: ['dog lovers'],
      labels: [{ name: 'dog', confidence: 0.9 }],
      detectedText: ['BEWARE OF THE DOG'],
    });
    const film = await addFilm(session, 'Talk', [[42, 45, 'my dog is clever']]);
    const found = await search(session, { query: 'dog' });
    const texts = (hit: SearchHitResponse | undefined) => hit!.reasons.map((reason) => reason.text);
    const picture = found.items.find((item) => item.media.id !== film);
    expect(texts(picture)).toEqual(
      expect.arrayContaining(['title', 'tag:dog lovers', 'label:dog', 'text in picture']),
    );
    expect(texts(found.items.find((item) => item.media.id === film))).toContain('speech@42.0s');
    const inTitle = await search(session, { query: 'dog', in: ['title'], mode: 'text' });
    expect(texts(inTitle.items[0])).toEqual(['title']);
  });
});

describe('explain', () => {
  it('says why a file is not among the hits, by each reason that holds', async () => {
    const session = await newUser();
    const files = {
      found: await add(session, { title: 'walrus on the ice', tags: ['arctic'] }),
      deleted: await add(session, { title: 'walrus', tags: ['arctic'], deletedAt: new Date() }),
      private: await add(session, { title: 'walrus', tags: ['arctic'], isPrivate: true }),
      filtered: await add(session, { title: 'walrus' }),
      excluded: await add(session, { title: 'walrus in the zoo', tags: ['arctic'] }),
      unembedded: await add(session, { title: 'seal', tags: ['arctic'], status: 'processing' }, ''),
      far: await add(session, { title: 'tax return', tags: ['arctic'] }, 'tax return'),
    };
    const { searchId } = await search(session, {
      query: 'walrus -zoo',
      filter: { tags: { any: ['arctic'] } },
    });
    const codesOf = async (id: string): Promise<string[]> => {
      const answer = await explain(session, searchId, id);
      expect(answer.status).toBe(200);
      return answer.body.reasons.map((reason: { code: string; pointer?: string }) =>
        [reason.code, reason.pointer].filter(Boolean).join(' '),
      );
    };
    expect(await codesOf(files.found)).toEqual(['found']);
    expect((await codesOf(files.deleted))[0]).toBe('deleted');
    expect((await codesOf(files.private))[0]).toBe('private');
    expect((await codesOf(files.filtered))[0]).toBe('filtered-out /filter/tags');
    expect((await codesOf(files.excluded))[0]).toBe('excluded-word /query');
    expect(await codesOf(files.unembedded)).toEqual([
      'words-missing /query',
      'not-processed',
      'not-embedded',
    ]);
    expect(await codesOf(files.far)).toEqual(['words-missing /query', 'below-cutoff']);
    const { body } = await explain(session, searchId, files.found);
    expect(body).toMatchObject({ isFound: true, wasShown: true, position: 1, text: { missingWords: [] } });
  });

  it('says of a file that an approximate search leaves out that it was missed', async () => {
    const session = await newUser();
    const [first, second] = [
      await add(session, { title: 'ocelot' }),
      await add(session, { title: 'ocelot in a tree' }),
    ];
    const { searchId } = await search(session, { query: 'ocelot', mode: 'semantic' });
    const ranker = library.app.nest.get(Ranker);
    const rank = ranker.rank.bind(ranker);
    const spy = jest.spyOn(ranker, 'rank').mockImplementation(async (tx, input) => {
      const ranking = await rank(tx, input);
      if (input.wanted === null) return ranking;
      return { ...ranking, plan: 'ann', media: ranking.media.filter(({ id }) => id !== second) };
    });
    try {
      expect((await explain(session, searchId, second)).body).toMatchObject({
        isFound: false,
        position: null,
        reasons: [{ code: 'missed-by-approximation', detail: expect.stringContaining('number 2') }],
      });
      expect((await explain(session, searchId, first)).body).toMatchObject({
        isFound: true,
        position: 1,
        reasons: [{ code: 'found' }],
      });
    } finally {
      spy.mockRestore();
    }
  });

  it('explains a search as corrected, and refuses one that the rules of today do not know', async () => {
    const session = await newUser();
    const id = await add(session, { title: 'a wolverine in the snow' });
    const { searchId } = await search(session, { query: 'wolverien', mode: 'text' });
    expect((await explain(session, searchId, id)).body.reasons).toMatchObject([{ code: 'found' }]);
    const admin = await connectAsSuperuser();
    await admin.query(`UPDATE search_history SET filters = filters || '{"abolished": true}' WHERE id = $1`, [
      searchId,
    ]);
    await admin.end();
    const answer = await explain(session, searchId, id);
    expect([answer.status, answer.body.type]).toEqual([
      409,
      expect.stringContaining('search-not-explainable'),
    ]);
  });

  it('knows neither the searches nor the files of somebody else', async () => {
    const [session, other] = [await newUser(), await newUser()];
    const mine = await add(session, { title: 'lynx' });
    const theirs = await add(other, { title: 'lynx' });
    const { searchId } = await search(session, { query: 'lynx' });
    const answers = await Promise.all([
      explain(session, searchId, theirs),
      explain(session, searchId, randomUUID()),
      explain(other, searchId, theirs),
      explain(session, randomUUID(), mine),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404]);
    expect(answers[0]!.body.detail).toBe(answers[1]!.body.detail);
    expect((await explain(session, searchId, 'x')).status).toBe(400);
  });
});

describe('the recall of approximate searches', () => {
  it('is measured afterwards and told in the metrics, without a query or an id', async () => {
    const random = randomSource(8);
    const vectors = (count: number) => Array.from({ length: count }, () => randomVector(random));
    // The first cut goes by the signs of the elements: it finds what is near in one library, and is blind in the other.
    const alike = (count: number) => vectors(count).map((vector) => vector.map(Math.abs));
    const { registry } = library.app.runtime.metrics;
    registry.removeSingleMetric('search_recall_at_20');
    const monitor = new RecallMonitor(
      library.app.database,
      new Ranker(new SearchRepository()),
      { SEARCH_RECALL_SAMPLES_PER_THOUSAND: 1000 },
      library.app.runtime.logger,
      library.app.runtime.metrics,
    );
    const figure = async (name: string): Promise<number> => {
      const { text } = await library.app.http.get('/metrics');
      return Number(new RegExp(`^search_recall_at_20_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    };
    const sums: number[] = [];
    for (const make of [vectors, alike]) {
      const session = await newUser();
      await asUser(session.id, () =>
        library.app.database.run(
          (tx) => insertClusters(tx, session.id, library.modelId, make(26), make(20)),
          {
            timeoutMs: 60_000,
          },
        ),
      );
      monitor.offer({
        ...{ userId: session.id, mode: 'semantic', alpha: 1, terms: 'x', excludedTerms: null, filter: {} },
        zones: null,
        vector: {
          halfvec: encodeHalfvecText(make(1)[0]!),
          model: embedder.model,
          ...{ modelId: library.modelId, vectorCount: MAX_EXACT_VECTORS + 1, hasGraph: false, floor: -1 },
        },
      });
      await library.app.eventually(async () => ((await figure('count')) === sums.length + 1 ? true : null));
      sums.push(await figure('sum'));
      expect((await library.app.http.get('/metrics')).text).not.toContain(session.id);
    }
    expect(sums[0]).toBeGreaterThan(0.9);
    expect(sums[1]! - sums[0]!).toBeLessThan(0.8);
  }, 120_000);
});

describe('bad input', () => {
  it.each([
    [{ within: { query: 'b', seconds: -1 } }, '/within/seconds'],
    [{ within: { query: '-b', seconds: 5 } }, '/within/query'],
    [{ within: { seconds: 5 } }, '/within/query'],
    [{ within: { query: 'b', seconds: 5, order: 'sideways' } }, '/within/order'],
    [{ facets: ['passwords'] }, '/facets'],
    [{ facets: ['tags', 'tags'] }, '/facets'],
    [{ sort: 'user_id' }, '/sort'],
    [{ order: 'up' }, '/order'],
    [{ cutoff: 0.3 }, '/cutoff'],
  ])('%j is refused with a pointer', async (fields, pointer) => {
    const response = await post(await newUser(), { query: 'a', ...fields });
    expect(response.status).toBe(400);
    expect(response.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });
});
