import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { addRow, addUser, type Row } from '../factories/rows.js';
import { connectAsSuperuser } from '../harness/database.js';

describe('the schema: users, plans, costs, history, audit', () => {
  let client: pg.Client;
  let userId: string;
  beforeAll(async () => {
    client = await connectAsSuperuser();
  });
  afterAll(() => client.end());
  beforeEach(async () => {
    await client.query('BEGIN');
    userId = await addUser(client);
  });
  afterEach(() => client.query('ROLLBACK'));

  const rowsOf = async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await client.query<T>(sql, values)).rows;
  async function refusal(attempt: () => Promise<unknown>): Promise<string | null> {
    await client.query('SAVEPOINT attempt');
    try {
      await attempt();
      await client.query('RELEASE attempt');
      return null;
    } catch (error) {
      await client.query('ROLLBACK TO attempt');
      return (error as { code: string }).code;
    }
  }

  it('C40: an address belongs to one user whatever its case, and is not judged by a narrow pattern', async () => {
    const add = (email: string) => (): Promise<unknown> => addUser(client, { email });
    expect(await refusal(add('Ada@Example.test'))).toBeNull();
    expect(await refusal(add('aDA@example.TEST'))).toBe('23505');
    expect(await refusal(add('user@münchen.example'))).toBeNull();
    for (const bad of [
      'no-at-sign',
      'two@@example.test',
      'white space@example.test',
      `${'a'.repeat(248)}@b.test`,
    ]) {
      expect(await refusal(add(bad))).toBe('23514');
    }
  });

  it.each<[string, Row]>([
    ['a role', { role: 'ROOT' }],
    ['a tier', { subscription_tier: 'gold' }],
    ['a subscription status', { subscription_status: 'paused' }],
    ['negative storage', { storage_used_bytes: -1 }],
    ['negative uploads', { uploads_this_month: -1 }],
    ['a negative quota', { storage_quota_bytes_override: -1 }],
    [
      'a period that ends before it starts',
      { billing_period_start: '2026-02-01', billing_period_end: '2026-01-01' },
    ],
  ])('001-05, 001-09, C10: refuses %s that does not exist', async (_name, columns) => {
    expect(await refusal(() => addUser(client, columns))).toBe('23514');
  });

  it('001-44 to 001-46, C07: the plans are exactly those of the document, -1 as NULL', async () => {
    const plans = await rowsOf(`
      SELECT tier_name, max_uploads_per_month AS uploads, max_searches_per_month AS searches, max_storage_bytes::text AS storage,
        max_file_size_bytes::text AS file, max_video_duration_seconds AS video, priority_level AS priority, features_enabled AS features,
        ai_features_enabled AS ai, max_monthly_cost::text AS cost, cost_alert_threshold::float8 AS alert, api_rate_limit AS api,
        upload_rate_limit AS upload, search_rate_limit AS search, support_level AS support
      FROM current_usage_limits ORDER BY priority_level DESC`);
    expect(plans).toEqual([
      {
        ...{
          tier_name: 'free',
          uploads: 10,
          searches: 50,
          storage: '5368709120',
          file: '104857600',
          video: 300,
          priority: 5,
        },
        ...{ features: ['basic_upload', 'basic_search'], ai: ['basic_analysis'], cost: '5.00', alert: 0.8 },
        ...{ api: 100, upload: 5, search: 50, support: 'community' },
      },
      {
        ...{
          tier_name: 'premium',
          uploads: 100,
          searches: 500,
          storage: '53687091200',
          file: '524288000',
          video: 1800,
          priority: 3,
        },
        features: ['advanced_upload', 'advanced_search', 'export', 'sharing'],
        ai: ['full_analysis', 'celebrity_detection', 'content_moderation'],
        ...{ cost: '50.00', alert: 0.8, api: 500, upload: 20, search: 200, support: 'email' },
      },
      {
        ...{
          tier_name: 'ultimate',
          uploads: null,
          searches: null,
          storage: '536870912000',
          file: '2147483648',
          video: 7200,
          priority: 1,
        },
        ...{
          features: ['all_features'],
          ai: ['all_ai_features', 'custom_models', 'api_access'],
          cost: '200.00',
          alert: 0.8,
        },
        ...{ api: 1000, upload: 50, search: 500, support: 'priority' },
      },
    ]);
    expect(await refusal(() => client.query('UPDATE usage_limits SET max_uploads_per_month = -1'))).toBe(
      '23514',
    );
  });

  it('C24: two ranges of one plan never overlap; the view gives the one in force', async () => {
    const add = (from: string, until: string | null) => (): Promise<unknown> =>
      client.query(
        `INSERT INTO usage_limits (tier_name, max_uploads_per_month, effective_from, effective_until) VALUES ('free', 7, $1, $2)`,
        [from, until],
      );
    expect(await refusal(add('2026-01-01', null))).toBe('23P01');
    expect(await refusal(add('2020-01-01', '2024-06-01'))).toBe('23P01');
    // Cut to the precision of the column: rounded up, the moment would lie ahead of this transaction's now().
    const moment = `date_trunc('milliseconds', now())`;
    await client.query(
      `UPDATE usage_limits SET effective_until = ${moment} WHERE tier_name = 'free' AND effective_until IS NULL`,
    );
    await client.query(
      `INSERT INTO usage_limits (tier_name, max_uploads_per_month, effective_from) VALUES ('free', 7, ${moment})`,
    );
    expect(
      await rowsOf(
        `SELECT max_uploads_per_month AS uploads FROM current_usage_limits WHERE tier_name = 'free'`,
      ),
    ).toEqual([{ uploads: 7 }]);
  });

  it('C16: three files and two costs of a dollar are three files and two dollars', async () => {
    for (let file = 0; file < 3; file += 1)
      await addRow(client, 'media_files', userId, { status: file ? 'completed' : 'uploaded' });
    // By the clock of the transaction, which is the view's: this process may be in the next month already.
    const [month = {}] = await rowsOf<Row>(
      `SELECT extract(month FROM now())::int AS billing_period_month, extract(year FROM now())::int AS billing_period_year`,
    );
    for (let cost = 0; cost < 2; cost += 1)
      await addRow(client, 'cost_tracking', userId, { amount: '1', ...month });
    const [row] = await rowsOf<Record<string, unknown>>(
      'SELECT * FROM user_dashboard_summary WHERE id = $1',
      [userId],
    );
    expect(row).toMatchObject({
      total_files: '3',
      processed_files: '2',
      current_month_cost: '2.0000000000',
      max_uploads_per_month: 10,
    });
  });

  it('C16: through the view a user sees the own row only', async () => {
    await addUser(client);
    await client.query(
      `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
      [userId],
    );
    expect(await rowsOf('SELECT id FROM user_dashboard_summary')).toEqual([{ id: userId }]);
    await client.query(`SELECT set_config('role', 'none', true)`);
  });

  it('C20, C21: the price of one token is kept to the last digit; services are rows', async () => {
    const row = await addRow(client, 'cost_tracking', userId, { amount: '0.00000012', service_name: 'gcs' });
    expect(
      await rowsOf('SELECT amount::text AS amount FROM cost_tracking WHERE id = $1', [row['id']]),
    ).toEqual([{ amount: '0.0000001200' }]);
    expect(await refusal(() => addRow(client, 'cost_tracking', userId, { service_name: 'unknown' }))).toBe(
      '23503',
    );
    for (const bad of [
      { amount: -1 },
      { currency: 'usd' },
      { billing_period_month: 13 },
      { billing_period_year: 1999 },
      { units_consumed: -1 },
    ]) {
      expect(await refusal(() => addRow(client, 'cost_tracking', userId, bad))).toBe('23514');
    }
    expect(
      await refusal(() => addRow(client, 'cost_tracking', userId, { billing_period_year: 2001 })),
    ).toBeNull();
  });

  describe('C23: billing periods', () => {
    /** The period after a run at this moment; times are those of the database, so the anchor is moved instead. */
    const period = async (): Promise<{ start: string; end: string; uploads: number }> =>
      (
        await rowsOf<{ start: string; end: string; uploads: number }>(
          `SELECT billing_period_start::text AS start, billing_period_end::text AS end, uploads_this_month AS uploads FROM users WHERE id = $1`,
          [userId],
        )
      )[0] as { start: string; end: string; uploads: number };
    const reset = async (): Promise<number> =>
      (await rowsOf<{ moved: number }>('SELECT reset_monthly_usage($1) AS moved', [userId]))[0]?.moved ?? -1;
    const anchor = (at: string, end: string): Promise<unknown> =>
      client.query(
        `UPDATE users SET billing_anchor_at = $2, billing_period_start = $2, billing_period_end = $3, uploads_this_month = 9 WHERE id = $1`,
        [userId, at, end],
      );
    beforeEach(() => client.query(`SET LOCAL timezone = 'UTC'`));

    it('a run that comes late loses no month and keeps the day: the 31st becomes the last day and comes back', async () => {
      await anchor('2024-01-31 10:00+00', '2024-02-29 10:00+00');
      expect(await reset()).toBe(1);
      const { start, end, uploads } = await period();
      expect(uploads).toBe(0);
      const [facts] = await rowsOf(
        `SELECT $1::timestamptz <= now() AND $2::timestamptz > now() AS covers_now,
          extract(day FROM $1::timestamptz) = least(31, extract(day FROM date_trunc('month', $1::timestamptz) + interval '1 month - 1 day')) AS start_day,
          extract(day FROM $2::timestamptz) = least(31, extract(day FROM date_trunc('month', $2::timestamptz) + interval '1 month - 1 day')) AS end_day`,
        [start, end],
      );
      expect(facts).toEqual({ covers_now: true, start_day: true, end_day: true });
      expect([start, end].every((time) => time.includes('10:00:00'))).toBe(true);
    });

    it.each(Array.from({ length: 31 }, (_, day) => day + 1))(
      'an anchor on day %d: the period holds now, and a second run does nothing',
      async (day) => {
        await anchor(`2025-03-${String(day).padStart(2, '0')} 23:59:59+00`, '2025-04-30 23:59:59+00');
        expect(await reset()).toBe(1);
        const { start, end } = await period();
        const [facts] = await rowsOf(
          `SELECT $1::timestamptz <= now() AND $2::timestamptz > now() AS holds_now,
          EXISTS (SELECT FROM generate_series(0, 600) n WHERE '2025-03-${day} 23:59:59+00'::timestamptz + make_interval(months => n) = $1::timestamptz
            AND '2025-03-${day} 23:59:59+00'::timestamptz + make_interval(months => n + 1) = $2::timestamptz) AS whole_months`,
          [start, end],
        );
        expect(facts).toEqual({ holds_now: true, whole_months: true });
        expect(await reset()).toBe(0);
      },
    );

    it('leaves a period alone that still runs', async () => {
      await client.query('UPDATE users SET uploads_this_month = 4 WHERE id = $1', [userId]);
      expect(await reset()).toBe(0);
      expect((await period()).uploads).toBe(4);
    });
  });

  it('C18: monthly partitions ahead, a default for the rest, made once, each behind its wall', async () => {
    const partitions = (): Promise<{ name: string; walled: boolean }[]> =>
      rowsOf(`SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS walled
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'search_history'::regclass`);
    // The database may have been migrated in an earlier month: the prepared folder is kept between runs.
    await rowsOf('SELECT create_search_history_partitions(12)');
    const before = await partitions();
    expect(before.length).toBeGreaterThanOrEqual(14);
    expect(before.every(({ walled }) => walled)).toBe(true);
    expect(await rowsOf('SELECT create_search_history_partitions(12) AS made')).toEqual([{ made: 0 }]);
    expect(await rowsOf('SELECT create_search_history_partitions(15) AS made')).toEqual([{ made: 3 }]);
    expect((await partitions()).every(({ walled }) => walled)).toBe(true);
    await addRow(client, 'search_history', userId);
    await addRow(client, 'search_history', userId, { searched_at: '2001-01-01' });
    const homes = await rowsOf<{ home: string }>(
      'SELECT tableoid::regclass::text AS home FROM search_history WHERE user_id = $1 ORDER BY searched_at',
      [userId],
    );
    expect(homes[0]?.home).toBe('search_history_default');
    expect(homes[1]?.home).toMatch(/^search_history_\d{4}_\d{2}$/);
  });

  it('C70: a click belongs to a search and a file of the user, once; the rate is a ratio', async () => {
    const click = await addRow(client, 'search_clicks', userId);
    const again = { search_id: click['search_id'], searched_at: click['searched_at'] };
    expect(
      await refusal(() =>
        addRow(client, 'search_clicks', userId, { ...again, media_file_id: click['media_file_id'] }),
      ),
    ).toBe('23505');
    expect(
      await refusal(() =>
        addRow(client, 'search_clicks', userId, { media_file_id: '00000000-0000-7000-8000-000000000000' }),
      ),
    ).toBe('23503');
    const foreign = await addRow(client, 'media_files', await addUser(client));
    expect(
      await refusal(() =>
        addRow(client, 'search_clicks', userId, { ...again, media_file_id: foreign['id'] }),
      ),
    ).toBe('23503');
    expect(await refusal(() => addRow(client, 'search_clicks', userId, { ...again, position: 0 }))).toBe(
      '23514',
    );
    for (const bad of [
      { click_through_rate: 1.5 },
      { results_count: -1 },
      { response_time_ms: -1 },
      { mode: 'fuzzy' },
      { sort_order: 'up' },
    ]) {
      expect(await refusal(() => addRow(client, 'search_history', userId, bad))).toBe('23514');
    }
  });

  it('001-48: an audit row names a target whole or not at all', async () => {
    expect(await refusal(() => addRow(client, 'audit_logs', userId, { target_type: 'media' }))).toBe('23514');
    expect(
      await refusal(() => addRow(client, 'audit_logs', userId, { target_type: 'media', target_id: userId })),
    ).toBeNull();
    expect(await refusal(() => addRow(client, 'audit_logs', userId, { event_category: 'other' }))).toBe(
      '23514',
    );
  });

  it('C58: erasing a user as the system keeps costs and audit without a name, and nothing else', async () => {
    const other = await addUser(client);
    const tables = [
      'analyses',
      'media_embeddings',
      'keyframes',
      'clips',
      'transcript_segments',
      'media_tags',
      'media_categories',
      'media_labels',
    ];
    const more = [
      'processing_jobs',
      'search_clicks',
      'api_keys',
      'auth_identities',
      'refresh_tokens',
      'idempotency_keys',
      'upload_reservations',
    ];
    for (const table of [...tables, ...more]) await addRow(client, table, userId);
    const job = await addRow(client, 'processing_jobs', userId);
    const cost = await addRow(client, 'cost_tracking', userId, {
      media_file_id: job['media_file_id'],
      processing_job_id: job['id'],
    });
    const audit = await addRow(client, 'audit_logs', userId);
    await addRow(client, 'media_tags', other);
    await client.query(
      `SELECT set_config('role', 'app_system', true), set_config('app.current_user_id', '', true)`,
    );
    expect((await client.query('DELETE FROM users WHERE id = $1', [userId])).rowCount).toBe(1);
    await client.query(`SELECT set_config('role', 'none', true)`);
    // The ids of file and job stay as a reference for the accounts; they are random and lead nowhere any more.
    const kept = await rowsOf('SELECT user_id, amount::text AS amount FROM cost_tracking WHERE id = $1', [
      cost['id'],
    ]);
    expect(kept).toEqual([{ user_id: null, amount: '0.5000000000' }]);
    expect(await rowsOf('SELECT user_id FROM audit_logs WHERE id = $1', [audit['id']])).toEqual([
      { user_id: null },
    ]);
    for (const table of ['media_files', 'tags', 'search_docs', 'search_history', ...tables, ...more]) {
      expect([table, await rowsOf(`SELECT 1 FROM ${table} WHERE user_id = $1`, [userId])]).toEqual([
        table,
        [],
      ]);
    }
    expect(await rowsOf('SELECT 1 AS kept FROM media_tags WHERE user_id = $1', [other])).toHaveLength(1);
  });

  it('C25b: updated_at moves with every change', async () => {
    await client.query(`UPDATE users SET updated_at = '2001-01-01', display_name = 'x' WHERE id = $1`, [
      userId,
    ]);
    expect(
      await rowsOf('SELECT updated_at = now()::timestamptz(3) AS moved FROM users WHERE id = $1', [userId]),
    ).toEqual([{ moved: true }]);
  });
});
