import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { addUser } from '../factories/rows.js';
import { connectAsSuperuser } from '../harness/database.js';
import { PREPARED_DATABASE, ThrowawayPostgres } from '../harness/services/postgres.js';
import { testServices } from '../harness/test-services.js';
import { dropMonthlyPartitions, months, monthsMade } from '../integration/monthly-partitions.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));

describe('migrations on a real server', () => {
  let postgres: ThrowawayPostgres;
  const name = `deploy_${process.pid}`;
  beforeAll(async () => {
    const { postgres: description } = testServices();
    if (!description) throw new Error('run with TEST_DATABASE=services');
    postgres = new ThrowawayPostgres(description);
    await postgres.createDatabase(name, PREPARED_DATABASE);
  });
  afterAll(() => postgres.dropDatabase(name));

  it('two deploys at once by the owner, who is no superuser: each migration is applied once', async () => {
    const deploys = await Promise.allSettled(
      [0, 1].map(() => runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(name), PROJECT_DIR)),
    );
    expect(deploys.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    // Whatever the race gave, a further deploy finds everything in order.
    await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(name), PROJECT_DIR);
    const client = new pg.Client({ connectionString: postgres.ownerUrl(name) });
    await client.connect();
    const { rows } = await client.query<{ applied: number; names: number }>(
      `SELECT count(*)::int AS applied, count(DISTINCT migration_name)::int AS names FROM _prisma_migrations
       WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
    );
    await client.end();
    expect(rows[0]?.applied).toBe(rows[0]?.names);
    expect(rows[0]?.applied).toBeGreaterThanOrEqual(8);
  });

  it('C23: ten resets at once move each period once', async () => {
    const admin = await connectAsSuperuser();
    // Periods of other specs' users that are over are not to be counted here.
    await admin.query('SELECT reset_monthly_usage()');
    const users = await Promise.all(Array.from({ length: 20 }, () => addUser(admin)));
    await admin.query(
      `UPDATE users SET billing_anchor_at = now() - interval '40 days', billing_period_start = now() - interval '40 days',
         billing_period_end = now() - interval '9 days', uploads_this_month = 5 WHERE id = ANY ($1)`,
      [users],
    );
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectAsSuperuser()));
    const moved = await Promise.all(
      clients.map((client) => client.query<{ moved: number }>('SELECT reset_monthly_usage() AS moved')),
    );
    expect(moved.reduce((sum, { rows }) => sum + (rows[0]?.moved ?? 0), 0)).toBe(users.length);
    const { rows } = await admin.query<{ good: number }>(
      `SELECT count(*)::int AS good FROM users WHERE id = ANY ($1) AND uploads_this_month = 0
         AND billing_period_start <= now() AND billing_period_end > now()`,
      [users],
    );
    expect(rows[0]?.good).toBe(users.length);
    await Promise.all([admin, ...clients].map((client) => client.end()));
  });

  it('C18: two that make partitions at once make each month once', async () => {
    const owners = [0, 1].map(() => new pg.Client({ connectionString: postgres.ownerUrl(name) }));
    await Promise.all(owners.map((client) => client.connect()));
    const [first, second] = owners as [pg.Client, pg.Client];
    const make = async (client: pg.Client): Promise<number | undefined> =>
      (await client.query<{ made: number }>('SELECT create_search_history_partitions(20) AS made')).rows[0]
        ?.made;
    try {
      await dropMonthlyPartitions(first);
      await first.query('BEGIN');
      expect(await make(first)).toBe(21);
      const late = make(second);
      await waitsForLock(first, second);
      await first.query('COMMIT');
      expect(await late).toBe(0);
      expect(await monthsMade(second)).toEqual(months(0, 20));
    } finally {
      await Promise.all(owners.map((client) => client.end()));
    }
  });
});

/** Resolves once the statement of `waiting` waits for another transaction. */
async function waitsForLock(client: pg.Client, waiting: pg.Client): Promise<void> {
  const { processID } = waiting as unknown as { processID: number };
  for (;;) {
    const { rows } = await client.query('SELECT FROM pg_locks WHERE pid = $1 AND NOT granted', [processID]);
    if (rows.length > 0) return;
    await sleep(20);
  }
}
