import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { connectAsSuperuser } from '../harness/database.js';
import { INDEXES } from './catalog-indexes.js';
import { CHECKS, FUNCTIONS, POLICIES, RENAMED_COLUMNS, TABLES, TRIGGERS, VIEWS } from './catalog-names.js';

const SCHEMA_DIR = fileURLToPath(new URL('../../prisma/schema', import.meta.url));

const FOREIGN_KEYS_WITHOUT_INDEX = `
      SELECT f.conrelid::regclass || '.' || f.conname AS item FROM pg_constraint f
      WHERE f.contype = 'f' AND f.connamespace = 'public'::regnamespace AND f.conparentid = 0 AND NOT EXISTS (
        SELECT 1 FROM pg_index i WHERE i.indrelid = f.conrelid
          AND (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] @> f.conkey AND (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] <@ f.conkey
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ 'IS NOT NULL'))`;

const PREFIX_DUPLICATES = `
      SELECT a.indexrelid::regclass || ' is covered by ' || b.indexrelid::regclass AS item
      FROM pg_index a JOIN pg_index b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
      JOIN pg_class ca ON ca.oid = a.indexrelid JOIN pg_class cb ON cb.oid = b.indexrelid AND cb.relam = ca.relam
      WHERE ca.relnamespace = 'public'::regnamespace AND ca.relkind IN ('i', 'I') AND NOT ca.relispartition
        AND NOT a.indisunique AND a.indexprs IS NULL AND b.indexprs IS NULL
        AND coalesce(pg_get_expr(a.indpred, a.indrelid), '') = coalesce(pg_get_expr(b.indpred, b.indrelid), '')
        AND a.indnkeyatts = a.indnatts AND b.indnkeyatts >= a.indnkeyatts
        AND (b.indkey::smallint[])[0:a.indnkeyatts - 1] = (a.indkey::smallint[])[0:a.indnkeyatts - 1]
        AND (b.indoption::smallint[])[0:a.indnkeyatts - 1] = (a.indoption::smallint[])[0:a.indnkeyatts - 1]
        AND (b.indnkeyatts > a.indnkeyatts OR a.indexrelid < b.indexrelid)`;

describe('the catalog against the documents', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = await connectAsSuperuser();
  });
  afterAll(() => client.end());

  const list = async (sql: string): Promise<string[]> =>
    (await client.query<{ item: string }>(sql)).rows.map(({ item }) => item);
  const columnsOf = async (table: string): Promise<string[]> =>
    list(
      `SELECT column_name AS item FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '${table}'`,
    );

  it.each(Object.entries(TABLES))(
    '001-03: table %s has the columns of the documents',
    async (table, columns) => {
      const present = await columnsOf(table);
      expect(columns.filter((column) => !present.includes(column))).toEqual([]);
    },
  );

  it('columns that were settled otherwise are where the settlement puts them', async () => {
    for (const [name, where] of Object.entries(RENAMED_COLUMNS)) {
      const [table = '', column = ''] = name.split('.');
      expect(await columnsOf(table)).not.toContain(column);
      for (const [, newTable = '', newColumn] of where.matchAll(/([a-z_]+)(?:\.([a-z_]+))?(?=,| and|$)/g)) {
        const columns = await columnsOf(newTable);
        if (newColumn) expect(columns).toContain(newColumn);
        else expect(columns.length).toBeGreaterThan(0);
      }
    }
  });

  it('the checks of document 001 are there', async () => {
    const checks = await list(
      `SELECT conrelid::regclass || '.' || conname AS item FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace`,
    );
    for (const [table, names] of Object.entries(CHECKS))
      for (const name of names) expect(checks).toContain(`${table}.${name}`);
  });

  it('each index of the documents is served by one that exists, of that table and with those keys', async () => {
    const { rows } = await client.query<{ name: string; definition: string; served: string }>(`
      SELECT c.relname AS name, pg_get_indexdef(c.oid) AS definition, i.indrelid::regclass || ': ' || c.relname || ' '
          || m.amname || '(' || string_agg(pg_get_indexdef(c.oid, n, true), ', ' ORDER BY n) || ')' AS served
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
      CROSS JOIN generate_series(1, i.indnkeyatts) n
      WHERE c.relnamespace = 'public'::regnamespace GROUP BY c.oid, c.relname, i.indrelid, m.amname`);
    const definitions = new Map(rows.map(({ name, definition }) => [name, definition]));
    const served = new Set(rows.map((row) => row.served));
    const wanted = Object.entries(INDEXES).map(
      ([purpose, index]) => `${/^[a-z_]+/.exec(purpose)?.[0]}: ${index}`,
    );
    expect(wanted.filter((index) => !served.has(index))).toEqual([]);
    expect(definitions.get('idx_media_files_active')).toMatch(
      /WHERE .*completed.* AND \(deleted_at IS NULL\)/,
    );
    expect(definitions.get('idx_users_email')).toContain('lower');
  });

  it('functions, triggers, views and policies of the documents are there', async () => {
    const functions = await list(
      `SELECT proname AS item FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
    );
    expect(functions).toEqual(expect.arrayContaining(FUNCTIONS));
    const triggers = await list(
      `SELECT tgname || ' on ' || tgrelid::regclass AS item FROM pg_trigger WHERE NOT tgisinternal`,
    );
    expect(triggers).toEqual(
      expect.arrayContaining(Object.entries(TRIGGERS).map(([name, table]) => `${name} on ${table}`)),
    );
    const views = await list(`SELECT viewname AS item FROM pg_views WHERE schemaname = 'public'`);
    expect(views).toEqual(expect.arrayContaining(VIEWS));
    const policies = await list(`SELECT policyname || ' on ' || tablename AS item FROM pg_policies`);
    expect(policies).toEqual(
      expect.arrayContaining(Object.entries(POLICIES).map(([name, table]) => `${name} on ${table}`)),
    );
  });

  it('000-05, C30: the extensions are there', async () => {
    const extensions = await list('SELECT extname AS item FROM pg_extension');
    expect(extensions).toEqual(
      expect.arrayContaining([
        'uuid-ossp',
        'pgcrypto',
        'vector',
        'pg_trgm',
        'btree_gin',
        'btree_gist',
        'unaccent',
      ]),
    );
  });

  it('C25b: every table with updated_at has its trigger, the other way round too', async () => {
    const withColumn = await list(
      `SELECT c.relname AS item FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'updated_at' ORDER BY 1`,
    );
    const withTrigger = await list(
      `SELECT tgrelid::regclass::text AS item FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid WHERE p.proname = 'update_updated_at_column' ORDER BY 1`,
    );
    expect(withColumn.length).toBeGreaterThanOrEqual(8);
    expect(withTrigger).toEqual(withColumn);
  });

  it('C72: every foreign key has an index that begins with its columns', async () => {
    const missing = await list(FOREIGN_KEYS_WITHOUT_INDEX);
    expect(missing).toEqual([]);
  });

  it('C72: no index is the beginning of another one', async () => {
    const duplicates = await list(PREFIX_DUPLICATES);
    expect(duplicates).toEqual([]);
  });

  it('C72: the two checks see a dropped and a doubled index', async () => {
    await client.query('BEGIN');
    try {
      await client.query('DROP INDEX idx_cost_tracking_processing_job');
      await client.query('CREATE INDEX doubled ON processing_jobs (user_id, media_file_id, status)');
      expect(await list(FOREIGN_KEYS_WITHOUT_INDEX)).toEqual([
        expect.stringMatching(/^cost_tracking\.cost_tracking_.*processing_job/),
      ]);
      expect(await list(PREFIX_DUPLICATES)).toEqual([
        'idx_processing_jobs_media_file_id is covered by doubled',
      ]);
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('C57: at least the 12 relationships and 40 indexes that document 002 counts', async () => {
    const [keys] = await list(
      `SELECT count(*)::text AS item FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace`,
    );
    const [indexes] = await list(
      `SELECT count(*)::text AS item FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition`,
    );
    expect(Number(keys)).toBeGreaterThanOrEqual(12);
    expect(Number(indexes)).toBeGreaterThanOrEqual(40);
  });

  it('C36: every time is timestamptz in milliseconds, every column in snake_case', async () => {
    const odd = await list(`
      SELECT table_name || '.' || column_name || ' ' || data_type AS item FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name !~ '^(_prisma|pg_stat)'
        AND (data_type LIKE 'timestamp without%' OR (data_type LIKE 'timestamp%' AND datetime_precision <> 3) OR column_name !~ '^[a-z0-9_]+$')`);
    expect(odd).toEqual([]);
  });

  it('prisma/schema and the database say the same: tables, columns, types, NULL, keys (C33)', async () => {
    const { rows } = await client.query<{ item: string }>(`
      SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN '' ELSE ' null' END AS item
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0
        AND NOT a.attisdropped AND c.relname <> '_prisma_migrations' ORDER BY 1`);
    // PGlite and PostgreSQL agree on the generated column's type; Prisma must not write it, so its model has it optional.
    const actual = rows.map(({ item }) =>
      item.replace('media_embeddings.code bit(1536)', 'media_embeddings.code bit(1536) null'),
    );
    expect(declaredColumns().sort()).toEqual(actual.sort());
  });
});

const SCALARS: Record<string, string> = {
  ...{
    String: 'text',
    Int: 'integer',
    BigInt: 'bigint',
    Boolean: 'boolean',
    Json: 'jsonb',
    Float: 'double precision',
  },
  ...{ DateTime: 'timestamp(3) with time zone', Decimal: 'numeric' },
};

/** "table.column type [null]" of every scalar field of the Prisma schema. */
function declaredColumns(): string[] {
  const source = readdirSync(SCHEMA_DIR)
    .map((file) => readFileSync(path.join(SCHEMA_DIR, file), 'utf8'))
    .join('\n');
  const models = new Map(
    [...source.matchAll(/^model (\w+) \{([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => [name, body]),
  );
  const columns: string[] = [];
  for (const [model, body] of models) {
    const table = /@@map\("(\w+)"\)/.exec(body)?.[1] ?? model;
    for (const line of body.split('\n')) {
      const field = /^\s+(\w+)\s+(Unsupported\("([^"]+)"\)|\w+)(\[\])?(\?)?/.exec(line);
      if (!field || models.has(field[2] ?? '')) continue;
      const [, name = '', kind = '', unsupported, isList, isOptional] = field;
      const column = /@map\("(\w+)"\)/.exec(line)?.[1] ?? name;
      const type = unsupported ?? nativeType(/@db\.(\w+)(?:\(([^)]*)\))?/.exec(line), kind);
      columns.push(`${table}.${column} ${type}${isList ? '[]' : ''}${isOptional ? ' null' : ''}`);
    }
  }
  return columns;
}

function nativeType(attribute: RegExpExecArray | null, kind: string): string {
  const argument = attribute?.[2]?.replaceAll(' ', '');
  switch (attribute?.[1]) {
    case 'VarChar':
      return `character varying(${argument})`;
    case 'Char':
      return `character(${argument})`;
    case 'Decimal':
      return `numeric(${argument})`;
    case 'Timestamptz':
      return `timestamp(${argument}) with time zone`;
    case undefined:
      return SCALARS[kind] ?? kind;
    default:
      return String(attribute?.[1]).toLowerCase();
  }
}
