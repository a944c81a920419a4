import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { MaintenanceService } from '../../src/modules/operations/maintenance.service.js';
import { addRow, addUser, type Row } from '../factories/rows.js';
import { startTestApp, type TestApp } from '../harness/app.js';
import { connectAsSuperuser, ownDatabaseUrls } from '../harness/database.js';
import { dropMonthlyPartitions, months, monthsMade } from './monthly-partitions.js';

const DAY_MS = 86_400_000;
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

describe('the housekeeping, as the system that the application is (C23, C69)', () => {
  let app: TestApp;
  let superuser: pg.Client;
  let maintenance: MaintenanceService;
  let userId: string;
  beforeAll(async () => {
    const urls = await ownDatabaseUrls('maintenance');
    app = await startTestApp({}, { jobs: false, databaseUrl: urls.runtimeUrl });
    superuser = await connectAsSuperuser(urls.adminUrl);
    maintenance = app.nest.get(MaintenanceService, { strict: false });
  });
  afterAll(async () => {
    await superuser.end();
    await app.stop();
  });
  beforeEach(async () => {
    await superuser.query('DELETE FROM users');
    userId = await addUser(superuser);
  });

  const add = (table: string, columns: Row = {}): Promise<Row> => addRow(superuser, table, userId, columns);
  const valuesOf = async <T>(expression: string, table: string): Promise<T[]> =>
    (
      await superuser.query<{ value: T }>(
        `SELECT ${expression} AS value FROM ${table} WHERE ${table === 'users' ? 'id' : 'user_id'} = $1 ORDER BY 1`,
        [userId],
      )
    ).rows.map(({ value }) => value);
  /** Runs the task; a second run finds nothing left. */
  async function runTwice(name: string, changed: number): Promise<void> {
    expect([await maintenance.run(name), await maintenance.run(name)]).toEqual([changed, 0]);
  }

  /** Of every task: what was due is done, and what was not is left alone. */
  const CASES: Record<string, () => Promise<void>> = {
    'billing-periods': async () => {
      await superuser.query('UPDATE users SET uploads_this_month = 3 WHERE id = $1', [userId]);
      const start = daysAgo(40);
      const due = await addUser(superuser, {
        ...{ billing_anchor_at: start, billing_period_start: start, billing_period_end: daysAgo(9) },
        ...{ uploads_this_month: 7, searches_this_month: 8 },
      });
      await runTwice('billing-periods', 1);
      const { rows } = await superuser.query(
        `SELECT uploads_this_month AS uploads, searches_this_month AS searches,
           billing_period_start <= now() AND now() < billing_period_end AS runs FROM users WHERE id = $1`,
        [due],
      );
      expect(rows).toEqual([{ uploads: 0, searches: 0, runs: true }]);
      expect(await valuesOf('uploads_this_month', 'users')).toEqual([3]);
    },
    'expired-sessions': async () => {
      await add('refresh_tokens', { expires_at: daysAgo(31) });
      await add('refresh_tokens', { revoked_at: daysAgo(31) });
      const kept = [
        await add('refresh_tokens'),
        await add('refresh_tokens', { expires_at: daysAgo(29) }),
        await add('refresh_tokens', { revoked_at: daysAgo(29) }),
      ];
      await runTwice('expired-sessions', 2);
      expect(await valuesOf('id', 'refresh_tokens')).toEqual(kept.map(({ id }) => id).sort());
    },
    'expired-idempotency-keys': async () => {
      await add('idempotency_keys', { key: 'old', created_at: daysAgo(2), expires_at: daysAgo(1) });
      await add('idempotency_keys', { key: 'new' });
      await runTwice('expired-idempotency-keys', 1);
      expect(await valuesOf('key', 'idempotency_keys')).toEqual(['new']);
    },
    'abandoned-uploads': async () => {
      await superuser.query('UPDATE users SET uploads_this_month = 2 WHERE id = $1', [userId]);
      const [billingPeriodStart] = await valuesOf<Date>('billing_period_start', 'users');
      const reservation = { billing_period_start: billingPeriodStart?.toISOString() };
      await add('upload_reservations', { ...reservation, expires_at: daysAgo(1) });
      const underWay = await add('upload_reservations', reservation);
      await runTwice('abandoned-uploads', 1);
      expect(await valuesOf('id', 'upload_reservations')).toEqual([underWay['id']]);
      expect(await valuesOf('uploads_this_month', 'users')).toEqual([1]);
    },
    trash: async () => {
      await add('media_files', { title: 'long gone', deleted_at: daysAgo(31) });
      await add('media_files', { title: 'thrown away', deleted_at: daysAgo(29) });
      await add('media_files', { title: 'kept' });
      await runTwice('trash', 1);
      expect(await valuesOf('title', 'media_files')).toEqual(['kept', 'thrown away']);
    },
    'search-words': async () => {
      const { id } = await add('media_files', { title: 'walrus', original_filename: 'a.jpg' });
      await superuser.query(`UPDATE media_files SET title = 'seal' WHERE id = $1`, [id]);
      expect(await valuesOf('word', 'search_words')).toEqual(['jpg', 'seal', 'walrus']);
      await runTwice('search-words', 1);
      expect(await valuesOf('word', 'search_words')).toEqual(['jpg', 'seal']);
    },
    'search-history': async () => {
      await add('search_history', { query_text: 'dogs', searched_at: daysAgo(91) });
      await add('search_history', { query_text: 'cats', searched_at: daysAgo(89) });
      await runTwice('search-history', 1);
      expect(await valuesOf('query_text', 'search_history')).toEqual([
        'cats',
        expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      ]);
    },
    'search-partitions': async () => {
      await dropMonthlyPartitions(superuser);
      await runTwice('search-partitions', 13);
      expect(await monthsMade(superuser)).toEqual(months(0, 12));
    },
    'storage-counters': async () => {
      await add('media_files', { file_size_bytes: 1000, derivative_bytes: 20 });
      const right = await addUser(superuser);
      const untouched = `SELECT updated_at::text, xmin::text FROM users WHERE id = '${right}'`;
      const before = (await superuser.query(untouched)).rows;
      await superuser.query('UPDATE users SET storage_used_bytes = 5 WHERE id = $1', [userId]);
      await runTwice('storage-counters', 1);
      expect(await valuesOf('storage_used_bytes::int', 'users')).toEqual([1020]);
      expect((await superuser.query(untouched)).rows).toEqual(before);
    },
  };

  it('has a case here for every task', () => {
    expect(Object.keys(CASES).sort()).toEqual(maintenance.tasks.map(({ name }) => name).sort());
  });

  it.each(Object.entries(CASES))('%s', (_name, check) => check());

  it('names the tasks when it is asked for one that does not exist', async () => {
    await expect(maintenance.run('dust')).rejects.toThrow(
      /no task "dust".*billing-periods.*storage-counters/,
    );
  });
});
