import type {
  ByImageResponse,
  ComposedSimilarResponse,
  SimilarResponse,
} from '../../src/modules/search/dto/similar.response.js';
import { sunsetOverSea } from '../../src/samples/scenes/sea-and-sky.js';
import type { Session } from '../harness/app.js';
import { draw } from './drawn-picture.js';
import { idsOf } from './embedded-media.js';
import { useLibrary } from './use-library.js';

/** Pages of what is like a file, a composition or a picture, while the library changes in between. */
const library = useLibrary();
const { add, newUser, toTrash, searchesUsed, historyOf } = library;

type Page = SimilarResponse | ComposedSimilarResponse | ByImageResponse;

/** Files whose titles share more or less with `start`. */
async function fill(session: Session, count: number, start = 'sunset over the sea'): Promise<string[]> {
  const words = ['boat', 'sky', 'water', 'beach', 'evening', 'clouds', 'gulls', 'harbour'];
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    ids.push(
      await add(session, {
        title: `${start} ${words.slice(0, 1 + (index % words.length)).join(' ')}`,
      }),
    );
  }
  return ids;
}

/** Walks to the last page; behind each one a file comes, and one that was shown goes. @returns what was shown, in order */
async function walk<Answer extends Page>(
  session: Session,
  ask: (cursor: string | null) => Promise<Answer>,
): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let cursor: string | null = null; pages.length < 40; cursor = pages.at(-1)!.nextCursor) {
    if (pages.length > 0 && cursor === null) return pages;
    const page = await ask(cursor);
    pages.push(page);
    await add(session, { title: `sunset over the sea, number ${pages.length}` });
    if (page.items.length > 0) await toTrash(session, page.items[0]!.media.id);
  }
  throw new Error('there is no end of pages');
}

const itemsOf = (pages: Page[]): string[] => pages.flatMap((page) => idsOf(page.items));

function expectWholeWalk(pages: Page[], files: string[]): void {
  const seen = itemsOf(pages);
  expect(new Set(seen).size).toBe(seen.length);
  expect(files.filter((id) => !seen.includes(id))).toEqual([]);
  expect(pages.slice(0, -1).every((page) => page.items.length === 4)).toBe(true);
}

describe('GET /v1/media/{id}/similar', () => {
  const get = (session: Session, id: string, query: Record<string, string | number>) =>
    library.app.http.get(`/v1/media/${id}/similar`).query(query).set(session.headers);

  it('walks all similar files, without a double or a gap, while files come and go', async () => {
    const session = await newUser();
    const source = await add(session, { title: 'sunset over the sea' });
    const files = await fill(session, 22);
    const pages = await walk(session, async (cursor) => {
      const { body } = await get(session, source, { limit: 4, ...(cursor ? { cursor } : {}) }).expect(200);
      return body as SimilarResponse;
    });
    expectWholeWalk(pages, files);
    expect(pages[0]).toMatchObject({ total: 22, totalIsCapped: false });
    expect(itemsOf(pages)).not.toContain(source);
    const scores = pages.flatMap((page) => page.items.map(({ score }) => score));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  }, 60_000);

  it('shows near duplicates apart on the first page, and those beyond the limit among the items', async () => {
    const session = await newUser();
    const perceptualHash = '0f0f0f0f0f0f0f0f';
    const source = await add(session, { title: 'sunset over the sea', perceptualHash });
    const copies: string[] = [];
    for (const title of ['one', 'two', 'three']) {
      copies.push(await add(session, { title: `sunset over the sea, copy ${title}`, perceptualHash }));
    }
    const other = await add(session, { title: 'sunset, clouds' });
    const first = (await get(session, source, { limit: 2 }).expect(200)).body as SimilarResponse;
    expect(first).toMatchObject({ nearDuplicatesTotal: 3, total: 2, nextCursor: null });
    expect(idsOf(first.nearDuplicates)).toEqual(copies.slice(0, 2));
    expect(idsOf(first.items)).toEqual([copies[2], other]);
    const small = (await get(session, source, { limit: 1 }).expect(200)).body as SimilarResponse;
    const next = await get(session, source, { limit: 5, cursor: small.nextCursor! }).expect(200);
    expect(next.body).toMatchObject({ nearDuplicates: [], nearDuplicatesTotal: 3, total: 3 });
    expect([...idsOf(small.items), ...idsOf((next.body as SimilarResponse).items)].sort()).toEqual(
      [copies[1], copies[2], other].sort(),
    );
  });

  it('refuses a cursor of another file, of another user and of another kind', async () => {
    const session = await newUser();
    const source = await add(session, { title: 'sunset over the sea' });
    const [other] = await fill(session, 3);
    const { body } = await get(session, source, { limit: 1 }).expect(200);
    const cursor = body.nextCursor as string;
    const stranger = await newUser();
    const theirs = await add(stranger, { title: 'sunset over the sea' });
    const refused = [
      await get(session, other!, { cursor }),
      await get(session, source, { cursor, includePrivate: 'true' }),
      await get(session, source, { cursor: `${cursor.slice(0, 30)}x${cursor.slice(30)}` }),
      await get(stranger, theirs, { cursor }),
    ];
    for (const { status, body: problem } of refused) {
      expect([status, problem.code, problem.errors]).toEqual([
        400,
        'invalid-cursor',
        [expect.objectContaining({ pointer: '?cursor' })],
      ]);
    }
  });
});

describe('POST /v1/search/similar', () => {
  const parts = { include: [{ text: 'sunset over the sea' }], limit: 4 };
  const post = (session: Session, body: object) =>
    library.app.http.post('/v1/search/similar').set(session.headers).send(body);

  it('walks the whole result, charged and recorded once; what further pages show may be clicked', async () => {
    const session = await newUser();
    const files = await fill(session, 18);
    const pages = await walk(session, async (cursor) => {
      const { body } = await post(session, { ...parts, ...(cursor ? { cursor } : {}) }).expect(200);
      return body as ComposedSimilarResponse;
    });
    expectWholeWalk(pages, files);
    expect(pages[0]).toMatchObject({ total: 18, totalIsCapped: false });
    expect(new Set(pages.map(({ searchId }) => searchId)).size).toBe(1);
    expect(pages[1]!.items[0]!.parts).toHaveLength(1);
    expect(await searchesUsed(session)).toBe(1);
    expect(await historyOf(session)).toMatchObject([{ shownCount: itemsOf(pages).length }]);
    await library.app.http
      .post(`/v1/searches/${pages[0]!.searchId}/clicks`)
      .set(session.headers)
      .send({ mediaFileId: pages[2]!.items[1]!.media.id })
      .expect(200);
  }, 60_000);

  it('gives a page again that got lost, whatever came in between', async () => {
    const session = await newUser();
    await fill(session, 9);
    const first = (await post(session, parts).expect(200)).body as ComposedSimilarResponse;
    const again = { ...parts, cursor: first.nextCursor };
    const lost = (await post(session, again).expect(200)).body as ComposedSimilarResponse;
    await add(session, { title: 'sunset over the sea' });
    const repeated = (await post(session, again).expect(200)).body as ComposedSimilarResponse;
    expect(idsOf(repeated.items)).toEqual(idsOf(lost.items));
  });

  it('refuses a cursor with other parts, and one of a search that was cleared, before anything is paid', async () => {
    const session = await newUser();
    await fill(session, 6);
    const { body } = await post(session, parts).expect(200);
    const cursor = body.nextCursor as string;
    const refused = [
      await post(session, { ...parts, include: [{ text: 'sunrise' }], cursor }),
      await post(session, { ...parts, includePrivate: true, cursor }),
      await post(await newUser(), { ...parts, cursor }),
    ];
    await library.app.http.delete('/v1/searches').set(session.headers).expect(200);
    refused.push(await post(session, { ...parts, cursor }));
    for (const { status, body: problem } of refused) {
      expect([status, problem.code]).toEqual([400, 'invalid-cursor']);
    }
  });
});

describe('POST /v1/search/by-image/next', () => {
  /** Some of what the local analyser says of the picture. */
  const SEEN = 'colorful sunset in purple, brown and orange';
  const first = async (session: Session, limit: number): Promise<ByImageResponse> => {
    const { body } = await library.app.http
      .post('/v1/search/by-image')
      .set(session.headers)
      .field('limit', String(limit))
      .attach('file', await draw(sunsetOverSea), 'sunset.jpg')
      .expect(200);
    return body as ByImageResponse;
  };
  const next = (session: Session, body: object) =>
    library.app.http.post('/v1/search/by-image/next').set(session.headers).send(body);

  it('walks the whole result without the picture, charged and recorded once', async () => {
    const session = await newUser();
    const files = await fill(session, 14, SEEN);
    const pages = await walk(session, async (cursor) =>
      cursor === null
        ? first(session, 4)
        : ((await next(session, { cursor, limit: 4 }).expect(200)).body as ByImageResponse),
    );
    expectWholeWalk(pages, files);
    expect(pages[0]).toMatchObject({ total: 14, totalIsCapped: false, nearDuplicates: [] });
    expect(await searchesUsed(session)).toBe(1);
    expect(await historyOf(session)).toMatchObject([{ shownCount: itemsOf(pages).length }]);
    await library.app.http
      .post(`/v1/searches/${pages[0]!.searchId}/clicks`)
      .set(session.headers)
      .send({ mediaFileId: pages[1]!.items[0]!.media.id })
      .expect(200);
  }, 60_000);

  it("refuses a cursor that is no cursor, somebody else's, or of a search that was cleared", async () => {
    const session = await newUser();
    await fill(session, 4, SEEN);
    const { nextCursor: cursor } = await first(session, 2);
    expect(cursor!.length).toBeLessThan(8_192);
    const stranger = await newUser();
    await fill(stranger, 4, SEEN);
    const refused = [
      await next(session, { cursor: 'nothing' }),
      await next(session, { cursor: `${cursor!.slice(0, -2)}xx` }),
      await next(stranger, { cursor }),
    ];
    await library.app.http.delete('/v1/searches').set(session.headers).expect(200);
    refused.push(await next(session, { cursor }));
    for (const { status, body } of refused) {
      expect([status, body.code]).toEqual([400, 'invalid-cursor']);
    }
    const missing = await next(session, { limit: 3 });
    expect([missing.status, missing.body.errors[0].pointer]).toEqual([400, '/cursor']);
  });
});
