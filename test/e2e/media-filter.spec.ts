import type { Session, TestApp } from '../harness/app.js';
import { startTestApp } from '../harness/app.js';
import {
  activeModel,
  asUser,
  embedText,
  insertEmbeddings,
  insertMedia,
  type MediaFixture,
} from '../integration/search-fixtures.js';

let app: TestApp;
let modelId: number;
let session: Session;
let stranger: Session;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  modelId = await activeModel(app.database);
  session = await app.createSession({ subscriptionTier: 'ultimate' });
  stranger = await app.createSession();
  await add(session, {
    title: 'walrus one',
    tags: ['Sea'],
    categories: ['nature'],
    labels: [{ name: 'ice', confidence: 0.9 }],
  });
  await add(
    session,
    { title: 'walrus two', tags: ['zoo'], fileType: 'video', durationSeconds: 12.5, transcript: 'hello' },
    { size: [600, 800] },
  );
  await add(
    session,
    { title: 'walrus three', isPrivate: true, detectedText: ['EXIT'] },
    { customMetadata: { client: { name: 'Northwind', since: '2026-03-01' }, price: 12 } },
  );
  await add(stranger, { title: 'walrus four', tags: ['Sea', 'hidden'], categories: ['nature'] });
}, 120_000);
afterAll(() => app.stop());

async function add(
  owner: Session,
  media: MediaFixture,
  more: { size?: [number, number]; customMetadata?: object } = {},
): Promise<void> {
  const vector = await embedText(media.title);
  await asUser(owner.id, () =>
    app.database.run(async (tx) => {
      const id = await insertMedia(tx, owner.id, media);
      await insertEmbeddings(tx, owner.id, modelId, [{ mediaFileId: id, vector }]);
      const [width, height] = more.size ?? [800, 600];
      await tx.mediaFile.updateMany({
        where: { userId: owner.id, id },
        data: { width, height, customMetadata: more.customMetadata ?? {} },
      });
    }),
  );
}

const list = (query: string, who = session) => app.http.get(`/v1/media?${query}`).set(who.headers);
const filtered = (filter: unknown, who = session) =>
  list(`sort=title&order=asc&filter=${encodeURIComponent(JSON.stringify(filter))}`, who);
const search = (filter: unknown, mode = 'text') =>
  app.http.post('/v1/search').set(session.headers).send({ query: 'walrus', mode, filter });

const listedTitles = async (filter: unknown): Promise<string[]> => {
  const { body } = await filtered(filter).expect(200);
  return (body as { items: { title: string }[] }).items.map(({ title }) => title.replace('walrus ', ''));
};
const foundTitles = async (filter: unknown, mode?: string): Promise<string[]> => {
  const { body } = await search(filter, mode).expect(200);
  return (body as { items: { media: { title: string } }[] }).items
    .map(({ media }) => media.title.replace('walrus ', ''))
    .sort();
};

describe('one grammar', () => {
  it.each<[object, string[]]>([
    [{ tags: { any: ['SEA', 'zoo'] } }, ['one', 'two']],
    [{ or: [{ categories: ['Nature'] }, { orientation: 'portrait' }] }, ['one', 'two']],
    [{ includePrivate: true, not: { tags: { any: ['sea'] } } }, ['three', 'two']],
    [{ durationSeconds: { min: 12.5, max: 12.5 }, hasTranscript: true }, ['two']],
    [{ labels: [{ name: 'Ice', minConfidence: 0.91 }] }, []],
    [
      { isPrivate: true, hasText: true, customMetadata: { contains: { client: { name: 'Northwind' } } } },
      ['three'],
    ],
    [
      {
        includePrivate: true,
        customMetadata: { ranges: [{ path: ['client', 'since'], max: '2026-03-01' }] },
      },
      ['three'],
    ],
    [{ and: [{ or: [{ not: { isPrivate: false } }] }] }, ['three']],
    [{ tags: { any: ['hidden'] } }, []],
    [
      { status: ['completed'], fileType: 'image', width: { min: 1 }, sentiment: [], includePrivate: false },
      ['one'],
    ],
  ])('%j means the same in a list and in a search', async (filter, titles) => {
    expect(await listedTitles(filter)).toEqual([...titles].sort());
    expect(await foundTitles(filter)).toEqual([...titles].sort());
    expect(await foundTitles(filter, 'semantic')).toEqual([...titles].sort());
  });

  it('a list shows private files by default, a search does not', async () => {
    expect(await listedTitles({ fileType: 'image' })).toEqual(['one', 'three']);
    expect(await foundTitles({ fileType: 'image' })).toEqual(['one']);
    expect(await foundTitles({ fileType: 'image', includePrivate: true })).toEqual(['one', 'three']);
  });

  it('parameters and filter hold together, and a cursor belongs to its filter', async () => {
    const filter = encodeURIComponent('{"status":"completed"}');
    const first = await list(`limit=1&fileType=image&filter=${filter}`).expect(200);
    expect(first.body.items).toHaveLength(1);
    const cursor = first.body.nextCursor as string;
    const second = await list(`limit=1&fileType=image&filter=${filter}&cursor=${cursor}`).expect(200);
    expect(second.body.items).toHaveLength(1);
    expect(second.body.items[0].id).not.toBe(first.body.items[0].id);
    // The same filter, written in another way.
    const spelled = encodeURIComponent('{ "status": ["completed"], "fileType": null }');
    await list(`limit=1&fileType=image&filter=${spelled}&cursor=${cursor}`).expect(200);
    for (const other of ['', `&filter=${encodeURIComponent('{"status":"failed"}')}`]) {
      const { status, body } = await list(`limit=1&fileType=image${other}&cursor=${cursor}`);
      expect([status, body.code]).toEqual([400, 'invalid-cursor']);
    }
  });

  it('what a stranger’s file carries is no help to find it', async () => {
    const { body } = await filtered({ tags: { any: ['hidden'] } }, stranger).expect(200);
    expect(body.items).toHaveLength(1);
    expect(await listedTitles({ or: [{ tags: { any: ['hidden'] } }, { not: {} }] })).toEqual([]);
  });

  it('takes dates in the parameters of a list with a zone, without one, and alone', async () => {
    for (const time of ['2020-01-01', '2020-01-01T00:00:00', '2020-01-01T00:00:00Z']) {
      expect((await list(`uploadedFrom=${time}`).expect(200)).body.items).toHaveLength(3);
    }
    for (const time of ['2020-W01', '2020-02-30', '2020', 'now']) {
      const { status, body } = await list(`uploadedFrom=${time}`);
      expect([status, body.errors[0].pointer]).toEqual([400, '/uploadedFrom']);
    }
  });
});

describe('what is refused', () => {
  it.each<[unknown, string]>([
    [{ or: [{}, { tags: { any: ['\u0000'] } }] }, '/filter/or/1/tags/any/0'],
    [{ or: [{}, { tags: { any: ['\ud800'] } }] }, '/filter/or/1/tags/any/0'],
    [{ not: { not: { not: { not: {} } } } }, '/filter/not/not/not/not'],
    [{ and: [{ includePrivate: true }] }, '/filter/and/0/includePrivate'],
    [{ constructor: {} }, '/filter/constructor'],
    [{ tags: { every: ['x'] } }, '/filter/tags/every'],
    [{ customMetadata: { contains: { a: { b: '\u0000' } } } }, '/filter/customMetadata/contains/a/b'],
    [{ width: { min: 1e9, max: '1' } }, '/filter/width/max'],
    [{ fileSizeBytes: { min: 1e300 } }, '/filter/fileSizeBytes/min'],
    [{ colors: [{ name: "blue'--" }] }, '/filter/colors/0/name'],
    ['video', '/filter'],
    [['video'], '/filter'],
    [{ or: Array.from({ length: 101 }, () => ({})) }, '/filter/or'],
  ])('%j, in a list and in a search', async (filter, pointer) => {
    for (const { status, body, type } of [await filtered(filter), await search(filter)]) {
      expect([status, type, body.code]).toEqual([400, 'application/problem+json', 'validation-failed']);
      expect((body.errors as { pointer: string }[]).map((fault) => fault.pointer)).toEqual([pointer]);
    }
  });

  it('text in a URL that is no filter, and prototype keys in it', async () => {
    for (const text of ['', '{', 'null', '[]', '%00', `{"tags":{"any":["${'x'.repeat(8_000)}"]}}`]) {
      const { status, body } = await list(`filter=${text}`);
      expect([status, body.errors[0].pointer]).toEqual([400, '/filter']);
    }
    expect((await list('filter={}&filter={}')).body.errors[0].pointer).toBe('/filter');
    const { body } = await list(`filter=${encodeURIComponent('{"__proto__":{"isPrivate":true}}')}`);
    expect(body.errors[0].pointer).toBe('/filter/__proto__');
    const sent = await app.http
      .post('/v1/search')
      .set(session.headers)
      .type('json')
      .send('{"query":"walrus","filter":{"tags":{"__proto__":{}}}}');
    expect(sent.status).toBe(400);
    expect(sent.body.detail).toContain('__proto__');
  });

  it('nothing of what looks dangerous in a value', async () => {
    const hostile = ["'; DROP TABLE media_files; --", '$1', '%_', '\\', '{}', '$[*] ? (true)', '"'];
    for (const word of hostile) {
      expect(
        await foundTitles({
          or: [
            { tags: { any: [word], all: [word] } },
            { categories: [word] },
            { labels: [{ name: word }] },
            {
              customMetadata: {
                contains: { [word]: word },
                exists: [[word]],
                ranges: [{ path: [word], min: word }],
              },
            },
            { contentWarnings: { any: [word] } },
          ],
        }),
      ).toEqual([]);
    }
    expect(await listedTitles({})).toHaveLength(3);
  });
});
