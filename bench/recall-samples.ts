import type { Database, Transaction } from '../src/infrastructure/database/database.js';
import { Prisma } from '../src/infrastructure/database/generated/client.js';

/** Takes part in no row: an administrator's statements are not about one user. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
/** Vectors that are looked at to find users. Large libraries are met more often, and are what an index can lose in. */
const SAMPLED_ROWS = 3_000;
/** Counting a user's vectors ends here. */
const COUNT_UP_TO = 100_000;

export const SIZE_CLASSES = [
  { name: 'below 1,000', from: 1 },
  { name: '1,000 to 9,999', from: 1_000 },
  { name: '10,000 to 49,999', from: 10_000 },
  { name: '50,000 and more', from: 50_000 },
] as const;

export interface SampledUser {
  userId: string;
  vectorCount: number;
}

export interface ActiveModel {
  id: number;
  provider: string;
  name: string;
  version: string;
  dimensions: number;
}

/** Runs `fn` in the name of a user in a transaction that cannot write. */
export function readOnlyAs<T>(
  database: Database,
  userId: string | null,
  fn: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const actor =
    userId === null ? ({ kind: 'admin', userId: NOBODY } as const) : ({ kind: 'user', userId } as const);
  return database.runAs(actor, async (tx) => {
    await tx.$executeRaw(Prisma.sql`SET TRANSACTION READ ONLY`);
    return fn(tx);
  });
}

/** The model that searches use, or null. */
export async function activeModel(tx: Transaction): Promise<ActiveModel | null> {
  const rows = await tx.$queryRaw<ActiveModel[]>(
    Prisma.sql`SELECT id::integer AS id, provider, name, version, dimensions FROM embedding_models WHERE state = 'active'`,
  );
  return rows[0] ?? null;
}

/**
 * Some users with vectors of a model, from a sample of the table's pages, at most `perClass` of each size class. Bounded
 * whatever the size of the installation: a sample is read, and counting stops at 100,000.
 */
export async function sampleUsers(
  tx: Transaction,
  modelId: number,
  perClass: number,
): Promise<SampledUser[]> {
  const found = await tx.$queryRaw<{ userId: string }[]>(sampledUsersQuery(modelId, await tableRows(tx)));
  const picked: SampledUser[] = [];
  const open = new Map<string, number>(SIZE_CLASSES.map(({ name }) => [name, perClass]));
  for (const { userId } of found.slice(0, 20 * perClass)) {
    const rows = await tx.$queryRaw<{ vectorCount: number }[]>(Prisma.sql`
      SELECT count(*)::integer AS "vectorCount" FROM (
        SELECT 1 FROM media_embeddings WHERE user_id = ${userId}::uuid AND model_id = ${modelId}::smallint
        LIMIT ${COUNT_UP_TO}::integer
      ) counted`);
    const vectorCount = rows[0]?.vectorCount ?? 0;
    const left = open.get(sizeClassOf(vectorCount)) ?? 0;
    if (vectorCount === 0 || left === 0) continue;
    open.set(sizeClassOf(vectorCount), left - 1);
    picked.push({ userId, vectorCount });
  }
  return picked;
}

/** Stored vectors of the user, in text form, picked at random: they ask for what the library is about. */
export async function sampleVectors(
  tx: Transaction,
  user: SampledUser,
  modelId: number,
  count: number,
): Promise<string[]> {
  const vectors: string[] = [];
  for (let number = 0; number < count; number++) {
    const place = Math.floor(Math.random() * user.vectorCount);
    const rows = await tx.$queryRaw<{ vector: string }[]>(Prisma.sql`
      SELECT embedding::text AS vector FROM media_embeddings
      WHERE user_id = ${user.userId}::uuid AND id = (
        SELECT id FROM media_embeddings WHERE user_id = ${user.userId}::uuid AND model_id = ${modelId}::smallint
        ORDER BY id OFFSET ${place}::integer LIMIT 1)`);
    if (rows[0] !== undefined) vectors.push(rows[0].vector);
  }
  return vectors;
}

/** Name of the size class of a user. */
export function sizeClassOf(vectorCount: number): string {
  return (SIZE_CLASSES.findLast(({ from }) => vectorCount >= from) ?? SIZE_CLASSES[0]).name;
}

/** The planner's estimate of the number of vectors; 0 when the table was never analysed. */
async function tableRows(tx: Transaction): Promise<number> {
  const rows = await tx.$queryRaw<{ rows: number }[]>(
    Prisma.sql`SELECT greatest(reltuples, 0)::float8 AS rows FROM pg_class WHERE oid = 'media_embeddings'::regclass`,
  );
  return rows[0]?.rows ?? 0;
}

function sampledUsersQuery(modelId: number, rows: number): Prisma.Sql {
  const percent = rows <= SAMPLED_ROWS ? 100 : (100 * SAMPLED_ROWS) / rows;
  return Prisma.sql`SELECT s.user_id::text AS "userId"
FROM (
  SELECT e.user_id FROM media_embeddings e TABLESAMPLE SYSTEM (${percent}::real)
  WHERE e.model_id = ${modelId}::smallint LIMIT ${2 * SAMPLED_ROWS}::integer
) s
GROUP BY s.user_id ORDER BY random()`;
}
