import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Database } from '../../src/infrastructure/database/database.js';
import { StorageCountersService } from '../../src/modules/billing/storage-counters.service.js';
import { addRow, addUser, type Row } from '../factories/rows.js';
import { connectAsSuperuser, connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
import { onServices } from '../harness/test-services.js';

describe('C25: what a user’s files take is set right where the counter went wrong', () => {
  let superuser: pg.Client;
  let database: Database;
  let counters: StorageCountersService;
  let userId: string;
  beforeAll(async () => {
    const urls = await ownDatabaseUrls('storage_counters');
    superuser = await connectAsSuperuser(urls.adminUrl);
    database = await connectTestDatabase({ url: urls.runtimeUrl });
    counters = new StorageCountersService(database);
  });
  afterAll(async () => {
    await superuser.end();
    await database.end();
  });
  beforeEach(async () => {
    await superuser.query('DELETE FROM users');
    userId = await addUser(superuser);
  });

  const addFile = (columns: Row = {}): Promise<Row> => addRow(superuser, 'media_files', userId, columns);
  const spoil = (bytes: number): Promise<unknown> =>
    superuser.query('UPDATE users SET storage_used_bytes = $2 WHERE id = $1', [userId, bytes]);
  const counter = async (id = userId): Promise<{ bytes: number; updatedAt: string }> =>
    (
      await superuser.query<{ bytes: number; updatedAt: string }>(
        `SELECT storage_used_bytes::int AS bytes, updated_at::text AS "updatedAt" FROM users WHERE id = $1`,
        [id],
      )
    ).rows[0]!;

  it('counts originals and derivatives of what is not in the trash, as the trigger does', async () => {
    await addFile({ file_size_bytes: 1_000, derivative_bytes: 23 });
    await addFile({ file_size_bytes: 200, derivative_bytes: 0 });
    await addFile({ file_size_bytes: 7_000, derivative_bytes: 9, deleted_at: new Date().toISOString() });
    const { bytes } = await counter();
    expect(bytes).toBe(1_223);
    for (const wrong of [0, 1_222, 99_999]) {
      await spoil(wrong);
      expect(await counters.reconcile()).toBe(1);
      expect((await counter()).bytes).toBe(1_223);
    }
  });

  it('sets it to 0 where there is no file', async () => {
    await spoil(5);
    expect(await counters.reconcile()).toBe(1);
    expect((await counter()).bytes).toBe(0);
  });

  it('does not touch a counter that is right', async () => {
    await addFile();
    const before = await counter();
    expect(await counters.reconcile()).toBe(0);
    expect(await counter()).toEqual(before);
  });

  it('reaches every user, however many', async () => {
    const { rows } = await superuser.query<{ id: string }>(
      `INSERT INTO users (email, storage_used_bytes)
       SELECT 'many-' || n || '@example.test', CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END FROM generate_series(1, 250) n
       RETURNING id`,
    );
    expect(await counters.reconcile()).toBe(5);
    const { rows: wrong } = await superuser.query(
      'SELECT FROM users WHERE id = ANY ($1) AND storage_used_bytes <> 0',
      [rows.map(({ id }) => id)],
    );
    expect(wrong).toEqual([]);
  });

  it('loses no upload that ends while it looks', async () => {
    await addFile({ file_size_bytes: 100 });
    await spoil(7);
    await superuser.query('BEGIN');
    await addFile({ file_size_bytes: 20 });
    const corrected = counters.reconcile();
    // The one session of the embedded engine belongs to the upload until it ends; a real server can be asked.
    if (onServices()) await somebodyWaits();
    await superuser.query('COMMIT');
    expect(await corrected).toBe(1);
    expect((await counter()).bytes).toBe(120);
    await addFile({ file_size_bytes: 3 });
    expect((await counter()).bytes).toBe(123);
  });

  /** Resolves once a transaction waits for that of `superuser`. */
  async function somebodyWaits(): Promise<void> {
    for (;;) {
      const { rowCount } = await superuser.query(
        'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))',
      );
      if (rowCount) return;
      await sleep(20);
    }
  }
});
