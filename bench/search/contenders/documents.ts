import pg from 'pg';
import type { BenchUser } from '../data/data-set.js';
import { timed } from '../measure.js';
import { TOP } from '../truth.js';
import type { Answer, Contender, QueryVector } from './contender.js';

export type DocumentsIndex = 'ivfflat' | 'hnsw';

/** What an index of the documents' design costs; for the table of costs. */
export interface DocumentsCosts {
  index: DocumentsIndex;
  buildSeconds: number;
  indexBytes: number;
  tableBytes: number;
  rows: number;
}

/** The documents' tables and policies (000 section 3.2 and 5.2), with their indexes; the vectors are copies. */
const schemaOf = (index: DocumentsIndex): string => `documents_${index}`;

/**
 * Makes the documents' own design on a copy of the data: vector(1536) as it is stored by default, no user_id on the
 * vectors, a policy with a sub-select. Takes minutes, most of them for HNSW. Nothing happens when it is there already.
 * @returns null when it was there
 */
export async function prepareDocuments(
  adminUrl: string,
  index: DocumentsIndex,
): Promise<DocumentsCosts | null> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const schema = schemaOf(index);
    const { rows: existing } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
    if (existing.length > 0) return null;
    await client.query('BEGIN');
    await client.query(`CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.media_files (id uuid PRIMARY KEY, user_id uuid NOT NULL, uploaded_at timestamptz);
      CREATE TABLE ${schema}.media_embeddings (id uuid PRIMARY KEY, media_file_id uuid NOT NULL,
        embedding vector(1536) NOT NULL, embedding_model varchar(100) DEFAULT 'text-embedding-3-small',
        source_text text NOT NULL, is_primary boolean DEFAULT false, created_at timestamptz DEFAULT now());
      INSERT INTO ${schema}.media_files SELECT id, user_id, uploaded_at FROM public.media_files;
      INSERT INTO ${schema}.media_embeddings (id, media_file_id, embedding, source_text, is_primary)
        SELECT id, media_file_id, embedding::vector(1536), source_text, is_primary FROM public.media_embeddings;
      CREATE INDEX ON ${schema}.media_files (user_id);
      CREATE INDEX ON ${schema}.media_embeddings (media_file_id);
      CREATE INDEX ON ${schema}.media_embeddings (media_file_id) WHERE is_primary`);
    await client.query('SET max_parallel_maintenance_workers = 0');
    const build =
      index === 'ivfflat'
        ? `USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100)`
        : `USING hnsw (embedding vector_cosine_ops)`;
    const { milliseconds } = await timed(() =>
      client.query(`CREATE INDEX documents_vector ON ${schema}.media_embeddings ${build}`),
    );
    await client.query(`
      ALTER TABLE ${schema}.media_files ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ${schema}.media_embeddings ENABLE ROW LEVEL SECURITY;
      CREATE POLICY media_files_own_data ON ${schema}.media_files
        FOR ALL USING (user_id::text = current_setting('app.current_user_id', true));
      CREATE POLICY embeddings_own_data ON ${schema}.media_embeddings FOR ALL USING (media_file_id IN (
        SELECT id FROM ${schema}.media_files WHERE user_id::text = current_setting('app.current_user_id', true)));
      GRANT USAGE ON SCHEMA ${schema} TO app_user;
      GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO app_user`);
    await client.query('COMMIT');
    await client.query(`VACUUM (FREEZE, ANALYZE) ${schema}.media_files`);
    await client.query(`VACUUM (FREEZE, ANALYZE) ${schema}.media_embeddings`);
    const { rows } = await client.query<{ index: string; table: string; rows: string }>(
      `SELECT pg_relation_size('${schema}.documents_vector') AS index,
         pg_table_size('${schema}.media_embeddings') AS table, (SELECT count(*) FROM ${schema}.media_embeddings) AS rows`,
    );
    const sizes = rows[0]!;
    return {
      index,
      buildSeconds: milliseconds / 1_000,
      indexBytes: Number(sizes.index),
      tableBytes: Number(sizes.table),
      rows: Number(sizes.rows),
    };
  } finally {
    await client.end();
  }
}

/** The documents' search, once as PostgreSQL plans it and once held to the vector index. */
export class DocumentsContender implements Contender {
  readonly name: string;
  readonly note: string;
  readonly scope = 'owned';

  private constructor(
    private readonly client: pg.Client,
    private readonly index: DocumentsIndex,
    planning: 'index' | 'planner',
  ) {
    const setting = index === 'ivfflat' ? 'ivfflat, lists 100, probes 1' : 'HNSW, ef_search 100';
    this.name = `documents ${index}${planning === 'index' ? '' : ', planner'}`;
    this.note =
      `the documents' design: vector(1536), sub-select policy, ${setting}; ` +
      (planning === 'index'
        ? 'the vector index is used'
        : 'the planner chooses, and may read all rows instead');
  }

  static async connect(
    runtimeUrl: string,
    index: DocumentsIndex,
    planning: 'index' | 'planner',
  ): Promise<DocumentsContender> {
    const client = new pg.Client({ connectionString: runtimeUrl });
    await client.connect();
    await client.query(`SET jit = off; SET max_parallel_workers_per_gather = 0;
      SET ivfflat.probes = 1; SET hnsw.ef_search = 100`);
    if (planning === 'index') await client.query('SET enable_seqscan = off; SET enable_sort = off');
    return new DocumentsContender(client, index, planning);
  }

  async search(user: BenchUser, { floats }: QueryVector): Promise<Answer> {
    await this.client.query('BEGIN');
    await this.client.query(
      `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
      [user.id],
    );
    const vector = `[${floats.join(',')}]`;
    const { value, milliseconds } = await timed(() =>
      this.client.query<{ id: string }>(
        `SELECT media_file_id AS id FROM ${schemaOf(this.index)}.media_embeddings
         ORDER BY embedding <=> $1::vector(1536) LIMIT ${TOP}`,
        [vector],
      ),
    );
    await this.client.query('COMMIT');
    return { ids: value.rows.map((row) => row.id), milliseconds };
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
