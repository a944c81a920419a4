import type pg from 'pg';
import { embeddingChecks, formatEmbeddingChecks, type EmbeddingCheck } from './embedding-check.js';
import { ivfflatLists } from './ivfflat-lists.js';
import { readAs } from './read-as.js';

export interface DatabaseReport {
  tables: { name: string; rows: number; totalBytes: number; indexBytes: number }[];
  indexes: { table: string; name: string; scans: number; bytes: number }[];
  /** Null where pg_stat_statements is not loaded. */
  slowQueries: { query: string; calls: number; meanMs: number; totalMs: number }[] | null;
  vectors: { rows: number; ivfflatLists: number };
  /** Searchable files = embedded files? */
  embeddings: EmbeddingCheck[];
}

/** Sizes, index use and slow queries (C50, 000-29, 001-61). Rows are the planner's estimates. */
export async function databaseReport(client: pg.ClientBase): Promise<DatabaseReport> {
  const tables = await client.query<DatabaseReport['tables'][number]>(`
    SELECT relname AS name, greatest(n_live_tup, 0)::float8 AS rows, pg_total_relation_size(relid)::float8 AS "totalBytes",
      pg_indexes_size(relid)::float8 AS "indexBytes"
    FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 3 DESC, 1`);
  const indexes = await client.query<DatabaseReport['indexes'][number]>(`
    SELECT relname AS "table", indexrelname AS name, idx_scan::float8 AS scans,
      pg_relation_size(indexrelid)::float8 AS bytes
    FROM pg_stat_user_indexes WHERE schemaname = 'public' ORDER BY idx_scan DESC, 1, 2`);
  const vectors = await readAs(client, 'app_admin', () =>
    client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM media_embeddings'),
  );
  const rows = vectors.rows[0]?.rows ?? 0;
  return {
    tables: tables.rows,
    indexes: indexes.rows,
    slowQueries: await slowQueries(client),
    vectors: { rows, ivfflatLists: ivfflatLists(rows) },
    embeddings: await embeddingChecks(client),
  };
}

/** The ten queries with the greatest mean time of this database. Their text is normalised: it holds no values. */
async function slowQueries(client: pg.ClientBase): Promise<DatabaseReport['slowQueries']> {
  try {
    const { rows } = await client.query<{ query: string; calls: number; meanMs: number; totalMs: number }>(`
      SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 100) AS query, calls::float8 AS calls,
        mean_exec_time AS "meanMs", total_exec_time AS "totalMs"
      FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      ORDER BY mean_exec_time DESC LIMIT 10`);
    return rows;
  } catch (error) {
    // 42P01: not installed. 55000: installed, but the library is not preloaded.
    if (['42P01', '55000'].includes((error as { code?: string }).code ?? '')) return null;
    throw error;
  }
}

/** The report as text for a terminal. */
export function formatReport(report: DatabaseReport): string {
  const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
  const unused = report.indexes.filter(({ scans }) => scans === 0).length;
  return [
    'Tables (rows estimated, size with indexes, of which indexes)',
    ...report.tables.map(
      (t) =>
        `  ${t.name.padEnd(28)} ${String(t.rows).padStart(10)} ${mebibytes(t.totalBytes).padStart(14)} ${mebibytes(t.indexBytes).padStart(14)}`,
    ),
    `Indexes by use (${unused} of ${report.indexes.length} not used since statistics were reset)`,
    ...report.indexes
      .filter(({ scans }) => scans > 0)
      .slice(0, 25)
      .map(
        (i) =>
          `  ${`${i.table}.${i.name}`.padEnd(70)} ${String(i.scans).padStart(10)} scans ${mebibytes(i.bytes).padStart(14)}`,
      ),
    ...(report.slowQueries
      ? [
          'Slowest queries (mean ms, calls)',
          ...report.slowQueries.map(
            (q) => `  ${q.meanMs.toFixed(2).padStart(10)} ${String(q.calls).padStart(8)}  ${q.query}`,
          ),
        ]
      : ['Slow queries: pg_stat_statements is absent on this server']),
    `Vectors: ${report.vectors.rows}; an ivfflat index made by hand would take lists = ${report.vectors.ivfflatLists} (not needed, see C04)`,
    formatEmbeddingChecks(report.embeddings),
  ].join('\n');
}
