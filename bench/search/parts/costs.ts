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
const GRAPH = 'CREATE INDEX bench_hnsw ON public.media_embeddings USING hnsw (embedding halfvec_cosine_ops)';

/** Size, build time and insert cost of the tables that a search reads and of their indexes, and 10 million rows. */
export async function measureCosts(bench: Bench): Promise<void> {
  const { report, data } = bench;
  const client = new pg.Client({ connectionString: bench.adminUrl });
  await client.connect();
  // CVE-2026-3172: pgvector before 0.8.2 must not build HNSW in parallel; all are built alike.
  await client.query('SET max_parallel_maintenance_workers = 0');
  try {
    const rows = data.vectorCount;
    await makeProbe(client, rows);
    const inserts = [await insertMilliseconds(client, null)];
    const costs: Row[] = [];
    const indexes = await indexFacts(client);
    for (const table of ['media_embeddings', 'search_docs']) {
      costs.push(rowOf({ name: `table ${table}`, bytes: await tableBytes(client, table), rows }));
      for (const index of indexes.filter((candidate) => candidate.table === table)) {
        const buildSeconds = index.isConstraint ? null : await buildSecondsOf(client, index);
        const canDrop = table === 'media_embeddings' && !index.isConstraint;
        const insert = canDrop ? await insertMilliseconds(client, index.name) : null;
        if (insert) inserts.push(insert);
        costs.push(rowOf({ ...index, rows, buildSeconds, insertMs: insert?.difference ?? null }));
      }
    }
    if (bench.options.documents) costs.push(await graphRow(client, rows));
    const all = percentile(
      inserts.map((insert) => insert.withAll),
      0.5,
    );
    report.heading(
      'Costs',
      `${rows.toLocaleString('en')} vectors. Build: one process, everything in memory. Insert: a statement of ` +
        `${PROBE_ROWS.toLocaleString('en')} rows of many users, all checks and triggers on, rolled back; ${round(all)} ms a ` +
        `row with all indexes, and per index the difference without it, medians of ${REPEATS} pairs in turn (what is below ` +
        '.02 ms is noise). The last columns are in proportion: the indexes in use grow in line with the rows; HNSW takes ' +
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

/** Vectors of many users, to be inserted once more as further segments of their files. */
async function makeProbe(client: pg.Client, rows: number): Promise<void> {
  const every = Math.max(1, Math.floor(rows / (3 * PROBE_ROWS)));
  await client.query(`CREATE TEMP TABLE bench_probe AS
    SELECT user_id, media_file_id, model_id, source_text, embedding FROM media_embeddings
    WHERE hashtext(id::text) % ${every} = 0 LIMIT ${PROBE_ROWS}`);
}

interface InsertCost {
  /** Milliseconds a row with all indexes. */
  withAll: number;
  /** What the index adds to that; 0 when none was named. */
  difference: number;
}

/** Inserts the probe with and without one index, in turn. */
async function insertMilliseconds(client: pg.Client, index: string | null): Promise<InsertCost> {
  const times = { with: [] as number[], without: [] as number[] };
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const withAll = await insertOnce(client, null);
    const without = index === null ? withAll : await insertOnce(client, index);
    // The first pair warms up.
    if (repeat === 0) continue;
    times.with.push(withAll);
    times.without.push(without);
  }
  // What was rolled back left dead rows behind.
  await client.query('VACUUM media_embeddings');
  const withAll = percentile(times.with, 0.5);
  return { withAll, difference: withAll - percentile(times.without, 0.5) };
}

/** Milliseconds a row, in a transaction that is rolled back: which also brings a dropped index back as it was. */
async function insertOnce(client: pg.Client, withoutIndex: string | null): Promise<number> {
  await client.query('BEGIN');
  if (withoutIndex !== null) await client.query(`DROP INDEX ${pg.escapeIdentifier(withoutIndex)}`);
  const { value, milliseconds } = await timed(() =>
    client.query(`INSERT INTO media_embeddings (user_id, media_file_id, model_id, segment_type, start_time_seconds,
        end_time_seconds, source_text, embedding)
      SELECT user_id, media_file_id, model_id, 'visual', 0, 1, source_text, embedding FROM bench_probe`),
  );
  await client.query('ROLLBACK');
  return milliseconds / (value.rowCount ?? 1);
}

async function graphRow(client: pg.Client, rows: number): Promise<Row> {
  const { milliseconds } = await timed(() => client.query(GRAPH));
  try {
    const { rows: sizes } = await client.query<{ bytes: string }>(
      `SELECT pg_relation_size('bench_hnsw') AS bytes`,
    );
    return rowOf({
      name: 'HNSW on halfvec (not used)',
      bytes: Number(sizes[0]!.bytes),
      rows,
      buildSeconds: milliseconds / 1_000,
      insertMs: (await insertMilliseconds(client, 'bench_hnsw')).difference,
    });
  } finally {
    await client.query('DROP INDEX IF EXISTS bench_hnsw');
  }
}
