import pg from 'pg';
import { readAs } from './read-as.js';

/**
 * From here on an HNSW index of a user's own is worth its cost: two stages over 10,000 vectors take half as long again as
 * the graph, or more (measured: 11.9 ms against 7.7).
 */
export const DEFAULT_MIN_VECTORS = 8_000;
/** The planner looks at every index of the table for every search, so only the largest libraries get one. */
export const DEFAULT_MAX_INDEXES = 32;
/**
 * How carefully a graph is built. With an `ef_construction` of 64 some files are linked so badly that no search finds them,
 * however wide: of 50,000 vectors recall@20 was .986 to .997 from build to build (levels are drawn by chance), with 128 .9985
 * to .9995, with 200 .9997 each time, which is the loss of the bit codes themselves. The size is the same, the time twice
 * that of 64.
 */
const GRAPH_OPTIONS = ['m=16', 'ef_construction=200'];

export interface LargeLibrary {
  userId: string;
  modelId: number;
  vectors: number;
  indexName: string;
}

export interface IndexChanges {
  made: LargeLibrary[];
  kept: LargeLibrary[];
  /** Of users that are no longer large, of models that are gone, of builds that were broken off or were made otherwise. */
  dropped: string[];
}

/**
 * Gives the largest libraries an HNSW index over their own bit codes, and drops the indexes that are no longer of use.
 * Each is made and dropped CONCURRENTLY: searches and uploads go on. May be broken off and run again at any time.
 * @param client a connection of the owner of the tables, outside of a transaction
 */
export async function refreshLargeLibraryIndexes(
  client: pg.Client,
  { minVectors = DEFAULT_MIN_VECTORS, maxIndexes = DEFAULT_MAX_INDEXES } = {},
): Promise<IndexChanges> {
  // pgvector before 0.8.4 builds HNSW in parallel with a fault (CVE-2026-3172).
  await client.query('SET max_parallel_maintenance_workers = 0');
  const libraries = await largestLibraries(client, minVectors, maxIndexes);
  const wanted = new Map(libraries.map((library) => [library.indexName, library]));
  const changes: IndexChanges = { made: [], kept: [], dropped: [] };
  for (const { name, isValid, options } of await graphIndexes(client)) {
    const library = wanted.get(name);
    if (library && isValid && options.join() === GRAPH_OPTIONS.join()) {
      changes.kept.push(library);
      wanted.delete(name);
    } else {
      await client.query(`DROP INDEX CONCURRENTLY IF EXISTS public.${pg.escapeIdentifier(name)}`);
      changes.dropped.push(name);
    }
  }
  for (const library of wanted.values()) {
    await client.query(
      `CREATE INDEX CONCURRENTLY ${pg.escapeIdentifier(library.indexName)} ON public.media_embeddings
       USING hnsw (code bit_hamming_ops) WITH (${GRAPH_OPTIONS.join(', ')})
       WHERE user_id = ${pg.escapeLiteral(library.userId)}::uuid AND model_id = ${Number(library.modelId)}`,
    );
    changes.made.push(library);
  }
  return changes;
}

/** Drops all of them, as before a migration is taken back. @returns their names */
export async function dropLargeLibraryIndexes(client: pg.Client): Promise<string[]> {
  return (await refreshLargeLibraryIndexes(client, { maxIndexes: 0 })).dropped;
}

function largestLibraries(
  client: pg.Client,
  minVectors: number,
  maxIndexes: number,
): Promise<LargeLibrary[]> {
  return readAs(client, 'app_admin', async () => {
    const { rows } = await client.query<LargeLibrary>(
      `SELECT e.user_id AS "userId", e.model_id AS "modelId", count(*)::integer AS vectors,
         graph_index_name(e.user_id, e.model_id) AS "indexName"
       FROM media_embeddings e JOIN embedding_models em ON em.id = e.model_id AND em.state = 'active'
       GROUP BY e.user_id, e.model_id HAVING count(*) >= $1
       ORDER BY count(*) DESC, e.user_id LIMIT $2`,
      [minVectors, maxIndexes],
    );
    return rows;
  });
}

async function graphIndexes(
  client: pg.Client,
): Promise<{ name: string; isValid: boolean; options: string[] }[]> {
  const { rows } = await client.query<{ name: string; isValid: boolean; options: string[] }>(
    `SELECT c.relname AS name, i.indisvalid AS "isValid", coalesce(c.reloptions, '{}') AS options
     FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
     WHERE i.indrelid = 'public.media_embeddings'::regclass AND c.relname ~ '^idx_graph_[0-9a-f]{32}_[0-9]+$'
     ORDER BY c.relname`,
  );
  return rows;
}
