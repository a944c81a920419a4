import { jest } from '@jest/globals';
import type pg from 'pg';
import { ProviderError, type PricedUsage } from '../../src/infrastructure/ai/ai.types.js';
import { PageReader } from '../../src/modules/search/page-reader.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import { activeModel } from '../integration/search-fixtures.js';
import { addEmbedded } from './embedded-media.js';

/** A search is charged and recorded in the transaction that finds: all of it holds, or none of it. */
let app: TestApp;
let superuser: pg.Client;
let modelId: number;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  superuser = await connectAsSuperuser();
  modelId = await activeModel(app.database);
}, 120_000);
afterAll(async () => {
  await superuser.end();
  await app.stop();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const search = (session: Session, body: object) =>
  app.http.post('/v1/search').set(session.headers).send(body);

/** What the user's searches have left behind: taken from the month, rows of history, calls in the ledger. */
async function leftBy({ id }: Session): Promise<{ charged: number; recorded: number; calls: number }> {
  const { rows } = await superuser.query<{ charged: number; recorded: number; calls: number }>(
    `SELECT u.searches_this_month AS charged,
       (SELECT count(*)::int FROM search_history h WHERE h.user_id = u.id) AS recorded,
       (SELECT count(*)::int FROM cost_tracking c WHERE c.user_id = u.id) AS calls
     FROM users u WHERE u.id = $1`,
    [id],
  );
  return rows[0]!;
}

async function createSailor(): Promise<Session> {
  const session = await app.createSession();
  await addEmbedded(app.database, modelId, session, { title: 'sailboat on the sea' });
  return session;
}

describe('a search that fails when its page is read', () => {
  const failures: Record<string, PageReader['read']> = {
    'in the database': async (tx) => {
      await tx.$queryRaw`SELECT 1 / 0`;
      return [];
    },
    'before it asks': () => Promise.reject(new Error('no')),
  };
  it.each(Object.keys(failures))(
    'is not charged nor recorded, and its call is booked: %s',
    async (failure) => {
      const session = await createSailor();
      const reading = jest
        .spyOn(app.nest.get(PageReader, { strict: false }), 'read')
        .mockImplementation(failures[failure]!);
      const failed = await search(session, { query: 'sailboat' });
      expect([failed.status, failed.body.code]).toEqual([500, 'internal-error']);
      expect(reading).toHaveBeenCalled();
      expect(await leftBy(session)).toEqual({ charged: 0, recorded: 0, calls: 1 });
      jest.restoreAllMocks();
      expect((await search(session, { query: 'sailboat' })).body.total).toBe(1);
      expect(await leftBy(session)).toEqual({ charged: 1, recorded: 1, calls: 2 });
    },
  );
});

it('charges a search once whose typing error was corrected, and books both calls', async () => {
  const session = await createSailor();
  const { body } = await search(session, { query: 'sailbaot' });
  expect(body).toMatchObject({ total: 1, correction: { query: 'sailboat' } });
  expect(await leftBy(session)).toEqual({ charged: 1, recorded: 1, calls: 2 });
});

it('charges a search once whose correction was not found together either', async () => {
  const session = await createSailor();
  await addEmbedded(app.database, modelId, session, { title: 'granite mountain' });
  const { body } = await search(session, { query: 'sailbaot granite', mode: 'text' });
  expect(body.correction).toBeUndefined();
  expect(await leftBy(session)).toMatchObject({ charged: 1, recorded: 1 });
});

it('moves a billing period on that has run out, and charges the search to the new one', async () => {
  const session = await createSailor();
  await superuser.query(
    `UPDATE users SET searches_this_month = 50, billing_period_start = now() - interval '40 days',
       billing_period_end = now() - interval '10 days' WHERE id = $1`,
    [session.id],
  );
  expect((await search(session, { query: 'sailboat' })).body.total).toBe(1);
  expect(await leftBy(session)).toEqual({ charged: 1, recorded: 1, calls: 1 });
});

it('books the call of a search that the month has no room for, and nothing else', async () => {
  const session = await createSailor();
  await superuser.query('UPDATE users SET searches_this_month = 50 WHERE id = $1', [session.id]);
  const refused = await search(session, { query: 'sailboat' });
  expect([refused.status, refused.body.code]).toEqual([402, 'quota-exceeded']);
  expect(await leftBy(session)).toEqual({ charged: 50, recorded: 0, calls: 1 });
});

describe('with a provider that costs money', () => {
  const usage: PricedUsage = {
    service: 'openai_embeddings',
    operation: 'embed_text',
    model: 'm',
    billingUnit: 'per_token',
    units: 100,
    amount: '0.00002',
    currency: 'USD',
  };

  /** Makes the local provider a paid one. @returns the texts that it was asked for */
  function payFor(answer?: (texts: string[]) => Promise<Float32Array[]>): string[] {
    const asked: string[] = [];
    const { textEmbedder } = app.runtime.ai;
    const embed = textEmbedder.embed.bind(textEmbedder);
    jest.spyOn(textEmbedder, 'estimate').mockReturnValue(usage);
    jest.spyOn(textEmbedder, 'embed').mockImplementation(async (texts, signal) => {
      asked.push(...texts);
      return { vectors: answer ? await answer(texts) : (await embed(texts, signal)).vectors, usage };
    });
    return asked;
  }

  it('asks it for nothing when the month has no search left, and books nothing', async () => {
    const session = await createSailor();
    const asked = payFor();
    await superuser.query('UPDATE users SET searches_this_month = 49 WHERE id = $1', [session.id]);
    expect((await search(session, { query: 'sailboat' })).status).toBe(200);
    const refused = await search(session, { query: 'sailing on the sea' });
    expect([refused.status, refused.body.code, refused.body.quota]).toEqual([
      402,
      'quota-exceeded',
      'searches',
    ]);
    expect(asked).toEqual(['sailboat']);
    expect(await leftBy(session)).toEqual({ charged: 50, recorded: 1, calls: 1 });
  });

  it('goes on with the pages of a search that was the last of the month', async () => {
    const session = await createSailor();
    await addEmbedded(app.database, modelId, session, { title: 'another sailboat' });
    payFor();
    await superuser.query('UPDATE users SET searches_this_month = 49 WHERE id = $1', [session.id]);
    const first = await search(session, { query: 'sailboat', limit: 1 });
    const second = await search(session, { query: 'sailboat', limit: 1, cursor: first.body.nextCursor });
    expect([second.status, second.body.items.length]).toEqual([200, 1]);
    expect(await leftBy(session)).toEqual({ charged: 50, recorded: 1, calls: 2 });
  });

  it('answers what was typed when the corrected query cannot be embedded', async () => {
    const session = await createSailor();
    const nowhere = new Float32Array(1536);
    nowhere[0] = 1;
    const asked = payFor(async ([text]) => {
      if (text === 'sailboat') throw new ProviderError('provider-unavailable', 'down', true, 'Wait.');
      return [nowhere];
    });
    const { status, body } = await search(session, { query: 'sailbaot', mode: 'semantic' });
    expect(asked).toEqual(['sailbaot', 'sailboat']);
    expect([status, body.total, body.correction]).toEqual([200, 0, undefined]);
    expect(await leftBy(session)).toEqual({ charged: 1, recorded: 1, calls: 1 });
  });

  it('is not asked to explain a file that is not there, and is booked for one that is', async () => {
    const session = await createSailor();
    const { body: found } = await search(session, { query: 'sailboat' });
    const asked = payFor();
    const explain = (mediaId: string) =>
      app.http.get(`/v1/search/${found.searchId}/explain?mediaId=${mediaId}`).set(session.headers);
    expect((await explain('0190a1c4-0000-7000-8000-00000000abcd')).status).toBe(404);
    expect(asked).toEqual([]);
    expect((await explain(found.items[0].media.id)).status).toBe(200);
    expect(asked).toEqual(['sailboat']);
    expect(await leftBy(session)).toEqual({ charged: 1, recorded: 1, calls: 2 });
  });
});
