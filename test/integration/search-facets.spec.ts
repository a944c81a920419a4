import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/infrastructure/database/database.js';
import { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { toFacets, type Facets } from '../../src/modules/search/facets.js';
import {
  DURATION_BUCKETS,
  FACETS,
  facetsQuery,
  SIZE_BUCKETS,
  type Bucket,
  type Facet,
  type FacetRow,
} from '../../src/modules/search/sql/facets.sql.js';
import { restrictionOf, type MediaFilter } from '../../src/modules/search/sql/restriction.sql.js';
import { createUser } from '../factories/users.js';
import { connectAsSuperuser, connectTestDatabase } from '../harness/database.js';
import { asUser, insertMedia, type MediaFixture } from './search-fixtures.js';

let database: Database;

beforeAll(async () => {
  database = await connectTestDatabase();
});
afterAll(() => database.end());

/** What the shared fixture does not know. */
interface FacetFixture extends MediaFixture {
  sizeBytes?: number;
  size?: [width: number, height: number];
  sentiment?: string;
  colors?: unknown;
}

const add = (userId: string, media: FacetFixture): Promise<string> =>
  asUser(userId, () =>
    database.run(async (tx) => {
      const id = await insertMedia(tx, userId, media);
      await tx.mediaFile.update({
        where: { userId_id: { userId, id } },
        data: {
          fileSizeBytes: BigInt(media.sizeBytes ?? 1000),
          width: media.size?.[0] ?? null,
          height: media.size?.[1] ?? null,
          sentiment: media.sentiment ?? null,
          dominantColors: (media.colors ?? []) as Prisma.InputJsonValue,
        },
      });
      return id;
    }),
  );

const idsSource = (ids: readonly string[]): Prisma.Sql =>
  Prisma.sql`SELECT unnest(${ids}::uuid[]) AS media_file_id`;

/** All files that a filter lets pass, as the search would list them; with a WITH of its own. */
function filterSource(userId: string, filter: MediaFilter): Prisma.Sql {
  const restriction = restrictionOf(userId, filter);
  return Prisma.sql`WITH ${restriction.with} every_file AS (SELECT id FROM media_files WHERE user_id = ${userId}::uuid)
    SELECT a.id AS media_file_id FROM every_file a WHERE true ${restriction.allows(Prisma.sql`a.id`)}`;
}

const count = (
  userId: string,
  source: Prisma.Sql,
  facets: readonly Facet[] = FACETS,
  perFacet = 20,
): Promise<Facets> =>
  asUser(userId, () =>
    database.run(async (tx) =>
      toFacets(facets, await tx.$queryRaw<FacetRow[]>(facetsQuery({ userId, facets, source, perFacet }))),
    ),
  );

// The same counts by other means: from what went in, value by value. ------------------------------------------------

const bucketOf = (buckets: readonly Bucket[], value: number | undefined): string[] =>
  value === undefined ? [] : [buckets.find(({ below }) => value < below)!.value];

const VALUES_OF: Record<Facet, (media: FacetFixture) => string[]> = {
  fileType: (media) => [media.fileType ?? 'image'],
  status: (media) => [media.status ?? 'completed'],
  year: (media) => [(media.takenAt ?? media.uploadedAt!).toISOString().slice(0, 4)],
  month: (media) => [(media.takenAt ?? media.uploadedAt!).toISOString().slice(0, 7)],
  tags: (media) => media.tags ?? [],
  categories: (media) => media.categories ?? [],
  labels: (media) => (media.labels ?? []).map((label) => label.name),
  colors: (media) => [...new Set(((media.colors ?? []) as { name: string }[]).map((color) => color.name))],
  orientation: ({ size }) =>
    size ? [size[0] === size[1] ? 'square' : size[0] > size[1] ? 'landscape' : 'portrait'] : [],
  sentiment: (media) => (media.sentiment ? [media.sentiment] : []),
  hasTranscript: (media) => [String((media.transcript ?? '') !== '')],
  hasText: (media) => [String((media.detectedText ?? []).length > 0)],
  durationBucket: (media) => bucketOf(DURATION_BUCKETS, media.durationSeconds),
  sizeBucket: (media) => bucketOf(SIZE_BUCKETS, media.sizeBytes ?? 1000),
};

function expectedFacets(library: readonly FacetFixture[], perFacet: number): Facets {
  const facets: Facets = {};
  for (const facet of FACETS) {
    const counts = new Map<string, number>();
    for (const media of library) {
      for (const value of VALUES_OF[facet](media)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const values = [...counts]
      .map(([value, files]) => ({ value, count: files }))
      .sort((a, b) => b.count - a.count || Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)));
    facets[facet] = {
      values: values.slice(0, perFacet),
      more: Math.max(0, values.length - perFacet),
    };
  }
  return facets;
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const some = (...names: string[]): fc.Arbitrary<string[]> => fc.subarray(names);
const time = fc
  .date({ min: new Date('2019-11-30T22:00:00Z'), max: new Date('2021-02-01T02:00:00Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));
const colorOf = (name: string): object => ({ name, hex: '#102030', share: 0.2 });
const media: fc.Arbitrary<FacetFixture> = fc.record({
  title: fc.constant('x'),
  fileType: fc.constantFrom('image' as const, 'video' as const),
  status: fc.constantFrom('completed', 'uploaded', 'failed'),
  tags: some('Sea', 'ice', 'Ärger', '_1', '😀', '２'),
  categories: some('nature', 'food', 'people'),
  labels: some('dog', 'cat', 'blue sky', '<b>', 'éclair').map((names) =>
    names.map((name) => ({ name, confidence: 0.1 })),
  ),
  // The same colour twice counts once.
  colors: fc.array(fc.constantFrom('blue', 'dark gray', 'red').map(colorOf), { maxLength: 4 }),
  size: maybe(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))),
  sentiment: maybe(fc.constantFrom('POSITIVE', 'MIXED')),
  transcript: maybe(fc.constantFrom('', 'hello')),
  detectedText: fc.constantFrom([], ['EXIT']),
  durationSeconds: maybe(fc.constantFrom(0, 14.999, 15, 59.999, 60, 299, 300, 1200, 3599.999, 3600, 90_000)),
  sizeBytes: fc.constantFrom(1, 999_999, 1_000_000, 9_999_999, 1e7, 1e8, 999_999_999, 1e9, 5e12),
  uploadedAt: time,
  takenAt: maybe(time),
});

it('counts as an independent count does, over any part of any library', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ media, isFound: fc.boolean() }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 6 }),
      async (library, perFacet) => {
        const { id: user } = await createUser(database);
        const found: string[] = [];
        for (const file of library) {
          const id = await add(user, file.media);
          if (file.isFound) found.push(id);
        }
        const fixtures = library.filter((file) => file.isFound).map((file) => file.media);
        // Twice in the source, once in the count.
        expect(await count(user, idsSource([...found, ...found]), FACETS, perFacet)).toEqual(
          expectedFacets(fixtures, perFacet),
        );
      },
    ),
    { numRuns: 8 },
  );
});

it('follows every later change of a file, its tags and its categories', async () => {
  const { id: user } = await createUser(database);
  const labels = [{ name: 'dog', confidence: 1 }];
  const ids = [
    await add(user, { title: 'x', tags: ['Sea', 'ice'], labels, takenAt: new Date('2020-05-31T23:00:00Z') }),
    await add(user, { title: 'x', tags: ['Sea'], categories: ['food'], colors: [colorOf('blue')] }),
  ];
  await asUser(user, () =>
    database.run(async (tx) => {
      await tx.tag.updateMany({ where: { userId: user, name: 'Sea' }, data: { name: 'Ocean' } });
      await tx.tag.deleteMany({ where: { userId: user, name: 'ice' } });
      await tx.mediaCategory.deleteMany({ where: { userId: user } });
      await tx.mediaFile.updateMany({
        where: { userId: user },
        data: {
          ...{ status: 'archived', fileSizeBytes: 5_000_000n, width: 2, height: 3, sentiment: 'MIXED' },
          ...{ durationSeconds: 60, transcriptionText: 'hello', detectedText: ['EXIT'] },
          ...{ takenAt: new Date('2021-01-01T00:00:00Z') },
          detectedLabels: [{ name: 'cat', confidence: 1, kind: 'object' }],
          dominantColors: [colorOf('red'), colorOf('gray')] as Prisma.InputJsonValue,
        },
      });
    }),
  );
  const both = (...values: string[]) => ({ values: values.map((value) => ({ value, count: 2 })), more: 0 });
  expect(await count(user, idsSource(ids))).toEqual({
    ...{ fileType: both('image'), status: both('archived'), year: both('2021'), month: both('2021-01') },
    ...{ tags: both('Ocean'), categories: both(), labels: both('cat'), colors: both('gray', 'red') },
    ...{ orientation: both('portrait'), sentiment: both('MIXED'), hasTranscript: both('true') },
    ...{ hasText: both('true'), durationBucket: both('1-5min'), sizeBucket: both('1-10MB') },
  });
});

it('cuts no facet silently', async () => {
  const { id: user } = await createUser(database);
  const labels = Array.from({ length: 25 }, (_, index) => ({ name: `label ${index}`, confidence: 1 }));
  const ids = [
    await add(user, { title: 'x', labels }),
    await add(user, { title: 'x', labels: labels.slice(20) }),
  ];
  const { labels: facet } = await count(user, idsSource(ids), ['labels']);
  expect(facet!.values).toHaveLength(20);
  expect(facet!.values.slice(0, 5).map(({ count: files }) => files)).toEqual([2, 2, 2, 2, 2]);
  expect(facet!.more).toBe(5);
});

it('spells a category as its owner does, and counts a file once that is in theirs and in the built-in one', async () => {
  const { id: user } = await createUser(database);
  const both = await add(user, { title: 'x', categories: ['nature'] });
  const builtIn = await add(user, { title: 'x', categories: ['nature', 'food'] });
  await asUser(user, () =>
    database.run(async (tx) => {
      const id = randomUUID();
      await tx.category.create({ data: { id, userId: user, name: 'NATURE' } });
      await tx.mediaCategory.create({ data: { userId: user, mediaFileId: both, categoryId: id } });
    }),
  );
  const { categories } = await count(user, idsSource([both, builtIn]), ['categories']);
  expect(categories!.values).toEqual([
    { value: 'NATURE', count: 2 },
    { value: 'food', count: 1 },
  ]);
});

it('counts the trash and private files only where the source gives them', async () => {
  const { id: user } = await createUser(database);
  const open = await add(user, { title: 'x', tags: ['open'] });
  const hidden = await add(user, { title: 'x', tags: ['private'], isPrivate: true });
  const deleted = await add(user, { title: 'x', tags: ['deleted'], deletedAt: new Date() });
  const tags = async (source: Prisma.Sql): Promise<string[]> =>
    (await count(user, source, ['tags'])).tags!.values.map(({ value }) => value);
  expect(await tags(filterSource(user, {}))).toEqual(['open']);
  expect(await tags(filterSource(user, { includePrivate: true }))).toEqual(['open', 'private']);
  expect(await tags(filterSource(user, { isPrivate: true }))).toEqual(['private']);
  expect(await tags(filterSource(user, { tags: { any: ['OPEN'] } }))).toEqual(['open']);
  expect(await tags(idsSource([open, hidden, deleted]))).toEqual(['deleted', 'open', 'private']);
});

it('leaves a colour of an unexpected shape out', async () => {
  const { id: user } = await createUser(database);
  const ids: string[] = [];
  for (const colors of [
    { name: 'blue' },
    'blue',
    [['blue']],
    [{ name: 7 }, { name: null }, {}, { name: '' }],
    null,
  ]) {
    ids.push(await add(user, { title: 'x', colors }));
  }
  ids.push(await add(user, { title: 'x', colors: [null, colorOf('blue')] }));
  const { colors: facet } = await count(user, idsSource(ids), ['colors']);
  expect(facet).toEqual({ values: [{ value: 'blue', count: 2 }], more: 0 });
});

it('A3: another user’s files never count, whatever they hold and whoever names their ids', async () => {
  const { id: alice } = await createUser(database);
  const { id: bob } = await createUser(database);
  const fixture: FacetFixture = {
    title: 'x',
    tags: ['Sea', 'ice'],
    categories: ['nature'],
    labels: [{ name: 'dog', confidence: 0.9 }],
    colors: [colorOf('blue')],
    size: [3, 2],
    sentiment: 'POSITIVE',
    transcript: 'hello',
    uploadedAt: new Date('2026-01-01T00:00:00Z'),
    durationSeconds: 20,
  };
  await add(alice, fixture);
  await add(alice, { ...fixture, tags: ['Sea'], labels: [{ name: 'cat', confidence: 0.9 }] });
  const answer = async (): Promise<string> => JSON.stringify(await count(alice, filterSource(alice, {})));
  const before = await answer();
  expect(before).toContain('{"value":"Sea","count":2}');

  const bobs: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    bobs.push(await add(bob, { ...fixture, tags: ['Sea', `b${index}`], categories: ['nature', 'food'] }));
  }
  // 10,000 files with two labels each. As superuser without triggers: loading them as a user takes half a minute.
  const admin = await connectAsSuperuser();
  await admin.query('BEGIN');
  await admin.query('SET LOCAL session_replication_role = replica');
  await admin.query(
    `INSERT INTO media_files (user_id, id, filename, original_filename, title, file_type, mime_type,
       file_size_bytes, file_hash, storage_provider, s3_bucket, s3_key, status, width, height, detected_labels)
     SELECT $1::uuid, gen_random_uuid(), 'f', 'f.jpg', 't', 'image', 'image/jpeg', 1, lpad(to_hex(n), 64, '0'),
       'local', 'b', $1 || '/' || n, 'completed', 4, 3, '[{"name": "dog"}, {"name": "cat"}]'
     FROM generate_series(1, 10000) n`,
    [bob],
  );
  await admin.query(
    `INSERT INTO media_facets SELECT f.* FROM media_files m CROSS JOIN LATERAL facets_of(m) f
     WHERE m.user_id = $1::uuid ON CONFLICT DO NOTHING`,
    [bob],
  );
  await admin.query('COMMIT');
  await admin.end();
  expect(await answer()).toBe(before);
  // Even a source that gives foreign ids counts none of them.
  expect(JSON.stringify(await count(alice, idsSource(bobs)))).toBe(JSON.stringify(toFacets(FACETS, [])));
  const own = await count(bob, filterSource(bob, {}), ['labels']);
  expect(own.labels!.values).toEqual([
    { value: 'dog', count: 10_005 },
    { value: 'cat', count: 10_000 },
  ]);
});
