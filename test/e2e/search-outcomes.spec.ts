import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ProviderError } from '../../src/infrastructure/ai/ai.types.js';
import type { SearchResponse } from '../../src/modules/search/dto/search.response.js';
import { PlanFactsMemory } from '../../src/modules/search/plan-facts-memory.js';
import { MAX_EXACT_VECTORS } from '../../src/modules/search/ranker.js';
import {
  asUser,
  embedder,
  insertClusters,
  insertMedia,
  randomSource,
  randomVector,
  type MediaFixture,
} from '../integration/search-fixtures.js';
import { idsOf } from './embedded-media.js';
import { SearchClient } from './search-client.js';
import { useLibrary } from './use-library.js';

/** What comes of the options of a search: the lowest score, orders, explanations, weights, and facts remembered. */
const library = useLibrary();
afterEach(() => {
  jest.restoreAllMocks();
});

const newClient = async (): Promise<SearchClient> =>
  new SearchClient(library.app, await library.app.createSession({ subscriptionTier: 'ultimate' }));

const add = ({ session }: SearchClient, media: MediaFixture, text = media.title): Promise<string> =>
  library.add(session, media, text);

const idsOfAll = (pages: SearchResponse[]): string[] => pages.flatMap((page) => idsOf(page.items));

describe('minScore', () => {
  it.each(['text', 'semantic', 'hybrid'])(
    'leaves out what scores less, on every page of a %s search',
    async (mode) => {
      const client = await newClient();
      // From title and tag and summary down to the file's name: each holds the word at another weight and in other company.
      await add(client, { title: 'kayak', tags: ['kayak'], summary: 'a kayak' }, 'kayak kayak kayak');
      await add(client, { title: 'kayak on the river' });
      await add(client, { title: 'red car', tags: ['kayak'] }, 'kayak, red car in the street');
      await add(
        client,
        { title: 'old house', summary: 'a house, and a kayak' },
        'old house with a kayak and a garden',
      );
      await add(
        client,
        { title: 'evening', detectedText: ['KAYAK RENTAL'] },
        'evening at the kayak rental beside the road',
      );
      await add(client, { title: 'invoice' });
      const all = (await client.search({ query: 'kayak', mode })).items;
      expect(all.length).toBe(5);
      const scores = all.map(({ score }) => score);
      expect(new Set(scores).size).toBe(5);
      for (const kept of [1, 2, 3, 4]) {
        const minScore = (scores[kept - 1]! + scores[kept]!) / 2;
        const wanted = idsOf(all.slice(0, kept));
        for (const limit of [1, 2, kept]) {
          const pages = await client.pages({ query: 'kayak', mode, minScore, limit });
          expect(idsOfAll(pages)).toEqual(wanted);
          expect(pages.map(({ total, totalIsCapped }) => [total, totalIsCapped])).toEqual(
            pages.map(() => [kept, false]),
          );
          // No cursor leads to an empty page.
          expect(pages.length).toBe(Math.ceil(kept / limit));
        }
      }
    },
  );

  it('is counted as far as was looked, and says so, when more fits than is ranked for a page', async () => {
    const client = await newClient();
    const [high, low] = [230, 30];
    await asUser(client.session.id, () =>
      library.app.database.run(
        async (tx) => {
          for (let index = 0; index < high; index++)
            await insertMedia(tx, client.session.id, { title: 'gull' });
          for (let index = 0; index < low; index++)
            await insertMedia(tx, client.session.id, { title: 'rock', detectedText: ['gull'] });
        },
        { timeoutMs: 60_000 },
      ),
    );
    const body = { query: 'gull', mode: 'text', limit: 100 };
    const whole = await client.pages(body);
    const scores = whole.flatMap(({ items }) => items.map(({ score }) => score));
    expect([scores.length, whole[0]!.total]).toEqual([high + low, high + low]);
    const minScore = (scores[high - 1]! + scores[high]!) / 2;
    const pages = await client.pages({ ...body, minScore });
    expect(new Set(idsOfAll(pages)).size).toBe(high);
    expect(pages.map(({ items }) => items.length)).toEqual([100, 100, 30]);
    for (const { total, totalIsCapped } of pages) {
      // Never more than there are; fewer only when said so.
      expect([total <= high, total === high || totalIsCapped]).toEqual([true, true]);
    }
    expect(pages.at(-1)).toMatchObject({ total: high, totalIsCapped: false, nextCursor: null });
  });
});

describe('sort', () => {
  const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
  const FILES: Record<string, MediaFixture> = {
    a: {
      ...{ title: 'Otter Delta', viewCount: 7, fileSizeBytes: 5_000_000_000, uploadedAt: day('2022-03-01') },
      ...{ takenAt: day('2001-01-01'), fileType: 'video', durationSeconds: 60.5 },
    },
    b: {
      ...{ title: 'otter alpha', viewCount: 90, fileSizeBytes: 20, uploadedAt: day('2022-01-01') },
      ...{ takenAt: day('2003-01-01') },
    },
    c: {
      ...{ title: 'otter Charlie', viewCount: 0, fileSizeBytes: 300, uploadedAt: day('2022-04-01') },
      ...{ fileType: 'video', durationSeconds: 9 },
    },
    d: {
      ...{ title: 'OTTER BRAVO', viewCount: 10, fileSizeBytes: 4_000, uploadedAt: day('2022-02-01') },
      ...{ takenAt: day('2002-01-01'), fileType: 'video', durationSeconds: 600 },
    },
  };
  /** Ascending; then those without a value. */
  const ORDERS: [sort: string, ascending: string, without: string][] = [
    ['viewCount', 'cadb', ''],
    ['fileSizeBytes', 'bcda', ''],
    ['uploadedAt', 'bdac', ''],
    ['takenAt', 'adb', 'c'],
    ['durationSeconds', 'cad', 'b'],
    ['title', 'bdca', ''],
  ];
  let client: SearchClient;
  let nameOf: Map<string, string>;
  beforeAll(async () => {
    client = await newClient();
    nameOf = new Map();
    for (const [name, media] of Object.entries(FILES)) nameOf.set(await add(client, media), name);
    await add(client, { title: 'tractor', viewCount: 50, takenAt: day('2002-06-01') });
  });

  it.each(ORDERS)('%s orders what was found, both ways, and over pages', async (sort, ascending, without) => {
    const names = async (order: object): Promise<string> => {
      const pages = await client.pages({ query: 'otter', mode: 'text', sort, limit: 3, ...order });
      expect(pages.map(({ items }) => items.length)).toEqual([3, 1]);
      return idsOfAll(pages)
        .map((id) => nameOf.get(id))
        .join('');
    };
    const descending = [...ascending].reverse().join('');
    expect(await names({ order: 'asc' })).toBe(ascending + without);
    expect(await names({ order: 'desc' })).toBe(descending + without);
    expect(await names({})).toBe(descending + without);
  });

  it('leaves files of the same value in the order of relevance', async () => {
    const equals = await newClient();
    const best = { title: 'heron', tags: ['heron'], summary: 'heron' };
    const ids = [];
    for (const media of [
      { title: 'x', detectedText: ['heron'] },
      best,
      { title: 'heron in a pond of the park' },
    ]) {
      ids.push(await add(equals, media));
    }
    const body = { query: 'heron', mode: 'text' };
    const byRelevance = idsOf((await equals.search(body)).items);
    expect(byRelevance).toEqual([ids[1], ids[2], ids[0]]);
    for (const order of ['asc', 'desc']) {
      for (const sort of ['fileSizeBytes', 'takenAt']) {
        expect(idsOf((await equals.search({ ...body, sort, order })).items)).toEqual(byRelevance);
      }
    }
  });
});

describe('explain', () => {
  const reasonsOf = async (client: SearchClient, searchId: string, id: string): Promise<string[]> =>
    (await client.explain(searchId, id)).reasons.map(({ code, pointer }) =>
      [code, pointer].filter(Boolean).join(' '),
    );

  it('below-min-score: the score is told, and what was found is counted as the search counted it', async () => {
    const client = await newClient();
    const best = await add(client, { title: 'falcon', tags: ['falcon'] });
    const weak = await add(client, { title: 'tower', detectedText: ['falcon'] }, 'tower');
    const scores = (await client.search({ query: 'falcon', mode: 'text' })).items.map(({ score }) => score);
    const minScore = (scores[0]! + scores[1]!) / 2;
    const { searchId, total } = await client.search({ query: 'falcon', mode: 'text', minScore });
    expect(total).toBe(1);
    expect(await client.explain(searchId, weak)).toMatchObject({
      ...{ isFound: false, position: null, score: scores[1] },
      reasons: [{ code: 'below-min-score', pointer: '/minScore' }],
    });
    expect((await client.explain(searchId, best)).reasons).toEqual([
      { code: 'found', detail: 'It is number 1 of 1.' },
    ]);
  });

  it('no-moment-within: both are in the film, but not near each other', async () => {
    const client = await newClient();
    const film = async (applauseAt: number): Promise<string> => {
      const id = await add(client, {
        title: 'Evening',
        fileType: 'video',
        durationSeconds: 900,
        transcript: 'orchestra applause',
      });
      const cues: [number, string][] = [
        [10, 'orchestra'],
        [applauseAt, 'applause'],
      ];
      await asUser(client.session.id, () =>
        library.app.database.run((tx) =>
          tx.transcriptSegment.createMany({
            data: cues.map(([startTimeSeconds, text]) => ({
              ...{ userId: client.session.id, mediaFileId: id, id: randomUUID(), source: 'speech', text },
              ...{ startTimeSeconds, endTimeSeconds: startTimeSeconds + 2 },
            })),
          }),
        ),
      );
      return id;
    };
    const [near, far] = [await film(20), await film(500)];
    const within = { query: 'applause', seconds: 30 };
    const found = await client.search({ query: 'orchestra', mode: 'text', within });
    expect(idsOf(found.items)).toEqual([near]);
    expect(await reasonsOf(client, found.searchId, far)).toEqual(['no-moment-within /within']);
    expect(await reasonsOf(client, found.searchId, near)).toEqual(['found']);
  });

  it('not-in-these-places: the words are there, but elsewhere, or in another order', async () => {
    const client = await newClient();
    const id = await add(client, { title: 'harbour master', tags: ['lantern'] });
    const inTitle = await client.search({ query: 'lantern', mode: 'text', in: ['title'] });
    expect(inTitle.total).toBe(0);
    expect(await reasonsOf(client, inTitle.searchId, id)).toEqual(['not-in-these-places /in']);
    const phrase = await client.search({ query: '"master harbour"', mode: 'text' });
    expect(phrase.total).toBe(0);
    expect(await reasonsOf(client, phrase.searchId, id)).toEqual(['not-in-these-places /query']);
  });

  it('semantic-unavailable: words alone were compared, then and now', async () => {
    const client = await newClient();
    const boat = await add(client, { title: 'rowing boat' });
    await add(client, { title: 'ship' });
    jest
      .spyOn(library.app.runtime.ai.textEmbedder, 'embed')
      .mockRejectedValue(new ProviderError('provider-unavailable', 'down', true, 'Wait.'));
    const { searchId, degraded } = await client.search({ query: 'ship' });
    expect(degraded).toBe('semantic-unavailable');
    expect(await reasonsOf(client, searchId, boat)).toEqual(['words-missing /query', 'semantic-unavailable']);
    jest.restoreAllMocks();
    expect(await reasonsOf(client, searchId, boat)).not.toContain('semantic-unavailable');
  });
});

describe('alpha', () => {
  it('0 gives exactly what text mode gives, and 1 what semantic mode gives, in the same order', async () => {
    const client = await newClient();
    const things = 'car|boat|invoice|mountain|cake|train|guitar|garden|castle|winter|office|football'.split(
      '|',
    );
    for (let index = 0; index < 36; index++) {
      const [one, two, three] = [index % 12, (index * 5 + 1) % 12, (index * 7 + 3) % 12].map(
        (at) => things[at]!,
      );
      // Words and meaning of a file are about different things, so that the two orders differ.
      await add(
        client,
        { title: `${one} and ${two} ${index}`, tags: [three!] },
        `${two} with a ${three} ${index}`,
      );
    }
    const outcome = async (body: object) => {
      const pages = await client.pages({ limit: 10, ...body });
      return { ids: idsOfAll(pages), total: pages[0]!.total };
    };
    for (const query of [
      'boat',
      'castle train',
      'the office in winter',
      '"car and boat"',
      'office -football',
      'cake or guitar',
    ]) {
      const [words, meaning] = [
        await outcome({ query, mode: 'text' }),
        await outcome({ query, mode: 'semantic' }),
      ];
      expect(await outcome({ query, mode: 'hybrid', alpha: 0 })).toEqual(words);
      expect(await outcome({ query, mode: 'hybrid', alpha: 1 })).toEqual(meaning);
      expect([query, words.ids.length > 2, meaning.ids.length > 2]).toEqual([query, true, true]);
      expect(meaning.ids).not.toEqual(words.ids);
    }
  });
});

describe('the remembered facts of a library', () => {
  it('hide no file that came since, and none of a library that has outgrown its plan', async () => {
    const client = await newClient();
    const memory = library.app.nest.get(PlanFactsMemory, { strict: false });
    const remembering = jest.spyOn(memory, 'set');
    const found = async () => {
      const { items, total, plan } = await client.search({ query: 'zebra', mode: 'semantic' });
      return { ids: idsOf(items).sort(), total, plan };
    };
    const ids = [await add(client, { title: 'a zebra' })];
    const facts = { modelId: library.modelId, vectorCount: 1, hasGraph: false };
    expect(await found()).toEqual({ ids, total: 1, plan: 'exact' });
    expect(remembering).toHaveBeenCalledWith(client.session.id, embedder.model, facts);

    ids.push(await add(client, { title: 'another zebra' }));
    expect(await found()).toEqual({ ids: [...ids].sort(), total: 2, plan: 'exact' });

    const random = randomSource(21);
    const vectors = (count: number) => Array.from({ length: count }, () => randomVector(random));
    await asUser(client.session.id, () =>
      library.app.database.run(
        (tx) =>
          insertClusters(
            tx,
            client.session.id,
            library.modelId,
            vectors(26),
            vectors(Math.ceil(MAX_EXACT_VECTORS / 26)),
          ),
        { timeoutMs: 60_000 },
      ),
    );
    for (let index = 0; index < 3; index++) ids.push(await add(client, { title: `zebra ${index}` }));
    const everything = { ids: [...ids].sort(), total: ids.length };
    // As if no time had passed since the search above, however long the files took; then with other facts that are over.
    for (const [remembered, plan] of [
      [facts, 'exact'],
      [{ ...facts, vectorCount: MAX_EXACT_VECTORS + 1 }, 'ann'],
      [{ ...facts, vectorCount: MAX_EXACT_VECTORS + 1, hasGraph: true }, 'ann'],
    ] as const) {
      memory.set(client.session.id, embedder.model, remembered);
      expect(await found()).toEqual({ ...everything, plan });
    }
  }, 120_000);
});
