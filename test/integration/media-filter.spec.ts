import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { encodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import { parseMediaFilter } from '../../src/modules/media/filter/media-filter.parser.js';
import { filterClauses } from '../../src/modules/media/filter/media-filter.sql.js';
import type { MediaFilter } from '../../src/modules/media/filter/media-filter.types.js';
import { MediaRepository } from '../../src/modules/media/media.repository.js';
import { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { Ranker, type RankInput } from '../../src/modules/search/ranker.js';
import { SearchRepository } from '../../src/modules/search/search.repository.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase, testDatabaseUrls } from '../harness/database.js';
import { file, filter } from './media-filter-arbitraries.js';
import { namesPrivacy, passes, type FilteredFile } from './media-filter-evaluator.js';
import {
  activeModel,
  asUser,
  insertClusters,
  insertEmbeddings,
  near,
  randomSource,
  randomVector,
} from './search-fixtures.js';

/** Without a floor, so that random vectors are not cut by it. */
const MODEL = { provider: 'test', name: 'random', version: 'v1', dimensions: 1536 };
/** Rows are loaded in one transaction; a machine that runs other suites beside this one needs longer than usual. */
const SLOW_MACHINE = { timeoutMs: 60_000 };
const FILES = 60;
const RUNS = 80;

const media = new MediaRepository();
const ranker = new Ranker(new SearchRepository());
let database: Database;
let modelId: number;
let userId: string;
let library: Map<string, FilteredFile>;
const random = randomSource(23);
const queryVector = encodeHalfvecText(randomVector(random));

beforeAll(async () => {
  database = await connectTestDatabase();
  modelId = await activeModel(database);
  userId = (await createUser(database)).id;
  const stranger = (await createUser(database)).id;
  const files = fc.sample(file, { numRuns: FILES, seed: 7 });
  library = await insertLibrary(userId, files);
  // Somebody else's files fit just as well, and must never come up.
  await insertLibrary(stranger, files.slice(0, 20));
}, 120_000);
afterAll(() => database.end());

/** Every file is called "walrus", so that a search for it finds what the filter leaves, and has one vector. */
async function insertLibrary(owner: string, files: FilteredFile[]): Promise<Map<string, FilteredFile>> {
  const rows = files.map((entry) => ({ id: uuidv7(), entry }));
  await asUser(owner, () =>
    database.run(async (tx) => {
      await tx.mediaFile.createMany({ data: rows.map(({ id, entry }) => mediaRow(owner, id, entry)) });
      await insertNames(tx, owner, rows);
      await insertEmbeddings(
        tx,
        owner,
        modelId,
        rows.map(({ id }) => ({ mediaFileId: id, vector: encodeHalfvecText(randomVector(random)) })),
      );
    }, SLOW_MACHINE),
  );
  return new Map(rows.map(({ id, entry }) => [id, entry]));
}

function mediaRow(owner: string, id: string, entry: FilteredFile): Prisma.MediaFileCreateManyInput {
  const { fileType, status, uploadedAt, takenAt, durationSeconds, width, height, sentiment } = entry;
  return {
    ...{
      userId: owner,
      id,
      filename: id,
      originalFilename: 'f.jpg',
      title: 'walrus',
      mimeType: 'image/jpeg',
    },
    ...{ storageProvider: 'local', s3Bucket: 'local', s3Key: `${owner}/${id}` },
    ...{ fileType, status, uploadedAt, takenAt, durationSeconds, width, height, sentiment },
    fileHash: randomUUID().replaceAll('-', '').padEnd(64, '0'),
    fileSizeBytes: BigInt(entry.fileSizeBytes),
    detectedFacesCount: entry.facesCount,
    contentWarnings: entry.contentWarnings,
    dominantColors: entry.colors.map((color) => ({ ...color, hex: '#000000' })),
    isPrivate: entry.isPrivate,
    customMetadata: entry.customMetadata as Prisma.InputJsonObject,
    transcriptionText: entry.transcript,
    detectedText: entry.detectedText,
  };
}

async function insertNames(
  tx: Transaction,
  owner: string,
  rows: { id: string; entry: FilteredFile }[],
): Promise<void> {
  const tags = new Map([...new Set(rows.flatMap(({ entry }) => entry.tags))].map((name) => [name, uuidv7()]));
  const categories = new Map(
    (await tx.category.findMany({ where: { userId: null } })).map(({ name, id }) => [name, id]),
  );
  await tx.tag.createMany({ data: [...tags].map(([name, id]) => ({ userId: owner, id, name })) });
  await tx.mediaTag.createMany({
    data: rows.flatMap(({ id, entry }) =>
      entry.tags.map((name) => ({ userId: owner, mediaFileId: id, tagId: tags.get(name)! })),
    ),
  });
  await tx.mediaCategory.createMany({
    data: rows.flatMap(({ id, entry }) =>
      entry.categories.map((name) => ({
        userId: owner,
        mediaFileId: id,
        categoryId: categories.get(name)!,
      })),
    ),
  });
  await tx.mediaLabel.createMany({
    data: rows.flatMap(({ id, entry }) =>
      entry.labels.map(({ name, confidence }) => ({
        ...{ userId: owner, mediaFileId: id, label: name, confidence, kind: 'object' },
      })),
    ),
  });
}

const listed = async (tx: Transaction, wanted: MediaFilter): Promise<string[]> =>
  (
    await media.list(tx, {
      ...{
        userId,
        filter: wanted,
        isTrash: false,
        sort: 'uploadedAt',
        order: 'desc',
        after: null,
        limit: 100,
      },
    })
  ).map(({ row }) => row.id);

const searched = async (
  tx: Transaction,
  mode: RankInput['mode'],
  wanted: MediaFilter,
  vectorCount: number,
): Promise<string[]> =>
  (
    await ranker.rank(tx, {
      ...{ userId, mode, alpha: 0.5, terms: 'walrus', excludedTerms: null, filter: wanted, zones: null },
      vector: { halfvec: queryVector, model: MODEL, modelId, vectorCount, hasGraph: false },
    })
  ).media.map(({ id }) => id);

const idsThat = (holds: (entry: FilteredFile) => boolean): string[] =>
  [...library].filter(([, entry]) => holds(entry)).map(([id]) => id);

describe('a list and a search with a random filter', () => {
  it('give exactly the files that pass it, each hit passes, and the result is a subset of the unfiltered', async () => {
    let decisive = 0;
    const unfiltered = await asUser(userId, () =>
      database.run((tx) => searched(tx, 'semantic', { includePrivate: true }, 1)),
    );
    expect(unfiltered).toHaveLength(FILES);
    await fc.assert(
      fc.asyncProperty(filter, fc.constantFrom(1, 1_000_000), async (random, vectorCount) => {
        // What a request would hand on.
        const { value: wanted, faults } = parseMediaFilter(random);
        expect(faults).toEqual([]);
        const { inList, inText, inMeaning } = await asUser(userId, () =>
          database.run(async (tx) => ({
            inList: await listed(tx, wanted),
            inText: await searched(tx, 'text', wanted, vectorCount),
            inMeaning: await searched(tx, 'semantic', wanted, vectorCount),
          })),
        );
        const isDecided = namesPrivacy(random) || random.includePrivate === true;
        const inLists = (entry: FilteredFile): boolean =>
          !(random.includePrivate === false && !isDecided && entry.isPrivate);
        const inSearches = (entry: FilteredFile): boolean => isDecided || !entry.isPrivate;
        expect(inList.toSorted()).toEqual(idsThat((entry) => passes(random, entry) && inLists(entry)).sort());
        const expected = idsThat((entry) => passes(random, entry) && inSearches(entry)).sort();
        expect(inText.toSorted()).toEqual(expected);
        expect(inMeaning.toSorted()).toEqual(expected);
        expect(inMeaning.every((id) => unfiltered.includes(id))).toBe(true);
        if (expected.length > 0 && expected.length < FILES) decisive++;
      }),
      { numRuns: RUNS, seed: 20261125 },
    );
    // Not a test of filters that let all pass or nothing.
    expect(decisive).toBeGreaterThan(RUNS / 3);
  }, 60_000);

  it('fall into the clauses that filterClauses names: a file passes when each of them is true', async () => {
    await fc.assert(
      fc.asyncProperty(filter, async (wanted) => {
        const clauses = filterClauses(userId, wanted);
        if (clauses.length === 0) return;
        const columns = clauses.map(({ condition }) => Prisma.sql`(${condition}) IS TRUE`);
        const rows = await asUser(userId, () =>
          database.run(
            (tx) => tx.$queryRaw<{ id: string; holds: boolean[] }[]>`
              SELECT m.id, ARRAY[${Prisma.join(columns)}] AS holds FROM media_files m WHERE m.user_id = ${userId}::uuid`,
          ),
        );
        for (const { id, holds } of rows) {
          expect(holds.every(Boolean)).toBe(passes(wanted, library.get(id)!));
        }
      }),
      { numRuns: 25, seed: 3 },
    );
  }, 60_000);
});

describe('a search by meaning', () => {
  it('is never starved by a filter: it gives every file that is left, in both plans', async () => {
    const { embedded } = await testDatabaseUrls();
    const owner = (await createUser(database)).id;
    const centres = Array.from({ length: 25 }, () => randomVector(random));
    const noises = Array.from({ length: embedded ? 30 : 90 }, () => randomVector(random));
    const size = centres.length * noises.length;
    await asUser(owner, () =>
      database.run((tx) => insertClusters(tx, owner, modelId, centres, noises), SLOW_MACHINE),
    );
    // One to ninety files, drawn anywhere: most of them far from every query.
    const leaves = [1, 7, 90];
    await asUser(owner, () =>
      database.run(async (tx) => {
        for (const count of leaves) {
          await tx.$executeRaw`UPDATE media_files SET custom_metadata = custom_metadata || jsonb_build_object(${`pick${count}`}::text, true),
              detected_faces_count = 2 WHERE id IN (SELECT id FROM media_files WHERE user_id = ${owner}::uuid ORDER BY md5(id::text || ${count}::integer) LIMIT ${count}::integer)`;
        }
      }),
    );
    const limit = 20;
    for (const count of leaves) {
      const wanted: MediaFilter = {
        or: [{ customMetadata: { exists: [[`pick${count}`]] } }, { tags: { any: ['no such tag'] } }],
        facesCount: { min: 1 },
      };
      for (const [plan, vectorCount] of [
        ['exact', 1],
        ['ann', size],
      ] as const) {
        for (let query = 0; query < 4; query++) {
          const halfvec = encodeHalfvecText(near(centres[query]!, randomVector(random)));
          const ranking = await asUser(owner, () =>
            database.run((tx) =>
              ranker.rank(tx, {
                ...{
                  userId: owner,
                  mode: 'semantic',
                  alpha: 1,
                  terms: 'x',
                  excludedTerms: null,
                  zones: null,
                },
                filter: wanted,
                vector: {
                  halfvec,
                  model: MODEL,
                  modelId,
                  vectorCount: plan === 'ann' ? 1_000_000 : vectorCount,
                  hasGraph: false,
                },
              }),
            ),
          );
          expect(ranking.plan).toBe(plan);
          expect(ranking.media).toHaveLength(count);
          expect(ranking.media.slice(0, limit)).toHaveLength(Math.min(count, limit));
        }
      }
    }
  }, 120_000);
});
