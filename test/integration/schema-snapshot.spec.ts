import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { connectAsSuperuser, ownDatabaseUrls } from '../harness/database.js';
import { catalogLines } from './schema-catalog.js';

/** What migrations write by hand: Prisma's schema says nothing of it, or not all. */
const HAND_MADE = /^(index|trigger|function|constraint) /;
/** Made by the month. What hangs on them is that of search_history, under names that each version makes otherwise. */
const OF_PARTITIONS = /\bsearch_history_(\d{4}_\d{2}|default)/;
/** Constraints from PostgreSQL 18 on; the columns are compared elsewhere. */
const NOT_NULL = /^constraint .* NOT NULL "?\w+"?$/;
/** Storage parameters of an index change how fast it is, not what it is. */
const STORAGE_PARAMETERS = / WITH \([^)]*\)/;

/** A function without its text, which is in the migrations; a digest tells whether it is another one. */
function withoutBody(line: string): string {
  const [head = '', ...body] = line.split(/\nAS /);
  const digest = createHash('sha256').update(body.join('\nAS ')).digest('hex').slice(0, 16);
  return `${head.replace(/\s+/g, ' ').trim()} AS ${digest}`;
}

/** The same on every engine and server: sorted here, and the owner of the tables by no name. */
async function handMade(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT pg_get_userbyid(relowner)::text AS owner FROM pg_class WHERE oid = 'public.users'::regclass`,
  );
  const owner = new RegExp(`\n${rows[0]?.owner}$`);
  return (await catalogLines(client))
    .filter((line) => HAND_MADE.test(line) && !OF_PARTITIONS.test(line) && !NOT_NULL.test(line))
    .map((line) =>
      line.startsWith('function ')
        ? withoutBody(line.replace(owner, ''))
        : line.replace(STORAGE_PARAMETERS, ''),
    )
    .sort();
}

describe('indexes, triggers, functions and constraints that migrations make by hand (C33)', () => {
  let client: pg.Client;
  beforeAll(async () => {
    // Other specs may leave something in the database that they share.
    client = await connectAsSuperuser((await ownDatabaseUrls('schema_snapshot')).adminUrl);
  });
  afterAll(() => client.end());

  it('are those under review', async () => {
    expect((await handMade(client)).join('\n')).toMatchSnapshot();
  });

  it.each([
    ['a dropped index', 'DROP INDEX idx_search_words_trigrams'],
    [
      'another condition of an index',
      'DROP INDEX idx_media_files_active; CREATE INDEX idx_media_files_active ON media_files (user_id, uploaded_at)',
    ],
    ['a dropped trigger', 'DROP TRIGGER anonymize_unwanted_search ON search_history'],
    ['a dropped function', 'DROP FUNCTION forget_lost_words(integer)'],
    [
      'another text of a function',
      `CREATE OR REPLACE FUNCTION app_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT NULL::uuid'`,
    ],
    ['other settings of a function', 'ALTER FUNCTION update_user_storage() RESET search_path'],
    ['another owner of a function', 'ALTER FUNCTION update_user_storage() OWNER TO CURRENT_USER'],
    ['a dropped constraint', 'ALTER TABLE users DROP CONSTRAINT positive_storage'],
    [
      'a foreign key that forgets to delete',
      `
      ALTER TABLE tags DROP CONSTRAINT tags_user_id_fkey;
      ALTER TABLE tags ADD CONSTRAINT tags_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)`,
    ],
  ])('would show %s', async (_name, statements) => {
    const before = await handMade(client);
    await client.query('BEGIN');
    try {
      await client.query(statements);
      expect(await handMade(client)).not.toEqual(before);
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('do not depend on the months, nor on how an index is stored', async () => {
    const before = await handMade(client);
    await client.query('BEGIN');
    try {
      await client.query('SELECT create_search_history_partitions(36)');
      await client.query('ALTER INDEX idx_search_words_trigrams SET (gin_pending_list_limit = 512)');
      expect(await handMade(client)).toEqual(before);
    } finally {
      await client.query('ROLLBACK');
    }
  });
});
