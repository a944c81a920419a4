import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { connectAsSuperuser } from '../harness/database.js';
import { addRow, rowFactories } from '../factories/rows.js';
import { ACTORS, SHARED_TABLES, TENANT_TABLES } from './expectations.js';
import { matrixViolations, setScene, sweepViolations, type Scene } from './matrix.js';

describe('row-level security matrix: actor x table x verb (A1, A7, C14, C19)', () => {
  let client: pg.Client;
  let scene: Scene;
  beforeAll(async () => {
    client = await connectAsSuperuser();
    scene = await setScene(client);
  });
  afterAll(async () => {
    await client.query('ROLLBACK');
    await client.end();
  });

  it('knows every table of the schema, as a tenant table or as a shared one with its reason', async () => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
    );
    const declared = [...Object.keys(TENANT_TABLES), ...Object.keys(SHARED_TABLES)].sort();
    expect(rows.map(({ name }) => name).sort()).toEqual(declared);
    expect(Object.keys(rowFactories).sort()).toEqual(Object.keys(TENANT_TABLES).sort());
  });

  it.each(Object.keys(TENANT_TABLES))('%s', async (table) => {
    expect(await matrixViolations(scene, table)).toEqual([]);
    expect(await sweepViolations(scene, table)).toEqual([]);
  });

  it.each(Object.keys(TENANT_TABLES))(
    '%s: without a user nothing is there and nothing can be written (A7)',
    async (table) => {
      await client.query('SAVEPOINT nobody');
      await client.query(
        `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', '', true)`,
      );
      const counted = await client
        .query<{ count: number }>(
          `SELECT count(user_row)::int AS count FROM (SELECT 1 AS user_row FROM ${table}) AS t`,
        )
        .catch((error: { code: string }) => error);
      await client.query('ROLLBACK TO nobody');
      const hasSelect = (TENANT_TABLES[table]?.user ?? 'SIUD').includes('S');
      if (!hasSelect) expect(counted).toMatchObject({ code: '42501' });
      else if (table === 'categories') expect(counted).toMatchObject({ rows: [{ count: 10 }] });
      else expect(counted).toMatchObject({ rows: [{ count: 0 }] });
    },
  );

  it('C27: shows the system categories to everybody and lets no user write them', async () => {
    await client.query('SAVEPOINT system_category');
    await client.query(
      `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
      [scene.users.first],
    );
    const seen = await client.query(`SELECT 1 FROM categories WHERE user_id IS NULL`);
    expect(seen.rowCount).toBe(10);
    expect((await client.query(`UPDATE categories SET name = 'mine' WHERE user_id IS NULL`)).rowCount).toBe(
      0,
    );
    expect((await client.query(`DELETE FROM categories WHERE user_id IS NULL`)).rowCount).toBe(0);
    await expect(
      client.query(`INSERT INTO categories (id, user_id, name) VALUES (gen_random_uuid(), NULL, 'forged')`),
    ).rejects.toMatchObject({ code: '42501' });
    await client.query('ROLLBACK TO system_category');
  });

  it('C15: a user cannot write an audit row in the name of the system', async () => {
    await client.query('SAVEPOINT forged');
    await client.query(
      `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
      [scene.users.first],
    );
    await expect(
      addRow(client, 'audit_logs', scene.users.first, { actor_type: 'system' }),
    ).rejects.toMatchObject({ code: '42501' });
    await client.query('ROLLBACK TO forged');
  });

  it('tells a table that nobody declared', async () => {
    await client.query('SAVEPOINT new_table');
    await client.query('CREATE TABLE forgotten (user_id uuid, id uuid, PRIMARY KEY (user_id, id))');
    scene.keys['forgotten'] = ['user_id', 'id'];
    await expect(matrixViolations(scene, 'forgotten')).rejects.toThrow('forgotten');
    await client.query('ROLLBACK TO new_table');
    expect(ACTORS).toHaveLength(6);
  });
});
