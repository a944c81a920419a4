import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { connectAsSuperuser, ownDatabaseUrls } from '../harness/database.js';
import { expectedPolicies, policyViolations, structureViolations } from './catalog.js';
import { TENANT_TABLES } from './expectations.js';
import { matrixViolations, setScene, sweepViolations, type Scene } from './matrix.js';

interface Mutant {
  name: string;
  table: string;
  sql: string;
  /** The matrix itself must notice. The others change nothing that a grant lets through; the catalog notices. */
  mustChangeBehaviour: boolean;
}

const quote = (name: string): string => `"${name}"`;

/** Every policy dropped, and loosened in each way that its command allows. */
function mutants(): Mutant[] {
  return Object.entries(expectedPolicies()).flatMap(([key, [role, , using, check]]) => {
    const [table = '', policy = ''] = key.split('.');
    const target = `POLICY ${quote(policy)} ON ${quote(table)}`;
    const rights = TENANT_TABLES[table];
    const reachable =
      role === 'app_user'
        ? rights?.user !== ''
        : role === 'app_admin'
          ? !!rights?.admin
          : role === 'app_system' && !!rights?.system;
    const isOwn = role === 'app_user' && using !== 'true';
    // USING is also what an UPDATE or DELETE needs; a table that a user may only read and insert into shows both.
    const writes = /[IU]/.test(rights?.user ?? 'SIUD');
    const made: Mutant[] = [
      { name: `drop ${key}`, table, sql: `DROP ${target}`, mustChangeBehaviour: reachable },
      {
        name: `give ${key} to everybody`,
        table,
        sql: `ALTER ${target} TO PUBLIC`,
        mustChangeBehaviour:
          (role === 'app_admin' || role === 'app_system') &&
          using === 'true' &&
          rights?.user !== '' &&
          !!rights,
      },
    ];
    if (using !== null && using !== 'true') {
      made.push({
        name: `USING (true) in ${key}`,
        table,
        sql: `ALTER ${target} USING (true)`,
        mustChangeBehaviour: isOwn && reachable,
      });
    }
    if (check !== null && check !== 'true') {
      const sql = `ALTER ${target} WITH CHECK (true)`;
      made.push({
        name: `WITH CHECK (true) in ${key}`,
        table,
        sql,
        mustChangeBehaviour: isOwn && reachable && writes,
      });
    }
    if (using === 'true') {
      const sql = `ALTER ${target} USING (false)`;
      made.push({
        name: `USING (false) in ${key}`,
        table,
        sql,
        mustChangeBehaviour: reachable && role !== 'app_definer',
      });
    }
    return made;
  });
}

/** Row-level security taken off a table altogether. */
const disabled: Mutant[] = Object.entries(TENANT_TABLES).map(([table, { user }]) => ({
  name: `row-level security off on ${table}`,
  table,
  sql: `ALTER TABLE ${quote(table)} DISABLE ROW LEVEL SECURITY`,
  mustChangeBehaviour: user !== '',
}));

const behaviourViolations = async (scene: Scene, table: string): Promise<string[]> => [
  ...(await matrixViolations(scene, table)),
  ...(await sweepViolations(scene, table)),
];

describe('A12: mutated policies', () => {
  let client: pg.Client;
  let scene: Scene;
  beforeAll(async () => {
    client = await connectAsSuperuser((await ownDatabaseUrls('rls_mutation')).adminUrl);
    scene = await setScene(client);
  });
  afterAll(async () => {
    await client.query('ROLLBACK');
    await client.end();
  });

  it('A12: every dropped or loosened policy is noticed, and by the matrix wherever a grant reaches it', async () => {
    const all = [...mutants(), ...disabled];
    const survivors: string[] = [];
    const unchanged: string[] = [];
    let killedByMatrix = 0;
    for (const { name, table, sql, mustChangeBehaviour } of all) {
      await client.query('SAVEPOINT mutant');
      await client.query(sql);
      const byMatrix = table in TENANT_TABLES ? await behaviourViolations(scene, table) : [];
      const byCatalog = [...(await policyViolations(client)), ...(await structureViolations(client))];
      await client.query('ROLLBACK TO mutant');
      if (byMatrix.length > 0) killedByMatrix += 1;
      else if (mustChangeBehaviour) unchanged.push(name);
      if (byMatrix.length + byCatalog.length === 0) survivors.push(name);
    }
    // Nothing is left of the mutants.
    expect(await policyViolations(client)).toEqual([]);
    expect({ survivors, unchanged }).toEqual({ survivors: [], unchanged: [] });
    expect(all.length).toBeGreaterThan(200);
    expect(killedByMatrix / all.length).toBeGreaterThan(0.5);
    // Some 250 mutants, each with the whole matrix of its table.
  }, 180_000);

  it('A12: a policy too many is noticed', async () => {
    await client.query('SAVEPOINT extra');
    await client.query('CREATE POLICY extra ON tags FOR SELECT TO app_user USING (true)');
    expect(await policyViolations(client)).toEqual(['policy tags.extra is declared nowhere']);
    expect(await matrixViolations(scene, 'tags')).toContain(
      'tags | owner | select foreign: expected hidden, got done',
    );
    await client.query('ROLLBACK TO extra');
  });
});
