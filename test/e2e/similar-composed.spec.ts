import { jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { ComposedSimilarResponse } from '../../src/modules/search/dto/similar.response.js';
import { SimilarPageReader } from '../../src/modules/search/similar-page.reader.js';
import type { Session } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import { idsOf } from './embedded-media.js';
import { useLibrary } from './use-library.js';

const library = useLibrary();
const { add, newUser, searchesUsed, historyOf } = library;

const post = (session: Session, body: object) =>
  library.app.http.post('/v1/search/similar').set(session.headers).send(body);

async function compose(session: Session, body: object): Promise<ComposedSimilarResponse> {
  const response = await post(session, body);
  expect([response.status, response.body]).toEqual([200, expect.anything()]);
  return response.body as ComposedSimilarResponse;
}

describe('POST /v1/search/similar', () => {
  /** A small album: the same things by day and by night. */
  async function album(session: Session) {
    return {
      day: await add(session, { title: 'city street with cars in bright sunshine' }),
      night: await add(session, { title: 'city street with cars at night in the dark' }),
      sky: await add(session, { title: 'night sky with the moon and stars in the dark' }),
      dog: await add(session, { title: 'dog playing in the garden' }),
      hidden: await add(session, { title: 'city at night, private', isPrivate: true }),
    };
  }

  it('finds "this, but at night", without this', async () => {
    const session = await newUser();
    const { day, night } = await album(session);
    const body = { include: [{ mediaFileId: day }, { text: 'at night, dark' }] };
    const found = await compose(session, body);
    expect(idsOf(found.items)[0]).toBe(night);
    expect(idsOf(found.items)).not.toContain(day);
    expect(found).toMatchObject({
      plan: 'exact',
      model: 'local-hash-embedding',
      searchId: expect.any(String),
    });
    // By day alone nothing says night, by night alone nothing says street: both parts carry it.
    const [first] = found.items;
    expect(first!.parts).toEqual([
      { part: '/include/0', similarity: expect.any(Number) },
      { part: '/include/1', similarity: expect.any(Number) },
    ]);
    expect(Math.min(...first!.parts.map(({ similarity }) => similarity))).toBeGreaterThan(0.12);
    expect(await searchesUsed(session)).toBe(1);
  });

  it('explains each score by its parts, which add up', async () => {
    const session = await newUser();
    const { day, dog } = await album(session);
    const found = await compose(session, {
      include: [
        { mediaFileId: day, weight: 2 },
        { text: 'night', weight: 3 },
      ],
      exclude: [{ mediaFileId: dog, weight: 0.5 }],
      limit: 100,
    });
    expect(found.items.length).toBeGreaterThan(1);
    const weights = [2, 3, -0.5];
    // Score = weighted sum / length of the target, the same length for all.
    const lengths = found.items.map(
      ({ score, parts }) =>
        parts.reduce((sum, part, index) => sum + weights[index]! * part.similarity, 0) / score,
    );
    for (const length of lengths) expect(length / lengths[0]!).toBeCloseTo(1, 1);
    expect(found.items.map(({ parts }) => parts.map(({ part }) => part))[0]).toEqual([
      '/include/0',
      '/include/1',
      '/exclude/0',
    ]);
  });

  it('moves towards a part as its weight is raised', async () => {
    const session = await newUser();
    const { day, night, sky } = await album(session);
    const words = 'night sky stars';
    const means: number[] = [];
    const firsts: string[] = [];
    for (const weight of [0.1, 0.5, 1, 2, 10]) {
      const { items } = await compose(session, {
        include: [{ mediaFileId: day }, { text: words, weight }],
        limit: 1,
      });
      firsts.push(idsOf(items)[0]!);
      means.push(items[0]!.parts[1]!.similarity);
    }
    expect(firsts[0]).toBe(night);
    expect(firsts.at(-1)).toBe(sky);
    expect(means).toEqual([...means].sort((a, b) => a - b));
  });

  it('moves away from what is excluded', async () => {
    const session = await newUser();
    const { day, night, sky } = await album(session);
    const plain = await compose(session, { include: [{ text: 'night in the dark' }] });
    const without = await compose(session, {
      include: [{ text: 'night in the dark' }],
      exclude: [{ mediaFileId: day }],
    });
    expect(idsOf(plain.items)).toEqual(expect.arrayContaining([night, sky]));
    expect(idsOf(without.items)).toContain(sky);
    const placeOf = (found: ComposedSimilarResponse, id: string): number => {
      const place = idsOf(found.items).indexOf(id);
      return place < 0 ? Infinity : place;
    };
    expect(placeOf(without, sky)).toBeLessThan(placeOf(without, night));
  });

  it('is free of charge with files alone, and filtered', async () => {
    const session = await newUser();
    const { day, night, hidden } = await album(session);
    const found = await compose(session, { include: [{ mediaFileId: day }] });
    expect(idsOf(found.items)[0]).toBe(night);
    expect(await searchesUsed(session)).toBe(0);
    expect(idsOf(found.items)).not.toContain(hidden);
    const all = await compose(session, { include: [{ mediaFileId: day }], includePrivate: true });
    expect(idsOf(all.items)).toContain(hidden);
    const filtered = await compose(session, {
      include: [{ mediaFileId: day }],
      filter: { fileType: 'video' },
    });
    expect(filtered.items).toEqual([]);
    // A private file that is named is used, as GET similar uses it.
    expect(idsOf((await compose(session, { include: [{ mediaFileId: hidden }] })).items)).toContain(night);
  });

  it('tells copies of what is wanted apart: they are not what "but at night" asks for', async () => {
    const session = await newUser();
    const title = 'city street with cars in bright sunshine';
    const day = await add(session, { title, perceptualHash: '0f0f0f0f0f0f0f0f' });
    const copy = await add(session, { title, perceptualHash: '0f0f0f0f0f0f0f1f' });
    const hidden = await add(session, { title, perceptualHash: '0f0f0f0f0f0f0f0f', isPrivate: true });
    const night = await add(session, { title: 'city street at night', perceptualHash: '33330f0f0f0fcccc' });
    await add(await newUser(), { title, perceptualHash: '0f0f0f0f0f0f0f0f' });
    const body = { include: [{ mediaFileId: day }, { text: 'night' }] };
    const found = await compose(session, body);
    expect(found.nearDuplicates).toMatchObject([{ media: { id: copy }, hashDistance: 1 }]);
    expect(idsOf(found.items)).toEqual([night]);
    const all = await compose(session, { ...body, includePrivate: true });
    expect(idsOf(all.nearDuplicates)).toEqual([hidden, copy]);
    const filtered = await compose(session, { ...body, filter: { fileType: 'video' } });
    expect([filtered.nearDuplicates, filtered.items]).toEqual([[], []]);
  });

  it('stands in the history, can be clicked, and is not suggested', async () => {
    const session = await newUser();
    const { day, night, dog } = await album(session);
    const { searchId, items } = await compose(session, {
      include: [{ mediaFileId: day }, { text: 'zebra at night', weight: 2 }],
      exclude: [{ mediaFileId: dog }, { text: 'rain' }],
    });
    const [record] = await historyOf(session);
    expect(record).toMatchObject({
      id: searchId,
      query: '+ (file) + zebra at night - (file) - rain',
      mode: 'semantic',
      filters: { kind: 'composed', include: [{ mediaFileId: day }, { text: 'zebra at night', weight: 2 }] },
      shownCount: items.length,
    });
    await library.app.http
      .post(`/v1/searches/${searchId}/clicks`)
      .set(session.headers)
      .send({ mediaFileId: night })
      .expect(200);
    const suggest = async (q: string) =>
      (await library.app.http.get('/v1/search/suggestions').query({ q }).set(session.headers).expect(200))
        .body.items;
    expect(await suggest('+')).toEqual([]);
    expect(await suggest('zebra')).toEqual([]);
  });

  it('A4: answers for a foreign file, one in the trash and an unknown one alike, with a pointer', async () => {
    const [session, other] = [await newUser(), await newUser()];
    const foreign = await add(other, { title: 'city at night' });
    const trashed = await add(session, { title: 'city at night', deletedAt: new Date() });
    const answers = [];
    for (const mediaFileId of [foreign, trashed, uuidv7()]) {
      for (const body of [
        { include: [{ text: 'city' }, { mediaFileId }] },
        { include: [{ text: 'city' }, { text: 'sea' }], exclude: [{ mediaFileId }] },
      ]) {
        const { status, body: problem } = await post(session, body);
        const { requestId: _id, ...rest } = problem as Record<string, unknown>;
        answers.push({ status, ...rest });
      }
    }
    expect(answers[0]).toMatchObject({
      status: 404,
      code: 'not-found',
      errors: [{ pointer: '/include/1/mediaFileId' }],
    });
    expect(answers[1]).toMatchObject({ status: 404, errors: [{ pointer: '/exclude/0/mediaFileId' }] });
    expect(answers[2]).toEqual(answers[0]);
    expect(answers[4]).toEqual(answers[0]);
    expect(answers[3]).toEqual(answers[1]);
    expect(answers[5]).toEqual(answers[1]);
    expect(await searchesUsed(session)).toBe(0);
    const mine = await compose(session, { include: [{ text: 'city at night' }] });
    expect(mine.items).toEqual([]);
  });

  it('says that a file has no vector yet, and that parts cancel each other out; neither is charged', async () => {
    const session = await newUser();
    const pending = await add(session, { title: 'pending' }, '');
    const ready = await add(session, { title: 'a dog on the beach' });
    const early = await post(session, { include: [{ mediaFileId: pending }, { text: 'night' }] });
    expect([early.status, early.body.code, early.body.errors[0].pointer]).toEqual([
      409,
      'not-embedded',
      '/include/0/mediaFileId',
    ]);
    for (const body of [
      { include: [{ mediaFileId: ready }], exclude: [{ mediaFileId: ready }] },
      { include: [{ text: 'night' }], exclude: [{ text: 'night' }] },
      // Embedded from the same words, but rounded to half precision when it was stored.
      { include: [{ text: 'a dog on the beach' }], exclude: [{ mediaFileId: ready }] },
    ]) {
      const { status, body: problem } = await post(session, body);
      expect([status, problem.code]).toEqual([400, 'parts-cancel-out']);
    }
    expect(await searchesUsed(session)).toBe(0);
  });

  it.each([
    ['no part', { include: [] }, '/include'],
    ['nothing at all', {}, '/include'],
    ['a part of nothing', { include: [{}] }, '/include/0'],
    ['both in one part', { include: [{ text: 'a', mediaFileId: uuidv7() }] }, '/include/0'],
    ['null for a part', { include: [null] }, '/include'],
    ['a weight of 0', { include: [{ text: 'a', weight: 0 }] }, '/include/0/weight'],
    ['a negative weight', { include: [{ text: 'a', weight: -1 }] }, '/include/0/weight'],
    ['a weight above 10', { include: [{ text: 'a', weight: 10.5 }] }, '/include/0/weight'],
    ['a weight in words', { include: [{ text: 'a', weight: '1' }] }, '/include/0/weight'],
    ['nine parts', { include: Array.from({ length: 9 }, () => ({ text: 'a' })) }, '/include'],
    [
      'nine parts in both lists',
      {
        include: Array.from({ length: 5 }, () => ({ text: 'a' })),
        exclude: Array.from({ length: 4 }, () => ({ text: 'b' })),
      },
      '/exclude',
    ],
    ['a blank text', { include: [{ text: '  ' }] }, '/include/0/text'],
    ['a control character', { include: [{ text: 'a\u0000' }] }, '/include/0/text'],
    ['no UUID', { include: [{ mediaFileId: "'; DROP TABLE users; --" }] }, '/include/0/mediaFileId'],
    ['an unknown field', { include: [{ text: 'a', vector: [1] }] }, '/include/0/vector'],
    ['a limit of 0', { include: [{ text: 'a' }], limit: 0 }, '/limit'],
    [
      'a filter that is none',
      { include: [{ text: 'a' }], filter: { fileType: 'sound' } },
      '/filter/fileType',
    ],
  ])('refuses %s', async (_what, body, pointer) => {
    const session = await newUser();
    const response = await post(session, body);
    expect(response.status).toBe(400);
    expect(response.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });

  it('belongs to plans with advanced search, and stops when the searches are used up', async () => {
    const free = await library.app.createSession();
    const refused = await post(free, { include: [{ text: 'a' }] });
    expect([refused.status, refused.body.code, refused.body.feature]).toEqual([
      403,
      'feature-not-in-plan',
      'advanced_search',
    ]);
    const premium = await library.app.createSession({ subscriptionTier: 'premium' });
    const superuser = await connectAsSuperuser();
    await superuser.query('UPDATE users SET searches_this_month = 500 WHERE id = $1', [premium.id]);
    await superuser.end();
    const spent = await post(premium, { include: [{ text: 'a dog' }] });
    expect([spent.status, spent.body.code, spent.body.quota]).toEqual([402, 'quota-exceeded', 'searches']);
  });

  it('a search that fails is neither charged nor recorded', async () => {
    const session = await newUser();
    await album(session);
    const spy = jest
      .spyOn(library.app.nest.get(SimilarPageReader), 'read')
      .mockRejectedValueOnce(new Error('down'));
    expect((await post(session, { include: [{ text: 'a dog' }] })).status).toBe(500);
    spy.mockRestore();
    expect([await searchesUsed(session), await historyOf(session)]).toEqual([0, []]);
    await compose(session, { include: [{ text: 'a dog' }] });
    expect([await searchesUsed(session), (await historyOf(session)).length]).toEqual([1, 1]);
  });

  it('goes on in the next billing period', async () => {
    const session = await library.app.createSession({ subscriptionTier: 'premium' });
    const superuser = await connectAsSuperuser();
    await superuser.query(
      `UPDATE users SET searches_this_month = 500, billing_period_start = now() - interval '40 days',
         billing_anchor_at = now() - interval '40 days', billing_period_end = now() - interval '10 days' WHERE id = $1`,
      [session.id],
    );
    await superuser.end();
    await compose(session, { include: [{ text: 'a dog' }] });
    expect([await searchesUsed(session), (await historyOf(session)).length]).toEqual([1, 1]);
  });
});
