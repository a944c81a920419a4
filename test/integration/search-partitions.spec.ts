import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { addRow, addUser } from '../factories/rows.js';
import { connectAsSuperuser, ownDatabaseUrls } from '../harness/database.js';
import { dropMonthlyPartitions, MONTHLY_PARTITIONS, months, monthsMade } from './monthly-partitions.js';

describe('C18: the monthly partitions of the search history', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = await connectAsSuperuser((await ownDatabaseUrls('partitions')).adminUrl);
  });
  afterAll(() => client.end());
  beforeEach(async () => {
    await client.query('BEGIN');
    await dropMonthlyPartitions(client);
  });
  afterEach(() => client.query('ROLLBACK'));

  const valueOf = async <T>(expression: string): Promise<T> =>
    (await client.query<{ value: T }>(`SELECT (${expression}) AS value`)).rows[0]?.value as T;
  const makePartitions = (monthsAhead = ''): Promise<number> =>
    valueOf<number>(`create_search_history_partitions(${monthsAhead})`);

  /**
   * Hands tables and function over to a role like the one that migrates a real server, and goes on as that role: no
   * superuser, and held to the policies. The embedded engine's one login is a superuser.
   */
  async function becomeOwner(): Promise<void> {
    await client.query(`
      CREATE ROLE table_owner NOSUPERUSER NOBYPASSRLS;
      GRANT USAGE, CREATE ON SCHEMA public TO table_owner;
      ALTER TABLE users OWNER TO table_owner;
      ALTER TABLE search_history OWNER TO table_owner;
      ALTER TABLE search_history_default OWNER TO table_owner;
      ALTER TABLE search_clicks OWNER TO table_owner;
      ALTER FUNCTION create_search_history_partitions(integer) OWNER TO table_owner;
      SET LOCAL ROLE table_owner`);
  }

  it('are made by the owner, who does not see the rows that the default partition has of a month', async () => {
    const search = await addRow(client, 'search_history', await addUser(client));
    await becomeOwner();
    expect(await valueOf('SELECT count(*)::integer FROM search_history_default')).toBe(0);

    expect(await makePartitions()).toBe(12);
    expect(await monthsMade(client)).toEqual(months(1, 12));
    expect(await makePartitions()).toBe(0);
    await client.query('RESET ROLE');
    const home = `SELECT tableoid::regclass::text FROM search_history WHERE id = '${String(search['id'])}'`;
    expect(await valueOf(home)).toBe('search_history_default');
  });

  it('are made for every month when the default partition has rows of other months only', async () => {
    await addRow(client, 'search_history', await addUser(client), { searched_at: '2001-01-01' });
    await becomeOwner();
    expect(await makePartitions()).toBe(13);
    expect(await monthsMade(client)).toEqual(months(0, 12));
  });

  it('are made by the system, which owns nothing, each behind its wall and without a grant', async () => {
    await becomeOwner();
    await client.query('SET LOCAL ROLE app_system');
    expect(await makePartitions('2')).toBe(3);
    expect(await monthsMade(client)).toEqual([0, 1, 2]);
    const { rows } = await client.query(`
      SELECT pg_get_userbyid(relowner)::text AS owner, relrowsecurity AND relforcerowsecurity AS walled, relacl
      FROM pg_class WHERE relname LIKE '${MONTHLY_PARTITIONS}' AND relkind = 'r'`);
    expect(rows).toEqual([0, 1, 2].map(() => ({ owner: 'table_owner', walled: true, relacl: null })));
  });

  it('reach three years ahead at most', async () => {
    expect(await makePartitions('1000')).toBe(37);
    expect(await monthsMade(client)).toEqual(months(0, 36));
  });

  it.each(['app_user', 'app_admin', 'app_definer', 'search_reader'])('are not made by %s', async (role) => {
    await client.query(`SET LOCAL ROLE ${role}`);
    await expect(makePartitions()).rejects.toMatchObject({ code: '42501' });
  });
});
