import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { sqlStateOf } from '../../src/infrastructure/database/sql-state.js';
import { MaintenanceService } from '../../src/modules/operations/maintenance.service.js';
import { addRow } from '../factories/rows.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser, ownDatabaseUrls } from '../harness/database.js';

/** On a database of its own, because the administrators' report counts everybody's searches. */
let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  await untilMidnightIsFar();
  const urls = await ownDatabaseUrls('search_reports');
  app = await startTestApp({}, { jobs: false, databaseUrl: urls.runtimeUrl });
  superuser = await connectAsSuperuser(urls.adminUrl);
}, 240_000);
afterAll(async () => {
  await superuser.end();
  await app.stop();
});

/** The reports are by days of UTC: what is written before midnight would be looked at in the windows of the next day. */
async function untilMidnightIsFar(): Promise<void> {
  const day = 86_400_000;
  const left = day - (Date.now() % day);
  if (left < 60_000) await sleep(left);
}

interface PastSearch {
  query: string;
  mode?: string;
  results: number;
  shown?: number;
  /** Places of the clicks, from 1. */
  clicks?: number[];
  ms: number;
  cacheHit?: boolean;
  /** SQL for when it was. */
  at: string;
}

async function addSearch(userId: string, search: PastSearch): Promise<string> {
  const shown: string[] = [];
  for (let index = 0; index < (search.shown ?? 0); index++) {
    shown.push(String((await addRow(superuser, 'media_files', userId))['id']));
  }
  const clicks = search.clicks ?? [];
  const id = uuidv7();
  await superuser.query(
    `INSERT INTO search_history (user_id, id, query_text, mode, results_count, shown_results, clicked_results,
       click_through_rate, response_time_ms, cache_hit, ip_address, user_agent, filters, searched_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '192.0.2.1', 'browser', '{"filter":{"fileType":"image"}}', ${search.at})`,
    [
      ...[userId, id, search.query, search.mode ?? 'hybrid', search.results, shown],
      clicks.map((place) => shown[place - 1]),
      shown.length === 0 ? null : clicks.length / shown.length,
      ...[search.ms, search.cacheHit ?? false],
    ],
  );
  for (const place of clicks) {
    await superuser.query(
      `INSERT INTO search_clicks (user_id, search_id, searched_at, media_file_id, position)
       SELECT user_id, id, searched_at, $3, $4 FROM search_history WHERE user_id = $1 AND id = $2`,
      [userId, id, shown[place - 1], place],
    );
  }
  return id;
}

const secondsAgo = (seconds: number): string => `now() - interval '${seconds} seconds'`;
const daysAgo = (days: number): string => `now() - interval '${days} days'`;
/** The first moment of a window of seven days. */
const WINDOW_START = `((now() AT TIME ZONE 'UTC')::date - 6)::timestamp AT TIME ZONE 'UTC'`;

async function report(session: Session, path: string, days: number) {
  const { status, body } = await app.http.get(`${path}?days=${days}`).set(session.headers);
  expect(status).toBe(200);
  return body;
}

describe('001-59, C70: figures that were worked out by hand', () => {
  let alice: Session;
  beforeAll(async () => {
    alice = await app.createSession();
    const searches: PastSearch[] = [
      { query: 'Dog', results: 10, shown: 4, clicks: [1, 3], ms: 10, at: secondsAgo(70) },
      { query: 'dog', results: 10, shown: 4, clicks: [2], ms: 20, at: secondsAgo(60) },
      { query: 'DOG', mode: 'text', results: 0, ms: 30, at: secondsAgo(50) },
      { query: 'unicorn', mode: 'text', results: 0, ms: 40, at: secondsAgo(40) },
      { query: 'white  unicorn', mode: 'semantic', results: 0, ms: 50, at: secondsAgo(30) },
      { query: 'White unicorn', mode: 'semantic', results: 0, ms: 60, at: secondsAgo(20) },
      { query: 'cat', results: 5, shown: 5, ms: 100, cacheHit: true, at: WINDOW_START },
      { query: 'too old', results: 0, ms: 9999, at: `${WINDOW_START} - interval '1 millisecond'` },
    ];
    for (const search of searches) await addSearch(alice.id, search);
    const bob = await app.createSession();
    await addSearch(bob.id, {
      query: 'secret',
      mode: 'semantic',
      results: 0,
      ms: 200,
      at: secondsAgo(10),
    });
  });

  it('of one user', async () => {
    const body = await report(alice, '/v1/searches/analytics', 7);
    expect(body.totals).toEqual({
      searchCount: 7,
      zeroResultCount: 4,
      zeroResultRate: expect.closeTo(4 / 7, 10),
      cacheHitCount: 1,
      clickCount: 3,
      clickedSearchCount: 2,
      // Two of the three that showed something.
      clickedSearchRate: expect.closeTo(2 / 3, 10),
      // (2/4 + 1/4 + 0/5) / 3
      averageClickThroughRate: 0.25,
      // (1 + 3 + 2) / 3
      meanClickPosition: 2,
      // (1/1 + 1/2) / 2
      meanReciprocalRank: 0.75,
      responseTimeP50Ms: 40,
      // 10 20 30 40 50 60 100: place 0.95 * 6 = 5.7 -> 60 + 0.7 * 40
      responseTimeP95Ms: expect.closeTo(88, 10),
    });
    const mode = (name: string, searchCount: number, zeroResultCount: number, p50: number, p95: number) => ({
      mode: name,
      ...{ searchCount, zeroResultCount, responseTimeP50Ms: p50 },
      responseTimeP95Ms: expect.closeTo(p95, 10),
    });
    expect(body.modes).toEqual([
      mode('hybrid', 3, 0, 20, 92),
      mode('semantic', 2, 2, 55, 59.5),
      mode('text', 2, 2, 35, 39.5),
    ]);
    const lines = (queries: Record<string, unknown>[]): string[] =>
      queries.map(
        (q) => `${q['query']} ${q['searchCount']} ${q['zeroResultCount']} ${q['clickedSearchCount']}`,
      );
    expect(lines(body.busiestQueries)).toEqual([
      'dog 3 1 2',
      'white unicorn 2 2 0',
      'unicorn 1 1 0',
      'cat 1 0 0',
    ]);
    expect(lines(body.zeroResultQueries)).toEqual(['white unicorn 2 2 0', 'unicorn 1 1 0', 'dog 3 1 2']);
    expect(body.days).toHaveLength(7);
    expect(body.days[0]).toMatchObject({
      searchCount: 1,
      averageResponseTimeMs: 100,
      averageClickThroughRate: 0,
    });
    const counts = body.days.map((day: { searchCount: number }) => day.searchCount);
    expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(7);
  });

  it('of nobody: nulls and empty lists, no division by zero', async () => {
    const nobody = await app.createSession();
    const body = await report(nobody, '/v1/searches/analytics', 1);
    expect(body).toEqual({
      days: [expect.objectContaining({ searchCount: 0, averageResponseTimeMs: null })],
      totals: {
        ...{ searchCount: 0, zeroResultCount: 0, zeroResultRate: null, cacheHitCount: 0, clickCount: 0 },
        ...{ clickedSearchCount: 0, clickedSearchRate: null, averageClickThroughRate: null },
        ...{ meanClickPosition: null, meanReciprocalRank: null },
        ...{ responseTimeP50Ms: null, responseTimeP95Ms: null },
      },
      modes: [],
      busiestQueries: [],
      zeroResultQueries: [],
    });
    for (const days of ['0', '366', 'x', '1.5']) {
      const { status, body: problem } = await app.http
        .get(`/v1/searches/analytics?days=${days}`)
        .set(nobody.headers);
      expect([days, status, problem.code]).toEqual([days, 400, 'validation-failed']);
    }
  });

  it('C49, C60: of everybody, for administrators alone, without a word of what was searched for', async () => {
    const admin = await app.createSession({ role: 'ADMIN' });
    expect((await app.http.get('/v1/admin/searches/analytics').set(alice.headers)).status).toBe(403);
    const body = await report(admin, '/v1/admin/searches/analytics', 7);
    expect(body.totals).toMatchObject({
      userCount: 2,
      searchCount: 8,
      zeroResultCount: 5,
      zeroResultRate: 0.625,
      clickCount: 3,
      meanReciprocalRank: 0.75,
      responseTimeP50Ms: 45,
      // 10 20 30 40 50 60 100 200: place 0.95 * 7 = 6.65 -> 100 + 0.65 * 100
      responseTimeP95Ms: expect.closeTo(165, 10),
    });
    expect(body.modes.map((mode: { searchCount: number }) => mode.searchCount)).toEqual([3, 3, 2]);
    expect(Object.keys(body).sort()).toEqual(['days', 'modes', 'totals']);
    expect(JSON.stringify(body)).not.toMatch(/dog|unicorn|cat\b|secret/i);
    for (const column of ['query_text', 'filters', 'shown_results', 'ip_address']) {
      const refused = await app.database
        .runAs({ kind: 'admin', userId: admin.id }, (tx) =>
          column === 'query_text'
            ? tx.$queryRaw`SELECT query_text FROM search_history`
            : column === 'filters'
              ? tx.$queryRaw`SELECT filters FROM search_history`
              : column === 'shown_results'
                ? tx.$queryRaw`SELECT shown_results FROM search_history`
                : tx.$queryRaw`SELECT ip_address FROM search_history`,
        )
        .catch(sqlStateOf);
      expect([column, refused]).toEqual([column, '42501']);
    }
  });
});

describe('C49: retention', () => {
  it('takes what is personal out after 90 days, counts on for a year, and then forgets', async () => {
    const session = await app.createSession();
    const fresh = await addSearch(session.id, {
      query: 'wool',
      results: 1,
      shown: 1,
      ms: 1,
      at: daysAgo(89),
    });
    const old = await addSearch(session.id, {
      query: 'Wool',
      ...{ results: 2, shown: 2, clicks: [1], ms: 3, at: daysAgo(91) },
    });
    const lonely = await addSearch(session.id, { query: 'wool hat', results: 0, ms: 3, at: daysAgo(200) });
    const gone = await addSearch(session.id, {
      query: 'wool',
      ...{ results: 1, shown: 1, clicks: [1], ms: 1, at: daysAgo(367) },
    });
    for (const [hash, age] of [
      ['a'.repeat(64), 89],
      ['b'.repeat(64), 91],
    ] as const) {
      await addRow(superuser, 'search_query_vectors', session.id, { query_hash: hash });
      await superuser.query(
        `UPDATE search_query_vectors SET last_used_at = ${daysAgo(age)} WHERE user_id = $1 AND query_hash = $2`,
        [session.id, hash],
      );
    }
    const maintenance = app.nest.get(MaintenanceService);
    expect(await maintenance.run('search-history')).toBe(4);
    expect(await maintenance.run('search-history')).toBe(0);

    const { rows } = await superuser.query(
      `SELECT id, query_text, filters, ip_address, user_agent, cardinality(clicked_results) AS clicked,
         anonymized_at IS NOT NULL AS anonymized FROM search_history WHERE user_id = $1 ORDER BY searched_at DESC`,
      [session.id],
    );
    const bare = {
      query_text: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      ...{ filters: {}, ip_address: null, user_agent: null, anonymized: true },
    };
    expect(rows).toEqual([
      expect.objectContaining({ id: fresh, query_text: 'wool', user_agent: 'browser', anonymized: false }),
      { id: old, clicked: 1, ...bare },
      { id: lonely, clicked: 0, ...bare },
    ]);
    expect(rows.map(({ id }) => id)).not.toContain(gone);
    const kept = await superuser.query('SELECT query_hash FROM search_query_vectors WHERE user_id = $1', [
      session.id,
    ]);
    expect(kept.rows).toEqual([{ query_hash: 'a'.repeat(64) }]);

    // The reports go on counting: the old search under its query as long as a newer one still has the text.
    const body = await report(session, '/v1/searches/analytics', 365);
    expect(body.totals).toMatchObject({ searchCount: 3, clickCount: 1, zeroResultCount: 1 });
    expect(body.busiestQueries).toMatchObject([
      { query: 'wool', searchCount: 2, clickedSearchCount: 1 },
      { query: null, searchCount: 1 },
    ]);
    // And nothing else shows them.
    const { body: history } = await app.http.get('/v1/searches').set(session.headers);
    expect(history.items.map((item: { id: string }) => item.id)).toEqual([fresh]);
    for (const [typed, expected] of [
      ['wool', ['wool']],
      ['sha', []],
    ] as const) {
      const { body: suggestions } = await app.http
        .get(`/v1/search/suggestions?q=${typed}`)
        .set(session.headers);
      expect(suggestions.items.map((item: { text: string }) => item.text)).toEqual(expected);
    }
  });

  it('SEARCH_HISTORY_DAYS sets the time', async () => {
    const { SearchRetentionService } = await import('../../src/modules/search/search-retention.service.js');
    const session = await app.createSession();
    await addSearch(session.id, { query: 'a week', results: 0, ms: 1, at: daysAgo(8) });
    await addSearch(session.id, { query: 'a day', results: 0, ms: 1, at: daysAgo(1) });
    await addSearch(session.id, { query: 'two years', results: 0, ms: 1, at: daysAgo(700) });
    const texts = async (): Promise<string[]> =>
      (
        await superuser.query<{ text: string }>(
          `SELECT left(query_text, 7) AS text FROM search_history WHERE user_id = $1 ORDER BY searched_at`,
          [session.id],
        )
      ).rows.map(({ text }) => text);
    await new SearchRetentionService(app.database, { SEARCH_HISTORY_DAYS: 1000 }).run();
    expect(await texts()).toEqual(['two yea', 'a week', 'a day']);
    await new SearchRetentionService(app.database, { SEARCH_HISTORY_DAYS: 7 }).run();
    expect(await texts()).toEqual(['sha256:', 'a day']);
  });
});
