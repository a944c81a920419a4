import fc from 'fast-check';
import { encodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { parseQuery } from '../../src/modules/search/query-text.js';
import { Ranker, type QueryVector, type RankInput } from '../../src/modules/search/ranker.js';
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
  type MediaFixture,
} from './search-fixtures.js';

/** Hybrid mode: enough of the words instead of all, phrases as demands, and no answer where nothing is sure. */
const ranker = new Ranker(new SearchRepository());
let database: Database;
let modelId: number;

beforeAll(async () => {
  database = await connectTestDatabase();
  modelId = await activeModel(database);
});
afterAll(() => database.end());

const rank = (userId: string, query: string, input: Partial<RankInput> = {}) =>
  asUser(userId, () =>
    database.run((tx) =>
      ranker.rank(tx, {
        userId,
        mode: 'hybrid',
        alpha: 0.5,
        ...parseQuery(query, { plainExclusions: true }),
        filter: {},
        zones: null,
        vector: null,
        ...input,
      }),
    ),
  );
const found = async (userId: string, query: string, input: Partial<RankInput> = {}) =>
  (await rank(userId, query, input)).media.map((media) => media.id);

const add = (userId: string, media: MediaFixture, embedded?: string) =>
  asUser(userId, () =>
    database.run(async (tx) => {
      const id = await insertMedia(tx, userId, media);
      const vector = embedded === undefined ? null : await embedText(embedded);
      if (vector) await insertEmbeddings(tx, userId, modelId, [{ mediaFileId: id, vector }]);
      return id;
    }),
  );
const vectorOf = async (text: string): Promise<QueryVector> => ({
  halfvec: await embedText(text),
  model: embedder.model,
  modelId,
  vectorCount: 1,
  hasGraph: false,
});

/** A vector in the plane of the first two dimensions. */
function direction(first: number, second: number): Float32Array {
  const vector = new Float32Array(1536);
  vector.set([first, second]);
  return vector;
}

/** Ten files that say "garden", so that it weighs little beside a word of one file. */
async function createGardener(): Promise<{ user: string; gardens: string[] }> {
  const { id: user } = await createUser(database);
  const gardens: string[] = [];
  for (let n = 0; n < 10; n++) gardens.push(await add(user, { title: `garden ${n}` }));
  return { user, gardens };
}

describe('enough of the words', () => {
  it('are the rare ones; files with all of them come first', async () => {
    const { user, gardens } = await createGardener();
    const heron = await add(user, { title: 'a heron' });
    const both = await add(user, { title: 'x', summary: 'The heron in our garden, and many other words.' });
    expect(await found(user, 'heron garden')).toEqual([both, heron]);
    expect((await found(user, 'heron garden', { mode: 'text' })).sort()).toEqual([both]);
    expect((await rank(user, 'heron garden')).fullMatches).toBe(1);
    expect((await rank(user, 'heron squirrel')).fullMatches).toBe(0);
    const lynx = await add(user, { title: 'a lynx' });
    // A word that nobody has weighs as much as one of a single file.
    expect(await found(user, 'lynx squirrel')).toEqual([lynx]);
    expect(await found(user, 'garden squirrel')).toEqual([]);
    expect((await found(user, 'garden')).sort()).toEqual([...gardens, both].sort());
    expect((await found(user, 'the heron of it')).sort()).toEqual([heron, both].sort());
    expect(await found(user, 'of the')).toEqual([]);
  });

  it('in the language of each file', async () => {
    const { user } = await createGardener();
    const german = await add(user, { title: 'Die Reiher im Schilf', language: 'de' });
    const english = await add(user, { title: 'herons and what they eat' });
    expect(await found(user, 'der Reiher und das Nest')).toEqual([german]);
    expect(await found(user, 'what does a heron nest on')).toEqual([english]);
    // Stop words of the query's language are none in German: they do not count as words that the file lacks.
    expect(await found(user, 'what does this Reiher')).toEqual([german]);
  });

  it('a quoted phrase is demanded of every hit, and an exclusion keeps out', async () => {
    const { user } = await createGardener();
    const phrase = await add(user, { title: 'tower bridge at night' }, 'tower bridge at night');
    const apart = await add(user, { title: 'the bridge and the tower' }, 'the bridge and the tower');
    const vector = await vectorOf('tower bridge');
    expect((await found(user, 'tower bridge', { vector })).sort()).toEqual([phrase, apart].sort());
    expect(await found(user, '"tower bridge"', { vector })).toEqual([phrase]);
    expect(await found(user, '"tower bridge" without night', { vector })).toEqual([]);
    expect(await found(user, 'tower bridge but not night', { vector })).toEqual([apart]);
    expect(await found(user, 'tower bridge -night')).toEqual([apart]);
    expect((await found(user, '"tower bridge" or apart', { vector })).sort()).toEqual([phrase, apart].sort());
  });

  it('what says the exclusion itself stays', async () => {
    const { id: user } = await createUser(database);
    const name = await add(user, { title: 'Doctors without Borders' });
    await add(user, { title: 'doctors at the borders' });
    expect(await found(user, 'doctors without borders')).toEqual([name]);
    expect(await found(user, 'doctors -borders')).toEqual([]);
  });

  it('a file by its name', async () => {
    const { id: user } = await createUser(database);
    const file = await add(user, { title: 'Cliffs', originalFilename: 'IMG_2231.jpg' });
    const other = await add(user, { title: 'x', originalFilename: 'IMG_2232.jpg' });
    const house = await add(user, { title: 'x', originalFilename: 'beachHouse.MP4' });
    for (const mode of ['text', 'hybrid'] as const) {
      expect(await found(user, 'IMG_2231.jpg', { mode })).toEqual([file]);
      expect(await found(user, 'img_2231.JPG', { mode })).toEqual([file]);
      expect(await found(user, 'IMG_2231', { mode })).toEqual([file]);
      expect(await found(user, 'beachHouse.MP4', { mode })).toEqual([house]);
      expect(await found(user, 'IMG -IMG_2231.jpg', { mode })).toEqual([other]);
    }
  });

  it('within the places asked', async () => {
    const { user } = await createGardener();
    const title = await add(user, { title: 'a heron', summary: 'in the garden' });
    const text = await add(user, { title: 'garden party', detectedText: ['heron'] });
    expect(await found(user, 'heron garden', { zones: ['title'] })).toEqual([title]);
    expect(await found(user, 'heron garden', { zones: ['text'] })).toEqual([text]);
    expect(await found(user, 'heron garden', { zones: ['visual'] })).toEqual([]);
    expect((await found(user, 'heron garden', { zones: ['title', 'visual', 'text'] })).sort()).toEqual(
      [title, text].sort(),
    );
  });

  it('no longer when plenty of files hold all the words', async () => {
    const { id: user } = await createUser(database);
    // Above 500 files the weights come from a sample, evenly spaced by the first 48 bits of the id. These lie mixed and
    // the same each time, so that "heron", the rarer word, is the rarer one of the sample too.
    const insert = (title: string, from: number, to: number) =>
      asUser(user, () =>
        database.run(
          (tx) => tx.$executeRaw`
            INSERT INTO media_files (user_id, id, filename, original_filename, title, file_type, mime_type,
              file_size_bytes, file_hash, storage_provider, s3_bucket, s3_key, status)
            SELECT ${user}::uuid, (lpad(to_hex(n * 557 % 1009), 12, '0') || substr(md5(${user}), 13))::uuid, 'f', 'f.jpg', ${title}, 'image', 'image/jpeg', 1,
              lpad(to_hex(n), 64, '0'), 'local', 'b', ${user} || '/' || n, 'completed'
            FROM generate_series(${from}::integer, ${to}::integer) n`,
        ),
      );
    await insert('heron garden', 1, 199);
    await insert('heron alone', 201, 500);
    await insert('a quiet garden', 501, 900);
    expect(await rank(user, 'heron garden')).toMatchObject({ fullMatches: 199, total: 499 });
    await insert('heron garden', 200, 200);
    expect(await rank(user, 'heron garden')).toMatchObject({ fullMatches: 200, total: 200 });
    expect(await rank(user, 'heron garden', { zones: ['title'] })).toMatchObject({
      fullMatches: 200,
      total: 500,
    });
    expect(await rank(user, 'heron squirrel')).toMatchObject({ fullMatches: 0, total: 0 });
  });
});

describe('nothing sure', () => {
  it('is no answer: neither enough of the words nor a file that is surely near', async () => {
    const { user } = await createGardener();
    const near = await add(user, { title: 'x' });
    const vector = { ...(await vectorOf('x')), halfvec: encodeHalfvecText(direction(1, 0)) };
    await asUser(user, () =>
      database.run((tx) =>
        insertEmbeddings(tx, user, modelId, [
          { mediaFileId: near, vector: encodeHalfvecText(direction(0.16, Math.sqrt(1 - 0.16 ** 2))) },
        ]),
      ),
    );
    const semantic = await rank(user, 'numismatics', { mode: 'semantic', vector });
    expect(semantic.media.map((media) => media.id)).toEqual([near]);
    expect(semantic.media[0]!.vectorSimilarity).toBeCloseTo(0.16, 3);
    expect(await rank(user, 'numismatics', { vector })).toMatchObject({
      media: [],
      total: 0,
      isUnsure: true,
    });
    const model = { ...embedder.model, name: 'uncalibrated' };
    expect(await found(user, 'numismatics', { vector: { ...vector, model, floor: 0.12 } })).toEqual([near]);
    // Words are sure, and then what is near comes along.
    const named = await add(user, { title: 'numismatics' });
    expect((await found(user, 'numismatics', { vector })).sort()).toEqual([near, named].sort());
    expect(await found(user, 'numismatics', { vector, zones: ['text', 'speech'] })).toEqual([]);
  });
});

it('alpha 0 is the order of text mode, alpha 1 that of semantic mode, whatever is asked', async () => {
  const { id: user } = await createUser(database);
  const words = ['heron', 'garden', 'tower', 'bridge', 'night', 'snow'];
  let seed = 0;
  for (let n = 0; n < 24; n++) {
    const text = words.filter((_, index) => ((seed = (seed * 31 + 7 + n) % 97) + index) % 3 === 0).join(' ');
    await add(user, { title: text === '' ? 'x' : text }, text === '' ? 'x' : text);
  }
  const token = fc.constantFrom(...words, '"tower bridge"', '-night', 'or', 'without', 'squirrel', 'the');
  await fc.assert(
    fc.asyncProperty(fc.array(token, { minLength: 1, maxLength: 5 }), async (tokens) => {
      const query = tokens.join(' ');
      const literal = parseQuery(query);
      const read = parseQuery(query, { plainExclusions: true });
      fc.pre(read.meaning !== '' && literal.meaning !== '');
      const vector = await vectorOf(read.meaning);
      expect(await found(user, query, { vector, alpha: 0, ...literal })).toEqual(
        await found(user, query, { mode: 'text', vector, ...literal }),
      );
      expect(await found(user, query, { vector, alpha: 1 })).toEqual(
        await found(user, query, { mode: 'semantic', vector }),
      );
      // What text mode finds, hybrid finds as well: it asks for less. (An exclusion holds for all alternatives of an `or`.)
      if (literal.excludedTerms !== null) return;
      const hybrid = new Set(await found(user, query, { vector, ...literal }));
      for (const id of await found(user, query, { mode: 'text', ...literal })) expect(hybrid).toContain(id);
    }),
    { numRuns: 40 },
  );
});

it('weighs and finds by the documents of the user alone', async () => {
  const { user: owner } = await createGardener();
  const { id: other } = await createUser(database);
  const before = await found(owner, 'heron garden');
  for (let n = 0; n < 5; n++) await add(other, { title: `heron garden ${n}` });
  expect(before).toEqual([]);
  expect(await found(owner, 'heron garden')).toEqual([]);
  expect(await found(other, 'garden 3')).toHaveLength(1);
});
