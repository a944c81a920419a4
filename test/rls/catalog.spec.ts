import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { connectAsSuperuser } from '../harness/database.js';
import { grants, policyViolations, structureViolations } from './catalog.js';

describe('row-level security as the catalog has it (A4, A9, C14, C74)', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = await connectAsSuperuser();
  });
  afterAll(() => client.end());

  it('every policy is declared: role, command, USING and WITH CHECK in initplan form', async () => {
    expect(await policyViolations(client)).toEqual([]);
  });

  it('every tenant table is forced, keyed by its user and tied to its parents by both columns', async () => {
    expect(await structureViolations(client)).toEqual([]);
  });

  it('the grants are those under review', async () => {
    expect((await grants(client)).join('\n')).toMatchSnapshot();
  });

  // Each statement opens one hole that the checks above must see.
  it.each([
    ['a new table', 'CREATE TABLE forgotten (id uuid)', 'forgotten: is neither'],
    [
      'a table that is not forced',
      'ALTER TABLE tags NO FORCE ROW LEVEL SECURITY',
      'tags: row-level security',
    ],
    [
      'a table without policies in force',
      'ALTER TABLE tags DISABLE ROW LEVEL SECURITY',
      'tags: row-level security',
    ],
    [
      'a partition without its wall',
      'ALTER TABLE search_history_default DISABLE ROW LEVEL SECURITY',
      'search_history_default',
    ],
    [
      'a unique index over all users',
      'CREATE UNIQUE INDEX by_hash ON media_files (s3_key, file_hash)',
      'by_hash: a unique index',
    ],
    [
      'a foreign key by id alone',
      'ALTER TABLE tags ADD UNIQUE (id), ADD parent_id uuid REFERENCES tags (id)',
      'tags_parent_id_fkey',
    ],
    [
      'a definer function',
      `CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM media_files'`,
      'peek(): a SECURITY DEFINER function',
    ],
    [
      'an unpinned search_path',
      'ALTER FUNCTION resolve_identity(text, text) RESET search_path',
      'its search_path is not pinned',
    ],
    [
      'a function of the wrong owner',
      'ALTER FUNCTION resolve_identity(text, text) OWNER TO CURRENT_USER',
      'is owned by',
    ],
    [
      'a view with the rights of its owner',
      'CREATE VIEW everything AS SELECT * FROM media_files',
      'everything: a view',
    ],
    ['a role that skips policies', 'ALTER ROLE app_user BYPASSRLS', 'app_user: a role with rights'],
    ['a role that creates tables', 'GRANT CREATE ON SCHEMA public TO PUBLIC', 'app_user: may create'],
    ['a role that owns a table', 'ALTER TABLE tags OWNER TO app_user', 'tags: is owned by'],
  ])('sees %s', async (_name, statement, expected) => {
    await client.query('BEGIN');
    try {
      await client.query(statement);
      expect(await structureViolations(client)).toContainEqual(expect.stringContaining(expected));
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('the grants snapshot sees a privilege too many', async () => {
    const before = await grants(client);
    await client.query('BEGIN');
    await client.query('GRANT UPDATE (role) ON users TO app_user');
    const after = await grants(client);
    await client.query('ROLLBACK');
    expect(after).not.toEqual(before);
  });
});
