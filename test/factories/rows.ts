import { createHash, randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { v7 as uuidv7 } from 'uuid';

/** Column name -> value, as it goes into an INSERT. */
export type Row = Record<string, unknown>;

/** Makes the parents that a row needs (with `client`) and returns the row itself, which is not inserted. */
type RowFactory = (client: ClientBase, userId: string) => Promise<Row>;

export const VECTOR_DIMENSIONS = 1536;

/** 64 hexadecimal digits that no other call gives. */
export const uniqueHash = (): string => createHash('sha256').update(randomUUID()).digest('hex');

/** A unit vector in pgvector's text form; equal seeds give equal vectors. */
export function vectorText(seed: number): string {
  const values = Array.from({ length: VECTOR_DIMENSIONS }, (_, index) => Math.sin((index + 1) * (seed + 1)));
  const length = Math.hypot(...values);
  return `[${values.map((value) => (value / length).toFixed(5)).join(',')}]`;
}

const parent = async (
  client: ClientBase,
  table: string,
  userId: string,
  columns: Row = {},
): Promise<string> => String((await addRow(client, table, userId, columns))['id']);

/** The id of a registered embedding model that the tests share. */
export async function embeddingModelId(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO embedding_models (provider, name, dimensions) VALUES ('test', 'row-factory', 1536)
     ON CONFLICT (provider, name, version) DO UPDATE SET dimensions = 1536 RETURNING id`,
  );
  return rows[0]?.id ?? 0;
}

const SYSTEM_CATEGORY = 'SELECT id FROM categories WHERE user_id IS NULL ORDER BY name LIMIT 1';
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

/** One factory per tenant table: the least that a valid row needs. */
export const rowFactories: Record<string, RowFactory> = {
  users: async (_client, userId) => ({ id: userId, email: `user-${userId}@example.test` }),
  auth_identities: async (_client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), provider: 'local' },
    ...{ subject: `${uuidv7()}@example.test`, secret_hash: '$argon2id$not-a-real-hash' },
  }),
  refresh_tokens: async (_client, userId) => ({
    ...{
      user_id: userId,
      id: uuidv7(),
      family_id: uuidv7(),
      token_hash: uniqueHash(),
      expires_at: inAnHour(),
    },
  }),
  api_keys: async (_client, userId) => ({
    ...{
      user_id: userId,
      id: uuidv7(),
      name: 'key',
      prefix: 'ams_test',
      key_hash: uniqueHash(),
      scopes: ['search'],
    },
  }),
  upload_reservations: async (_client, userId) => ({
    ...{
      user_id: userId,
      id: uuidv7(),
      billing_period_start: new Date().toISOString(),
      expires_at: inAnHour(),
    },
  }),
  media_files: async (_client, userId) => {
    const id = uuidv7();
    return {
      ...{ user_id: userId, id, filename: `${id}.jpg`, original_filename: 'IMG_0001.jpg', title: 'untitled' },
      ...{ file_type: 'image', mime_type: 'image/jpeg', file_size_bytes: 1000, file_hash: uniqueHash() },
      ...{ storage_provider: 'local', s3_bucket: 'media', s3_key: `${userId}/${id}` },
    };
  },
  analyses: async (client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), media_file_id: await parent(client, 'media_files', userId) },
    ...{ version: 1, kind: 'image' },
  }),
  media_embeddings: async (client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), media_file_id: await parent(client, 'media_files', userId) },
    ...{ model_id: await embeddingModelId(client), source_text: 'words', embedding: vectorText(1) },
  }),
  keyframes: async (client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), media_file_id: await parent(client, 'media_files', userId) },
    ...{ timestamp_seconds: 1.5, storage_key: 'key', width: 10, height: 10, size_bytes: 10 },
  }),
  transcript_segments: async (client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), media_file_id: await parent(client, 'media_files', userId) },
    ...{ start_time_seconds: 0, end_time_seconds: 1, text: 'hello', source: 'speech' },
  }),
  clips: async (client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), media_file_id: await parent(client, 'media_files', userId) },
    ...{ start_time_seconds: 0, end_time_seconds: 1, score: 0.5, rank: 1 },
  }),
  tags: async (_client, userId) => ({ user_id: userId, id: uuidv7(), name: `tag ${uuidv7()}` }),
  media_tags: async (client, userId) => ({
    ...{ user_id: userId, media_file_id: await parent(client, 'media_files', userId) },
    ...{ tag_id: await parent(client, 'tags', userId) },
  }),
  categories: async (_client, userId) => ({ id: uuidv7(), user_id: userId, name: `category ${uuidv7()}` }),
  media_categories: async (client, userId) => ({
    ...{ user_id: userId, media_file_id: await parent(client, 'media_files', userId) },
    // A category of the system's, which every user may use.
    ...{ category_id: (await client.query<{ id: string }>(SYSTEM_CATEGORY)).rows[0]?.id },
  }),
  media_labels: async (client, userId) => ({
    ...{ user_id: userId, media_file_id: await parent(client, 'media_files', userId) },
    ...{ label: 'dog', confidence: 0.9, kind: 'object' },
  }),
  // A trigger makes the row of every file, so its file is made without triggers.
  media_facets: async (client, userId) => {
    await client.query('SET session_replication_role = replica');
    const mediaFileId = await parent(client, 'media_files', userId);
    await client.query('SET session_replication_role = origin');
    return {
      ...{ user_id: userId, media_file_id: mediaFileId, file_type: 'image', status: 'uploaded' },
      ...{ month: '2026-01-01', file_size_bytes: 1, has_transcript: false, has_text: false },
      ...{ tags: ['tag'], categories: ['art'], labels: ['dog'], colors: ['blue'] },
    };
  },
  processing_jobs: async (client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), media_file_id: await parent(client, 'media_files', userId) },
    ...{ job_type: 'thumbnail', subscription_tier: 'free' },
  }),
  // A file in the trash has no search document, so there is room for one.
  search_docs: async (client, userId) => ({
    user_id: userId,
    media_file_id: await parent(client, 'media_files', userId, { deleted_at: new Date().toISOString() }),
    tsv: "'word':1A",
  }),
  search_words: async (_client, userId) => ({ user_id: userId, word: `word${uniqueHash().slice(0, 30)}` }),
  lost_words: async (_client, userId) => ({ user_id: userId, id: uuidv7(), words: ['word'] }),
  search_history: async (_client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), query_text: 'dogs', searched_at: new Date().toISOString() },
  }),
  search_clicks: async (client, userId) => {
    const search = await addRow(client, 'search_history', userId);
    return {
      ...{ user_id: userId, id: uuidv7(), search_id: search['id'], searched_at: search['searched_at'] },
      ...{ media_file_id: await parent(client, 'media_files', userId), position: 1 },
    };
  },
  saved_searches: async (_client, userId) => ({
    ...{ user_id: userId, id: uuidv7(), name: `search ${uuidv7()}`, search: '{"query":"dogs"}' },
  }),
  search_query_vectors: async (client, userId) => ({
    ...{ user_id: userId, model_id: await embeddingModelId(client), query_hash: uniqueHash() },
    embedding: vectorText(2),
  }),
  cost_tracking: async (_client, userId) => ({
    ...{ id: uuidv7(), user_id: userId, service_name: 'openai_gpt', operation_type: 'test', amount: '0.5' },
    ...{ billing_period_month: 11, billing_period_year: 2026 },
  }),
  audit_logs: async (_client, userId) => ({
    ...{ id: uuidv7(), user_id: userId, event_type: 'test', event_category: 'security', action: 'test' },
  }),
  idempotency_keys: async (_client, userId) => ({
    ...{ user_id: userId, key: uuidv7(), method: 'POST', path: '/v1/media', request_hash: uniqueHash() },
  }),
};

/** A valid row of a tenant table with its parents made, not inserted. @throws when the table has no factory */
export async function makeRow(
  client: ClientBase,
  table: string,
  userId: string,
  columns: Row = {},
): Promise<Row> {
  const factory = rowFactories[table];
  if (!factory) throw new Error(`test/factories/rows.ts has no factory for ${table}`);
  return { ...(await factory(client, userId)), ...columns };
}

/** Inserts a valid row of a tenant table and returns what went in. */
export async function addRow(
  client: ClientBase,
  table: string,
  userId: string,
  columns: Row = {},
): Promise<Row> {
  const row = await makeRow(client, table, userId, columns);
  const names = Object.keys(row);
  await client.query(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
  return row;
}

/** Inserts a user and returns the id. */
export async function addUser(client: ClientBase, columns: Row = {}): Promise<string> {
  const id = uuidv7();
  await addRow(client, 'users', id, columns);
  return id;
}
