import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { HalfvecParameter } from './vector-leg.sql.js';

interface Model {
  provider: string;
  name: string;
  version: string;
}

interface QueryVectorKey {
  userId: string;
  model: Model;
  /** SHA-256 in hexadecimal. */
  hash: string;
}

const ACTIVE_MODEL = ({ provider, name, version }: Model): Prisma.Sql =>
  Prisma.sql`em.provider = ${provider} AND em.name = ${name} AND em.version = ${version} AND em.state = 'active'`;

/** The kept vector of a query, as `vector`; no row when there is none. Notes the use, at most once a day. */
export function keptQueryVector({ userId, model, hash }: QueryVectorKey): Prisma.Sql {
  return Prisma.sql`WITH kept AS (
  SELECT v.model_id, v.embedding::text AS vector, v.last_used_at
  FROM search_query_vectors v JOIN embedding_models em ON em.id = v.model_id
  WHERE v.user_id = ${userId}::uuid AND v.query_hash = ${hash} AND ${ACTIVE_MODEL(model)}
), used AS (
  UPDATE search_query_vectors v SET last_used_at = now() FROM kept
  WHERE v.user_id = ${userId}::uuid AND v.model_id = kept.model_id AND v.query_hash = ${hash}
    AND kept.last_used_at < now() - interval '1 day'
)
SELECT kept.vector FROM kept`;
}

/** Keeps nothing of somebody who does not want it (C49). */
export function keepQueryVector({
  userId,
  model,
  hash,
  vector,
}: QueryVectorKey & { vector: HalfvecParameter }): Prisma.Sql {
  return Prisma.sql`INSERT INTO search_query_vectors (user_id, model_id, query_hash, embedding)
SELECT ${userId}::uuid, em.id, ${hash}, ${vector}::halfvec(1536) FROM embedding_models em WHERE ${ACTIVE_MODEL(model)}
  AND EXISTS (SELECT FROM users u WHERE u.id = ${userId}::uuid AND u.keeps_search_history)
ON CONFLICT DO NOTHING`;
}

export function deleteQueryVectors({ userId }: { userId: string }): Prisma.Sql {
  return Prisma.sql`DELETE FROM search_query_vectors v WHERE v.user_id = ${userId}::uuid`;
}
