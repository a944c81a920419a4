import pg from 'pg';
import { encodeHalfvecBinary } from '../../../src/infrastructure/ai/vectors.js';
import { runPrismaCli } from '../../../src/infrastructure/database/migrate.js';
import type { ThrowawayPostgres } from '../../../test/harness/services/postgres.js';
import { adminUrl, PROJECT_DIR } from './cluster.js';
import { copyIn, int2, int8, jsonb, real, textArray, uuidBytes, type BinaryValue } from './copy-in.js';
import {
  BENCH_MODEL,
  LABEL_NAMES,
  TAG_NAMES,
  type BenchFile,
  type BenchUser,
  type DataSet,
} from './data-set.js';
import { Random, seedOf } from './random.js';

const BATCH = 5_000;
const LOADED_TABLES = ['media_files', 'media_embeddings', 'search_docs', 'media_tags', 'media_labels'];
const ESTIMATED_FILE_BYTES = 2_500_000;

type Row = { user: BenchUser; file: BenchFile };

/**
 * Makes a database with the product's own migrations and loads a data set into it. Foreign keys and counters are not
 * checked row by row and secondary indexes are built at the end, which is several times as fast; the search documents
 * are written by the product's own trigger.
 */
export async function loadDataSet(
  postgres: ThrowawayPostgres,
  database: string,
  data: DataSet,
  log: (line: string) => void = () => undefined,
): Promise<void> {
  const started = performance.now();
  const note = (what: string): void =>
    log(`${((performance.now() - started) / 1_000).toFixed(0)} s: ${what}`);
  await postgres.createDatabase(database);
  await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(database), PROJECT_DIR);
  note('schema is there');
  const clients = [0, 1].map(() => new pg.Client({ connectionString: adminUrl(postgres, database) }));
  const [files, vectors] = clients as [pg.Client, pg.Client];
  try {
    for (const client of clients) {
      await client.connect();
      // Skips foreign keys and all triggers but those that are marked ALWAYS.
      await client.query(`SET session_replication_role = replica`);
    }
    await loadUsers(files, data);
    const definitions = await dropIndexes(files);
    await files.query('ALTER TABLE media_files ENABLE ALWAYS TRIGGER refresh_search_doc_after_change');
    let loaded = 0;
    for (const batch of batches(data.files())) {
      await Promise.all([loadFiles(files, batch), loadVectors(vectors, batch)]);
      loaded += batch.length;
      if (loaded % 50_000 === 0) note(`${loaded} of ${data.vectorCount} files`);
    }
    await files.query('ALTER TABLE media_files ENABLE TRIGGER refresh_search_doc_after_change');
    await files.query(`UPDATE users u SET storage_used_bytes = f.bytes FROM (
      SELECT user_id, sum(file_size_bytes) AS bytes FROM media_files WHERE deleted_at IS NULL GROUP BY user_id
    ) f WHERE f.user_id = u.id`);
    await Promise.all(
      clients.map(async (client, index) => {
        await client.query('SET max_parallel_maintenance_workers = 0');
        for (const [place, sql] of definitions.entries()) if (place % 2 === index) await client.query(sql);
      }),
    );
    note('indexes are built');
    await files.query('VACUUM (FREEZE, ANALYZE)');
    note('vacuumed and analysed');
  } finally {
    for (const client of clients) await client.end();
  }
}

async function loadUsers(client: pg.Client, data: DataSet): Promise<void> {
  await client.query(
    `INSERT INTO embedding_models (id, provider, name, version, dimensions, state) VALUES ($1, $2, $3, $4, $5, 'active')`,
    Object.values(BENCH_MODEL),
  );
  await client.query(
    `INSERT INTO users (id, email, email_verified, subscription_tier)
     SELECT id, 'bench-' || number || '@example.test', true, 'ultimate' FROM unnest($1::uuid[], $2::int[]) AS u(id, number)`,
    [data.users.map((user) => user.id), data.users.map((user) => user.number)],
  );
  await copyIn(client, 'tags (user_id, id, name)', tagRows(data.users));
}

function* tagRows(users: BenchUser[]): Generator<BinaryValue[]> {
  for (const user of users) {
    for (const [index, name] of TAG_NAMES.entries()) yield [uuidBytes(user.id), tagId(user, index), name];
  }
}

/** The user's tag of a name: its id follows from both. */
function tagId(user: BenchUser, index: number): Buffer {
  const random = new Random(seedOf('tag', user.id, index));
  return Buffer.from(Array.from({ length: 16 }, () => random.integer(256)));
}

async function loadFiles(client: pg.Client, batch: Row[]): Promise<void> {
  await copyIn(
    client,
    `media_files (user_id, id, filename, original_filename, title, file_type, mime_type, file_size_bytes, file_hash,
      storage_provider, s3_bucket, s3_key, status, width, height, ai_summary, detected_labels, tags, language,
      is_private, uploaded_at, taken_at, deleted_at)`,
    map(batch, ({ user, file }) => [
      ...[
        uuidBytes(user.id),
        uuidBytes(file.id),
        `${file.id}.jpg`,
        `IMG_${file.number}.jpg`,
        file.words.title,
      ],
      ...[file.fileType, file.fileType === 'video' ? 'video/mp4' : 'image/jpeg', int8(ESTIMATED_FILE_BYTES)],
      ...[
        file.id.replaceAll('-', '').padEnd(64, '0'),
        'local',
        'bench',
        `${user.id}/${file.id}`,
        'completed',
      ],
      ...[4_000, 3_000, file.words.summary, jsonb(file.labels.map(labelOf)), textArray(namesOf(file)), 'en'],
      ...[file.isPrivate, file.uploadedAt, new Date(file.uploadedAt.getTime() - 86_400_000)],
      file.isDeleted ? new Date(file.uploadedAt.getTime() + 86_400_000) : null,
    ]),
  );
  await copyIn(
    client,
    'media_tags (user_id, media_file_id, tag_id)',
    flatMap(batch, ({ user, file }) =>
      file.tags.map((tag) => [uuidBytes(user.id), uuidBytes(file.id), tagId(user, tag)]),
    ),
  );
}

async function loadVectors(client: pg.Client, batch: Row[]): Promise<void> {
  await copyIn(
    client,
    `media_embeddings (user_id, id, media_file_id, model_id, segment_type, is_primary, source_text, embedding,
      created_at, updated_at)`,
    map(batch, ({ user, file }) => [
      ...[
        uuidBytes(user.id),
        uuidBytes(file.vectorId),
        uuidBytes(file.id),
        int2(BENCH_MODEL.id),
        'full',
        true,
      ],
      ...[`${file.words.title}\n${file.words.summary}`, encodeHalfvecBinary(file.vector)],
      ...[file.uploadedAt, file.uploadedAt],
    ]),
  );
  await copyIn(
    client,
    'media_labels (user_id, media_file_id, label, confidence, kind)',
    flatMap(batch, ({ user, file }) =>
      file.labels.map((label, index) => [
        ...[
          uuidBytes(user.id),
          uuidBytes(file.id),
          LABEL_NAMES[label]!,
          real(labelConfidence(index)),
          'object',
        ],
      ]),
    ),
  );
}

const labelConfidence = (index: number): number => 0.9 - index * 0.2;
const labelOf = (label: number, index: number) => ({
  name: LABEL_NAMES[label],
  confidence: labelConfidence(index),
  kind: 'object',
});
const namesOf = (file: BenchFile): string[] => file.tags.map((tag) => TAG_NAMES[tag]!);

/** Drops the secondary indexes of the tables that are loaded. @returns the statements that make them again */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = ANY($1::text[]::regclass[])
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
     ORDER BY pg_relation_size(i.indexrelid), c.relname`,
    [LOADED_TABLES],
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${pg.escapeIdentifier(name)}`);
  return rows.map((row) => row.definition);
}

function* batches(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function* map<T>(items: Iterable<T>, make: (item: T) => BinaryValue[]): Generator<BinaryValue[]> {
  for (const item of items) yield make(item);
}

function* flatMap<T>(items: Iterable<T>, make: (item: T) => BinaryValue[][]): Generator<BinaryValue[]> {
  for (const item of items) yield* make(item);
}
