import pg from 'pg';
import type { Bench } from '../bench.js';
import { percentile, timed } from '../measure.js';
import { round, type Row } from '../report.js';

const PROBE_ROWS = 1_000;
const REPEATS = 5;
const TARGET_ROWS = 10_000_000;
const GIGABYTE = 1e9;

interface IndexFacts {
  name: string;
  table: string;
  definition: string;
  bytes: number;
  isConstraint: boolean;
}

/** The index of the documents on the product's own column: what the two-stage plan saves. */
const GRAPH: IndexFacts = {
  name: 'HNSW on halfvec (not used)',
  table: 'media_embeddings',
  definition: 'CREATE INDEX bench_hnsw ON public.media_embeddings USING hnsw (embedding halfvec_cosine_ops)',
  bytes: 0,
  isConstraint: false,
};

/** Size, build time and insert cost of the tables that a search reads and of their indexes, and 10 million rows. */
export async function measureCosts(bench: Bench): Promise<void> {
  const { report, data } = bench;
  const client = new pg.Client({ connectionString: bench.adminUrl });
  await client.connect();
  // CVE-2026-3172: pgvector before 0.8.2 must not build HNSW in parallel; all are built alike.
  await client.query('SET max_parallel_maintenance_workers = 0');
  try {
    const rows = data.vectorCount;
    const indexes = await indexFacts(client);
    const all = await insertMilliseconds(client, null);
    const costs: Row[] = [];
    for (const table of ['media_embeddings', 'search_docs']) {
      const bytes = await tableBytes(client, table);
      costs.push(rowOf({ name: `table ${table}`, bytes, rows }));
      for (const index of indexes.filter((candidate) => candidate.table === table)) {
        const buildSeconds = index.isConstraint ? null : await buildSecondsOf(client, index);
        const without =
          table === 'media_embeddings' && !index.isConstraint
            ? await insertMilliseconds(client, index.name)
            : null;
        costs.push(
          rowOf({ ...index, rows, buildSeconds, insertMs: without === null ? null : all - without }),
        );
      }
    }
    costs.push(await graphRow(client, rows, all));
    report.heading(
      'Costs',
      `${rows.toLocaleString('en')} vectors. Build: one process, everything in memory. Insert: a statement of ` +
        `${PROBE_ROWS.toLocaleString('en')} rows of many users, all checks and triggers on, ${REPEATS} times, rolled back; ` +
        `${round(all)} ms a row with all indexes; per index the difference without it (noise about .01 ms). ` +
        'The last columns multiply by 50 or what leads to 10 million rows: the user indexes grow in line, and HNSW takes ' +
        'longer than that, since its graph no longer fits into the memory that builds it.',
    );
    report.table(costs);
    report.text(
      "A user's latency at 10 million rows follows the size of the user, not of the table: an index range of the user is " +
        'read, and the tree is at most one level higher (see the part on the small user). What must fit into memory is the ' +
        'code index of the users who search, not the vectors.',
    );
  } finally {
    await client.end();
  }
}

function rowOf(facts: {
  name: string;
  bytes: number;
  rows: number;
  buildSeconds?: number | null;
  insertMs?: number | null;
}): Row {
  const scale = TARGET_ROWS / facts.rows;
  const { buildSeconds = null, insertMs = null } = facts;
  return {
    part: facts.name,
    MB: round(facts.bytes / 1e6),
    'bytes a row': Math.round(facts.bytes / facts.rows),
    'build s': buildSeconds === null ? '' : round(buildSeconds),
    'insert ms a row': insertMs === null ? '' : insertMs.toFixed(3),
    '10 million: GB': round((facts.bytes * scale) / GIGABYTE),
    '10 million: build min': buildSeconds === null ? '' : round((buildSeconds * scale) / 60),
  };
}

async function indexFacts(client: pg.Client): Promise<IndexFacts[]> {
  const { rows } = await client.query<IndexFacts & { bytes: string }>(
    `SELECT c.relname AS name, t.relname AS "table", pg_get_indexdef(i.indexrelid) AS definition,
       pg_relation_size(i.indexrelid) AS bytes,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS "isConstraint"
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
     WHERE i.indrelid IN ('public.media_embeddings'::regclass, 'public.search_docs'::regclass)
     ORDER BY t.relname, pg_relation_size(i.indexrelid) DESC`,
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

async function tableBytes(client: pg.Client, table: string): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>('SELECT pg_table_size($1::regclass) AS bytes', [
    table,
  ]);
  return Number(rows[0]!.bytes);
}

/** Builds a second index like it, beside it, and drops that again. */
async function buildSecondsOf(client: pg.Client, { name, definition }: IndexFacts): Promise<number> {
  const copy = definition.replace(` ${name} ON `, ' bench_copy ON ');
  const { milliseconds } = await timed(() => client.query(copy));
  await client.query('DROP INDEX bench_copy');
  return milliseconds / 1_000;
}

/**
 * Milliseconds a row to insert vectors, with all indexes or without one: inside a transaction that is rolled back, which
 * brings the index back as it was. The median of several.
 */
async function insertMilliseconds(client: pg.Client, withoutIndex: string | null): Promise<number> {
  await client.query(`DROP TABLE IF EXISTS bench_probe;
    CREATE TEMP TABLE bench_probe AS
    SELECT user_id, media_file_id, model_id, source_text, embedding FROM media_embeddings
    WHERE hashtext(id::text) % ${Math.max(1, Math.floor((await rowCount(client)) / (PROBE_ROWS * 3)))} = 0 LIMIT ${PROBE_ROWS}`);
  const { rows } = await client.query<{ count: string }>('SELECT count(*) AS count FROM bench_probe');
  const times: number[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    await client.query('BEGIN');
    if (withoutIndex !== null) await client.query(`DROP INDEX ${pg.escapeIdentifier(withoutIndex)}`);
    const { milliseconds } = await timed(() =>
      client.query(`INSERT INTO media_embeddings (user_id, media_file_id, model_id, segment_type, start_time_seconds,
          end_time_seconds, source_text, embedding)
        SELECT user_id, media_file_id, model_id, 'visual', 0, 1, source_text, embedding FROM bench_probe`),
    );
    await client.query('ROLLBACK');
    // The first one warms up.
    if (repeat > 0) times.push(milliseconds / Number(rows[0]!.count));
  }
  await client.query('VACUUM media_embeddings');
  return percentile(times, 0.5);
}

async function rowCount(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: string }>('SELECT count(*) AS count FROM media_embeddings');
  return Number(rows[0]!.count);
}

async function graphRow(client: pg.Client, rows: number, all: number): Promise<Row> {
  const { milliseconds } = await timed(() => client.query(GRAPH.definition));
  try {
    const { rows: sizes } = await client.query<{ bytes: string }>(
      `SELECT pg_relation_size('bench_hnsw') AS bytes`,
    );
    const insertMs = (await insertMilliseconds(client, null)) - all;
    return rowOf({
      name: GRAPH.name,
      bytes: Number(sizes[0]!.bytes),
      rows,
      buildSeconds: milliseconds / 1_000,
      insertMs,
    });
  } finally {
    await client.query('DROP INDEX IF EXISTS bench_hnsw');
  }
}
