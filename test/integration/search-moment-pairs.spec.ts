import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';
import {
  MomentPairSearch,
  type PairQuery,
  type PairsFound,
} from '../../src/modules/search/moment-pair-search.js';
import { MOMENTS_PAIRED, type MediaPairs, type PairWindow } from '../../src/modules/search/moment-pairs.js';
import { SearchRepository } from '../../src/modules/search/search.repository.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';
import {
  activeModel,
  asUser,
  embedder,
  embedText,
  insertEmbeddings,
  insertMedia,
} from './search-fixtures.js';

const search = new MomentPairSearch(new SearchRepository());
let database: Database;
let modelId: number;

beforeAll(async () => {
  database = await connectTestDatabase();
  modelId = await activeModel(database);
});
afterAll(() => database.end());

interface VideoFixture {
  speech?: [start: number, text: string][];
  frames?: [start: number, description: string][];
}

/** A video of ten minutes; lines of speech last two seconds. */
const addVideo = (userId: string, { speech = [], frames = [] }: VideoFixture): Promise<string> =>
  asUser(userId, () =>
    database.run(async (tx) => {
      const mediaFileId = await insertMedia(tx, userId, {
        title: 'x',
        fileType: 'video',
        durationSeconds: 600,
        transcript: speech.map(([, text]) => text).join(' '),
        summary: frames.map(([, description]) => description).join(' '),
      });
      await tx.transcriptSegment.createMany({
        data: speech.map(([start, text]) => ({
          userId,
          id: uuidv7(),
          mediaFileId,
          startTimeSeconds: start,
          endTimeSeconds: start + 2,
          text,
          source: 'speech',
        })),
      });
      await tx.keyframe.createMany({
        data: frames.map(([start, description]) => ({
          userId,
          id: uuidv7(),
          mediaFileId,
          timestampSeconds: start,
          storageKey: `${mediaFileId}/${start}`,
          width: 16,
          height: 9,
          sizeBytes: 1n,
          description,
        })),
      });
      return mediaFileId;
    }),
  );

const words = (terms: string, mediaFileIds: string[], zones: PairQuery['zones'] = null): PairQuery => ({
  terms,
  mediaFileIds,
  zones,
  vector: null,
});

const findAll = (
  userId: string,
  first: PairQuery,
  second: PairQuery,
  window: PairWindow,
): Promise<PairsFound> =>
  asUser(userId, () => database.run((tx) => search.find(tx, userId, { first, second }, window)));

const find = async (...input: Parameters<typeof findAll>): Promise<MediaPairs[]> => {
  const { media, isCapped } = await findAll(...input);
  expect(isCapped).toBe(false);
  return media;
};

it('finds the video in which both are said within the window, once, and in the order asked', async () => {
  const { id: user } = await createUser(database);
  const near = await addVideo(user, {
    speech: [
      [10, 'here comes the walrus'],
      [18, 'and a penguin dives'],
      [100, 'the walrus again'],
      [115, 'a penguin far behind'],
      [300, 'the end'],
    ],
  });
  const far = await addVideo(user, {
    speech: [
      [10, 'here comes the walrus'],
      [310, 'and a penguin dives'],
    ],
  });
  const onlyOne = await addVideo(user, { speech: [[10, 'a walrus and nothing else']] });
  const all = [near, far, onlyOne];
  const pairs = async (withinSeconds: number, order: PairWindow['order'] = 'any') =>
    (await find(user, words('walrus', all), words('penguin', all), { withinSeconds, order })).map(
      ({ mediaFileId, pairs: windows }) => [
        mediaFileId,
        windows.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]),
      ],
    );
  expect(await pairs(10)).toEqual([[near, [[10, 20]]]]);
  expect(await pairs(20)).toEqual([
    [
      near,
      [
        [10, 20],
        [100, 117],
      ],
    ],
  ]);
  expect(await pairs(10, 'before')).toEqual([[near, [[10, 20]]]]);
  expect(await pairs(10, 'after')).toEqual([]);
  expect((await pairs(300)).map(([id]) => id)).toEqual([near, far]);
  // Seen from the other query, the order turns round.
  const turned = await find(user, words('penguin', all), words('walrus', all), {
    withinSeconds: 10,
    order: 'after',
  });
  expect(turned.map(({ mediaFileId }) => mediaFileId)).toEqual([near]);
  expect(turned[0]!.pairs[0]).toMatchObject({
    first: { startSeconds: 18, text: 'and a penguin dives' },
    second: { startSeconds: 10, text: 'here comes the walrus' },
  });
});

it('finds what is said once beside what is said all the time', async () => {
  const { id: user } = await createUser(database);
  const walrus = (count: number): [number, string][] =>
    Array.from({ length: count }, (_, index) => [index * 10, `walrus number ${index}`]);
  const often = await addVideo(user, { speech: [...walrus(60), [474, 'and a penguin dives']] });
  const window: PairWindow = { withinSeconds: 3, order: 'before' };
  const [hit] = await find(user, words('walrus', [often]), words('penguin', [often]), window);
  expect(hit!.pairs).toMatchObject([{ first: { startSeconds: 470 }, second: { startSeconds: 474 } }]);
  // Where more is said than is looked at, the answer says that it may not be all.
  const endless = await addVideo(user, { speech: [...walrus(MOMENTS_PAIRED), [5, 'a penguin']] });
  expect(await findAll(user, words('walrus', [endless]), words('penguin', [endless]), window)).toMatchObject({
    media: [{ mediaFileId: endless }],
    isCapped: true,
  });
});

it('pairs what is said with what is seen meanwhile, each in its own part', async () => {
  const { id: user } = await createUser(database);
  const video = await addVideo(user, {
    speech: [
      [42, 'happy birthday to you'],
      [200, 'look at the cake'],
    ],
    frames: [
      [0, 'an empty room'],
      [40, 'a cake with candles'],
      [60, 'an empty room'],
    ],
  });
  const window: PairWindow = { withinSeconds: 5, order: 'any' };
  const [hit] = await find(
    user,
    words('birthday', [video], ['speech']),
    words('cake', [video], ['visual']),
    window,
  );
  expect(hit).toMatchObject({
    mediaFileId: video,
    score: 1,
    pairs: [
      {
        startSeconds: 40,
        endSeconds: 60,
        first: { kind: 'speech' },
        second: { kind: 'visual', startSeconds: 40 },
      },
    ],
  });
  expect(
    await find(user, words('birthday', [video], ['speech']), words('cake', [video], ['speech']), window),
  ).toEqual([]);
});

it('pairs words with what is near in meaning', async () => {
  const { id: user } = await createUser(database);
  const video = await addVideo(user, { speech: [[30, 'the concert begins']] });
  await asUser(user, async () => {
    const vector = await embedText('guitar on a stage');
    await database.run((tx) =>
      insertEmbeddings(tx, user, modelId, [
        { mediaFileId: video, vector, segmentType: 'visual', start: 35, end: 50, text: 'guitar on a stage' },
      ]),
    );
  });
  const meaning: PairQuery = {
    terms: '',
    mediaFileIds: [video],
    zones: null,
    vector: { halfvec: await embedText('guitar on stage'), model: embedder.model, modelId },
  };
  const [hit] = await find(user, words('concert', [video]), meaning, { withinSeconds: 5, order: 'before' });
  expect(hit!.pairs).toHaveLength(1);
  expect(hit!.pairs[0]).toMatchObject({ startSeconds: 30, endSeconds: 50, second: { kind: 'visual' } });
  expect(hit!.score).toBeGreaterThan(0.5);
  expect(hit!.score).toBeLessThan(1);
});

it('looks only into files that both queries found, and never into another user’s', async () => {
  const { id: alice } = await createUser(database);
  const { id: bob } = await createUser(database);
  const speech: VideoFixture['speech'] = [[10, 'a walrus and a penguin']];
  const a = await addVideo(alice, { speech });
  const b = await addVideo(bob, { speech });
  const window: PairWindow = { withinSeconds: 5, order: 'any' };
  const ids = async (first: string[], second: string[]): Promise<string[]> =>
    (await find(alice, words('walrus', first), words('penguin', second), window)).map(
      (hit) => hit.mediaFileId,
    );
  expect(await ids([a], [a, b])).toEqual([a]);
  expect(await ids([a], [])).toEqual([]);
  expect(await ids([b], [b])).toEqual([]);
  expect(await ids([a, b, a], [b, a])).toEqual([a]);
});
