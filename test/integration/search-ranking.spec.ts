import { createUser } from '../factories/users.js';
import { connectTestDatabase, testDatabaseUrls } from '../harness/database.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { encodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import { Ranker, type RankInput } from '../../src/modules/search/ranker.js';
import { SearchRepository } from '../../src/modules/search/search.repository.js';
import type { MediaFilter } from '../../src/modules/search/sql/restriction.sql.js';
import { restrictionOf } from '../../src/modules/search/sql/restriction.sql.js';
import {
  activeModel,
  asUser,
  embedder,
  embedText,
  insertEmbeddings,
  insertMedia,
  randomSource,
  insertClusters,
  near,
  randomVector,
  type MediaFixture,
} from './search-fixtures.js';

const repository = new SearchRepository();
const ranker = new Ranker(repository);
let database: Database;
let modelId: number;

beforeAll(async () => {
  database = await connectTestDatabase();
  modelId = await activeModel(database);
});
afterAll(() => database.end());

const everything = (userId: string, terms: string): RankInput => ({
  userId,
  mode: 'text',
  alpha: 0.5,
  terms,
  excludedTerms: null,
  filter: {},
  zones: null,
  vector: null,
});

const rank = (userId: string, input: Partial<RankInput> & { terms: string }) =>
  asUser(userId, () =>
    database.run((tx) => ranker.rank(tx, { ...everything(userId, input.terms), ...input })),
  );

const add = (userId: string, media: MediaFixture) =>
  asUser(userId, () => database.run((tx) => insertMedia(tx, userId, media)));

describe('words', () => {
  it('finds by title, file name, tag, label, summary, text and speech, in the zone asked', async () => {
    const { id: user } = await createUser(database);
    const ids = {
      title: await add(user, { title: 'A walrus' }),
      filename: await add(user, { title: 'x', originalFilename: 'DSC_walrusHouse-2024.jpg' }),
      tag: await add(user, { title: 'x', tags: ['walrus'] }),
      label: await add(user, { title: 'x', labels: [{ name: 'walrus', confidence: 0.9 }] }),
      summary: await add(user, { title: 'x', summary: 'Two walruses on the ice.' }),
      text: await add(user, { title: 'x', detectedText: ['WALRUS ISLAND'] }),
      speech: await add(user, { title: 'x', fileType: 'video', transcript: 'there is a walrus' }),
      both: await add(user, {
        title: 'x',
        fileType: 'video',
        transcript: 'nothing',
        detectedText: ['walrus'],
      }),
    };
    const found = async (zones: RankInput['zones']) =>
      (await rank(user, { terms: 'walrus', zones })).media.map((media) => media.id).sort();
    const expected = (...names: (keyof typeof ids)[]) => names.map((name) => ids[name]).sort();
    expect(await found(null)).toEqual(Object.values(ids).sort());
    expect(await found(['title'])).toEqual(expected('title', 'filename'));
    expect(await found(['visual'])).toEqual(expected('tag', 'label', 'summary'));
    expect(await found(['text'])).toEqual(expected('text', 'both'));
    expect(await found(['speech'])).toEqual(expected('speech'));
    expect(await found(['text', 'speech'])).toEqual(expected('text', 'speech', 'both'));
    expect(await found(['title', 'speech'])).toEqual(expected('title', 'filename', 'speech'));
  });

  it('knows phrases, or, exclusion, accents and stems', async () => {
    const { id: user } = await createUser(database);
    const cafe = await add(user, { title: 'Café in the old town' });
    const dog = await add(user, { title: 'Running dogs' });
    const both = await add(user, { title: 'town hall, running late' });
    const found = async (terms: string) => (await rank(user, { terms })).media.map((media) => media.id);
    expect(await found('cafe')).toEqual([cafe]);
    expect(await found('dog run')).toEqual([dog]);
    expect(await found('"old town"')).toEqual([cafe]);
    expect((await found('town')).sort()).toEqual([cafe, both].sort());
    expect(await found('town -hall')).toEqual([cafe]);
    expect((await found('cafe or dog')).sort()).toEqual([cafe, dog].sort());
  });

  it('finds a file that is not processed yet, and never one in the trash', async () => {
    const { id: user } = await createUser(database);
    const fresh = await add(user, { title: 'platypus', status: 'uploaded' });
    await add(user, { title: 'platypus', deletedAt: new Date() });
    expect((await rank(user, { terms: 'platypus' })).media.map((media) => media.id)).toEqual([fresh]);
  });

  it('counts what fits beyond the files that are ranked', async () => {
    const { id: user } = await createUser(database);
    await asUser(user, () =>
      database.run(
        (tx) => tx.$executeRaw`
          INSERT INTO media_files (user_id, id, filename, original_filename, title, file_type, mime_type,
            file_size_bytes, file_hash, storage_provider, s3_bucket, s3_key, status)
          SELECT ${user}::uuid, gen_random_uuid(), 'f', 'f.jpg', 'capybara ' || n, 'image', 'image/jpeg', 1,
            lpad(to_hex(n), 64, '0'), 'local', 'b', ${user} || '/' || n, 'completed' FROM generate_series(1, 1100) n`,
      ),
    );
    const ranking = await rank(user, { terms: 'capybara', wanted: 21 });
    expect(ranking.media).toHaveLength(200);
    expect(ranking).toMatchObject({ total: 1100, isCapped: false });
    const all = await rank(user, { terms: 'capybara', wanted: null });
    expect(new Set(all.media.map((media) => media.id)).size).toBe(1100);
    const few = await rank(user, { terms: 'capybara 77' });
    expect(few.media).toHaveLength(1);
    expect(few).toMatchObject({ total: 1, isCapped: false });
  });
});

describe('filters', () => {
  it('each keep what they say', async () => {
    const { id: user } = await createUser(database);
    const day = (text: string) => new Date(`${text}T12:00:00Z`);
    const a = await add(user, {
      title: 'otter a',
      tags: ['Sea', 'Ice'],
      categories: ['nature'],
      labels: [{ name: 'otter', confidence: 0.9 }],
      uploadedAt: day('2026-01-01'),
      takenAt: day('2025-01-01'),
    });
    const b = await add(user, {
      title: 'otter b',
      fileType: 'video',
      tags: ['sea'.toUpperCase()].slice(1),
      categories: ['people'],
      labels: [
        { name: 'otter', confidence: 0.4 },
        { name: 'boat', confidence: 0.8 },
      ],
      uploadedAt: day('2026-02-01'),
    });
    const c = await add(user, {
      title: 'otter c',
      tags: ['Zoo'],
      isPrivate: true,
      uploadedAt: day('2026-03-01'),
    });
    const found = async (filter: MediaFilter) =>
      (await rank(user, { terms: 'otter', filter })).media.map((media) => media.id).sort();
    expect(await found({})).toEqual([a, b].sort());
    expect(await found({ includePrivate: true })).toEqual([a, b, c].sort());
    expect(await found({ isPrivate: true })).toEqual([c]);
    expect(await found({ isPrivate: false })).toEqual([a, b].sort());
    expect(await found({ fileType: 'video' })).toEqual([b]);
    expect(await found({ fileType: 'image', includePrivate: true })).toEqual([a, c].sort());
    expect(await found({ tags: { any: ['SEA', 'zoo'] }, includePrivate: true })).toEqual([a, c].sort());
    expect(await found({ tags: { all: ['sea', 'ice'] } })).toEqual([a]);
    expect(await found({ tags: { all: ['sea', 'zoo'] } })).toEqual([]);
    expect(await found({ tags: { none: ['sea'] } })).toEqual([b]);
    expect(await found({ categories: ['Nature', 'food'] })).toEqual([a]);
    expect(await found({ labels: [{ name: 'Otter' }] })).toEqual([a, b].sort());
    expect(await found({ labels: [{ name: 'otter', minConfidence: 0.5 }] })).toEqual([a]);
    expect(await found({ labels: [{ name: 'otter' }, { name: 'boat' }] })).toEqual([b]);
    expect(await found({ uploadedFrom: '2026-02-01T12:00:00.000Z' })).toEqual([b]);
    expect(await found({ uploadedTo: '2026-02-01T12:00:00.000Z' })).toEqual([a]);
    expect(await found({ takenFrom: '2024-01-01T00:00:00.000Z' })).toEqual([a]);
    expect(await found({ tags: { any: [], all: [], none: [] }, labels: [], categories: [] })).toEqual(
      [a, b].sort(),
    );
  });
});

describe('vectors', () => {
  it('groups by file, best segment first; a video with 200 fitting segments takes one place', async () => {
    const { id: user } = await createUser(database);
    const dog = await embedText('a dog runs along the beach');
    const video = await add(user, { title: 'video', fileType: 'video', durationSeconds: 2000 });
    const photo = await add(user, { title: 'photo' });
    const other = await add(user, { title: 'other' });
    const photoVector = await embedText('a dog on the beach');
    const otherVector = await embedText('quarterly invoice with taxes');
    await asUser(user, () =>
      database.run(async (tx) => {
        await insertEmbeddings(
          tx,
          user,
          modelId,
          Array.from({ length: 200 }, (_, index) => ({
            mediaFileId: video,
            vector: dog,
            segmentType: 'visual' as const,
            start: index * 10,
            end: index * 10 + 10,
          })),
        );
        await insertEmbeddings(tx, user, modelId, [
          { mediaFileId: photo, vector: photoVector },
          { mediaFileId: other, vector: otherVector },
        ]);
      }),
    );
    const query = { halfvec: dog, model: embedder.model, modelId };
    for (const vectorCount of [202, 1_000_000]) {
      const ranking = await rank(user, {
        terms: 'x',
        mode: 'semantic',
        vector: { ...query, vectorCount, hasGraph: false },
      });
      expect(ranking.plan).toBe(vectorCount === 202 ? 'exact' : 'ann');
      expect(ranking.media.map((media) => media.id)).toEqual([video, photo]);
      expect(ranking.media[0]!.score).toBeCloseTo(1, 2);
    }
  });

  it('leaves out trash, private files and what the query excludes', async () => {
    const { id: user } = await createUser(database);
    const vector = await embedText('sunset over the sea');
    const plain = await add(user, { title: 'evening' });
    const named = await add(user, { title: 'evening with a boat' });
    const hidden = await add(user, { title: 'evening', isPrivate: true });
    const gone = await add(user, { title: 'evening', deletedAt: new Date() });
    await asUser(user, () =>
      database.run((tx) =>
        insertEmbeddings(
          tx,
          user,
          modelId,
          [plain, named, hidden, gone].map((id) => ({ mediaFileId: id, vector })),
        ),
      ),
    );
    const semantic = async (input: Partial<RankInput>) =>
      (
        await rank(user, {
          terms: 'sunset',
          mode: 'semantic',
          vector: { halfvec: vector, model: embedder.model, modelId, vectorCount: 4, hasGraph: false },
          ...input,
        })
      ).media
        .map((media) => media.id)
        .sort();
    expect(await semantic({})).toEqual([plain, named].sort());
    expect(await semantic({ filter: { includePrivate: true } })).toEqual([plain, named, hidden].sort());
    expect(await semantic({ terms: 'sunset -boat', excludedTerms: 'boat' })).toEqual([plain]);
    expect(await semantic({ mode: 'hybrid', terms: 'evening -boat', excludedTerms: 'boat' })).toEqual([
      plain,
    ]);
  });

  it('two stages find what the exact plan finds, and a filter never starves', async () => {
    const { id: user } = await createUser(database);
    const random = randomSource(11);
    const vectors = (count: number) => Array.from({ length: count }, () => randomVector(random));
    const centres = vectors(50);
    // 5,000 vectors; half of that on the embedded database, which takes ten times as long to load them.
    const { embedded } = await testDatabaseUrls();
    const perCluster = embedded ? 50 : 100;
    const SIZE = centres.length * perCluster;
    const rare = await asUser(user, () =>
      database.run((tx) => insertClusters(tx, user, modelId, centres, vectors(perCluster)), {
        timeoutMs: 60_000,
      }),
    );
    const QUERIES = 25;
    let common = 0;
    for (let index = 0; index < QUERIES; index++) {
      const halfvec = encodeHalfvecText(near(centres[index % centres.length]!, randomVector(random)));
      const top = async (vectorCount: number) =>
        (
          await rank(user, {
            terms: 'x',
            mode: 'semantic',
            vector: { halfvec, model: UNCALIBRATED, modelId, vectorCount, hasGraph: false },
          })
        ).media
          .slice(0, 20)
          .map((media) => media.id);
      const exact = await top(1);
      const approximate = new Set(await top(SIZE));
      expect(exact).toHaveLength(20);
      common += exact.filter((id) => approximate.has(id)).length;
    }
    expect(common / (QUERIES * 20)).toBeGreaterThanOrEqual(0.995);

    // One file of 500 passes the filter; far from the query, a cut before the filter would have lost them all.
    expect(rare).toHaveLength(SIZE / 500);
    const ranking = await rank(user, {
      terms: 'x',
      mode: 'semantic',
      filter: { fileType: 'video' },
      vector: {
        halfvec: encodeHalfvecText(centres[7]!),
        model: UNCALIBRATED,
        modelId,
        vectorCount: SIZE,
        hasGraph: false,
      },
    });
    expect(ranking.plan).toBe('ann');
    expect(ranking.media.map((media) => media.id).sort()).toEqual([...rare].sort());
  }, 180_000);
});

/** Without a floor, so that random vectors are not cut by it. */
const UNCALIBRATED = { provider: 'test', name: 'random', version: 'v1', dimensions: 1536 };

describe('isolation', () => {
  it('answers 300 random searches of five users with own files only, and counts do not move', async () => {
    const random = randomSource(5);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
    const words = ['beach', 'dog', 'invoice', 'mountain', 'birthday', 'train'];
    const users = await Promise.all(Array.from({ length: 5 }, () => createUser(database)));
    const owned = new Map<string, Set<string>>();
    const fill = async (userId: string, count: number): Promise<void> => {
      const ids = owned.get(userId) ?? new Set<string>();
      owned.set(userId, ids);
      await asUser(userId, async () => {
        for (let index = 0; index < count; index++) {
          const text = `${pick(words)} ${pick(words)} canary`;
          const vector = await embedText(text);
          await database.run(async (tx) => {
            const id = await insertMedia(tx, userId, {
              title: `${text} canary${userId.slice(-6)}`,
              tags: [pick(words)],
              labels: [{ name: pick(words), confidence: 0.9 }],
            });
            await insertEmbeddings(tx, userId, modelId, [{ mediaFileId: id, vector }]);
            ids.add(id);
          });
        }
      });
    };
    for (const user of users) await fill(user.id, 12);
    const counts: number[] = [];
    const searchAll = async (): Promise<number> => {
      let foreign = 0;
      const source = randomSource(99);
      const choose = <T>(values: readonly T[]): T => values[Math.floor(source() * values.length)]!;
      for (let index = 0; index < 300; index++) {
        const user = choose(users).id;
        const terms = choose([...words, 'canary', `canary${choose(users).id.slice(-6)}`]);
        const ranking = await rank(user, {
          terms,
          mode: choose(['hybrid', 'semantic', 'text'] as const),
          filter: choose([{}, { tags: { any: [choose(words)] } }, { labels: [{ name: choose(words) }] }]),
          vector: {
            halfvec: await embedText(terms),
            model: embedder.model,
            modelId,
            vectorCount: choose([1, 9999]),
            hasGraph: false,
          },
        });
        foreign += ranking.media.filter((media) => !owned.get(user)!.has(media.id)).length;
        counts.push(ranking.media.length);
      }
      return foreign;
    };
    expect(await searchAll()).toBe(0);
    const before = counts.splice(0);
    expect(before.some((count) => count > 0)).toBe(true);
    const { id: stranger } = await createUser(database);
    await fill(stranger, 30);
    expect(await searchAll()).toBe(0);
    expect(counts).toEqual(before);
  }, 180_000);

  it('the restriction alone already names the owner', () => {
    for (const filter of [{}, { fileType: 'image' as const }]) {
      expect(restrictionOf('00000000-0000-7000-8000-000000000001', filter).with.text).toMatch(
        /user_id = \$1::uuid/,
      );
    }
  });
});
