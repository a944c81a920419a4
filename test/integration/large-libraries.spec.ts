import pg from 'pg';
import { encodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { MAX_EXACT_VECTORS, Ranker } from '../../src/modules/search/ranker.js';
import { SearchRepository } from '../../src/modules/search/search.repository.js';
import { SEARCH_SETTINGS } from '../../src/modules/search/sql/search.sql.js';
import {
  dropLargeLibraryIndexes,
  refreshLargeLibraryIndexes,
} from '../../scripts/db/large-library-indexes.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
import {
  activeModel,
  asUser,
  embedder,
  insertClusters,
  near,
  randomSource,
  randomVector,
} from './search-fixtures.js';

let database: Database;
let owner: pg.Client;
let modelId: number;

beforeAll(async () => {
  const urls = await ownDatabaseUrls('large');
  database = await connectTestDatabase({ url: urls.runtimeUrl });
  owner = new pg.Client({ connectionString: urls.adminUrl });
  await owner.connect();
  modelId = await activeModel(database);
}, 120_000);
afterAll(async () => {
  await owner.end();
  await database.end();
});

it('a large library gets a graph of its own, finds the same with it, and loses it when it shrinks', async () => {
  const random = randomSource(3);
  const vectors = (count: number) => Array.from({ length: count }, () => randomVector(random));
  const centres = vectors(25);
  const [large, small] = [await createUser(database), await createUser(database)];
  for (const [user, perCentre] of [
    [large, 30],
    [small, 4],
  ] as const) {
    await asUser(user.id, () =>
      database.run((tx) => insertClusters(tx, user.id, modelId, centres, vectors(perCentre)), {
        timeoutMs: 60_000,
      }),
    );
  }
  const options = { minVectors: 500, maxIndexes: 5 };
  const made = await refreshLargeLibraryIndexes(owner, options);
  expect(made).toMatchObject({ made: [{ userId: large.id, modelId, vectors: 750 }], kept: [], dropped: [] });
  expect(await refreshLargeLibraryIndexes(owner, options)).toMatchObject({ made: [], dropped: [] });

  const repository = new SearchRepository();
  const ranker = new Ranker(repository);
  const facts = (userId: string) =>
    asUser(userId, () =>
      database.run((tx) => repository.planFacts(tx, { userId, model: embedder.model, countUpTo: 501 })),
    );
  expect(await facts(small.id)).toEqual({ modelId, vectorCount: 100, hasGraph: false });
  expect(await facts(large.id)).toEqual({ modelId, vectorCount: 501, hasGraph: true });

  const own = new Set(
    (
      await asUser(large.id, () =>
        database.run((tx) => tx.mediaFile.findMany({ where: { userId: large.id }, select: { id: true } })),
      )
    ).map(({ id }) => id),
  );
  let common = 0;
  const QUERIES = 10;
  for (let index = 0; index < QUERIES; index++) {
    const halfvec = encodeHalfvecText(near(centres[index]!, randomVector(random)));
    const top = (vectorCount: number, hasGraph: boolean) =>
      asUser(large.id, () =>
        database.run(
          (tx) =>
            ranker.rank(tx, {
              ...{ userId: large.id, mode: 'semantic', alpha: 1, terms: '', excludedTerms: null, filter: {} },
              zones: null,
              vector: { halfvec, model: embedder.model, modelId, vectorCount, hasGraph, floor: -1 },
              wanted: 21,
            }),
          { settings: SEARCH_SETTINGS },
        ),
      );
    const [exact, graph] = [await top(1, false), await top(MAX_EXACT_VECTORS + 1, true)];
    expect([exact.plan, graph.plan]).toEqual(['exact', 'ann']);
    expect(graph.media.every(({ id }) => own.has(id))).toBe(true);
    const found = new Set(graph.media.slice(0, 20).map(({ id }) => id));
    common += exact.media.slice(0, 20).filter(({ id }) => found.has(id)).length;
  }
  expect(common / (QUERIES * 20)).toBeGreaterThanOrEqual(0.99);

  const shrunk = await refreshLargeLibraryIndexes(owner, { ...options, minVectors: 1_000 });
  expect(shrunk).toMatchObject({ made: [], kept: [], dropped: [made.made[0]!.indexName] });
  expect((await facts(large.id))!.hasGraph).toBe(false);
  const { indexName } = made.made[0]!;
  // As earlier versions built them: less carefully.
  await owner.query(
    `CREATE INDEX ${indexName} ON media_embeddings USING hnsw (code bit_hamming_ops) WITH (m = 16, ef_construction = 64)
     WHERE user_id = '${large.id}' AND model_id = ${modelId}`,
  );
  expect(await refreshLargeLibraryIndexes(owner, options)).toMatchObject({
    ...{ made: [{ indexName }], kept: [], dropped: [indexName] },
  });
  expect((await facts(large.id))!.hasGraph).toBe(true);
  expect(await dropLargeLibraryIndexes(owner)).toHaveLength(1);
}, 180_000);
