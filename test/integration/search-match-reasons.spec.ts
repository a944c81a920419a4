import type { Database } from '../../src/infrastructure/database/database.js';
import type { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { matchReasons } from '../../src/modules/search/match-reasons.js';
import { matchedPartsQuery, type MatchedPartsRow } from '../../src/modules/search/sql/match-reasons.sql.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';
import { asUser, insertMedia, type MediaFixture } from './search-fixtures.js';

let database: Database;

beforeAll(async () => {
  database = await connectTestDatabase();
});
afterAll(() => database.end());

const add = (userId: string, media: MediaFixture, extra: Prisma.MediaFileUpdateInput = {}): Promise<string> =>
  asUser(userId, () =>
    database.run(async (tx) => {
      const id = await insertMedia(tx, userId, media);
      await tx.mediaFile.update({ where: { userId_id: { userId, id } }, data: extra });
      return id;
    }),
  );

const partsOf = (userId: string, terms: string, mediaFileIds: string[]): Promise<MatchedPartsRow[]> =>
  asUser(userId, () =>
    database.run((tx) => tx.$queryRaw<MatchedPartsRow[]>(matchedPartsQuery({ userId, mediaFileIds, terms }))),
  );

const reasonsOf = async (userId: string, terms: string, mediaFileId: string): Promise<string[]> =>
  matchReasons({
    parts: (await partsOf(userId, terms, [mediaFileId]))[0] ?? null,
    wordMoments: [],
    vectorMoments: [],
    isVectorHit: false,
  }).map((reason) => reason.text);

it('tells the single part and the single name that holds a word', async () => {
  const { id: user } = await createUser(database);
  const holiday = await add(user, {
    title: 'By the sea',
    originalFilename: 'DSC_walrusHouse-2024.jpg',
    tags: ['Walruses, big ones', 'holiday'],
    categories: ['nature'],
    labels: [
      { name: 'walrus', confidence: 0.9 },
      { name: 'ice', confidence: 0.8 },
    ],
    summary: 'Two animals on the ice.',
    detectedText: ['WALRUS', 'ISLAND'],
  });
  expect(await reasonsOf(user, 'walrus', holiday)).toEqual([
    'file name',
    'tag:Walruses, big ones',
    'label:walrus',
    'text in picture',
  ]);
  expect(await reasonsOf(user, 'sea nature', holiday)).toEqual(['title', 'category:nature']);
  expect(await reasonsOf(user, 'ice', holiday)).toEqual(['label:ice', 'summary']);
  expect(await reasonsOf(user, 'zebra', holiday)).toEqual([]);
  // No word at all in the query: nothing is found rather than everything.
  expect(await reasonsOf(user, 'the', holiday)).toEqual([]);
});

it('finds accents, the details of the file, and speech that has no lines', async () => {
  const { id: user } = await createUser(database);
  const file = await add(
    user,
    { title: 'x', fileType: 'video', transcript: 'a word of welcome', tags: ['Café'] },
    { exif: { cameraModel: 'Lumix GX80', lensModel: 7 } },
  );
  expect(await reasonsOf(user, 'cafe', file)).toEqual(['tag:Café']);
  expect(await reasonsOf(user, 'lumix', file)).toEqual(['file details']);
  expect(await reasonsOf(user, 'welcome', file)).toEqual(['speech']);
});

it('hands hostile names over as plain text, and survives labels of an unexpected shape', async () => {
  const { id: user } = await createUser(database);
  const hostile = await add(
    user,
    { title: '<b>walrus</b>', tags: ['<img src=x> walrus & "co"'] },
    { detectedLabels: [{ name: 'walrus\u0002<i>\u0003' }, { name: 7 }, { name: null }, {}] },
  );
  expect(await reasonsOf(user, 'walrus', hostile)).toEqual([
    'title',
    'tag:<img src=x> walrus & "co"',
    'label:walrus<i>',
  ]);
});

it('A1: says nothing of another user’s files', async () => {
  const { id: alice } = await createUser(database);
  const { id: bob } = await createUser(database);
  const hers = await add(alice, { title: 'walrus' });
  expect(await partsOf(bob, 'walrus', [hers])).toEqual([]);
  expect(await partsOf(alice, 'walrus', [hers])).toHaveLength(1);
});
