import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { HalfvecParameter } from './vector-leg.sql.js';

/** First and last id of a user's vectors of a model; no row when there are none. */
export interface VectorRangeRow {
  first: string;
  last: string;
}

export function vectorRangeQuery(input: { userId: string; modelId: number }): Prisma.Sql {
  const end = (direction: Prisma.Sql): Prisma.Sql => Prisma.sql`SELECT e.id FROM media_embeddings e
    WHERE e.user_id = ${input.userId}::uuid AND e.model_id = ${input.modelId}::smallint
    ORDER BY e.user_id ${direction}, e.id ${direction} LIMIT 1`;
  return Prisma.sql`SELECT r.first, r.last FROM (
  SELECT (${end(Prisma.sql`ASC`)}) AS first, (${end(Prisma.sql`DESC`)}) AS last
) r WHERE r.first IS NOT NULL`;
}

/** Similarities of the vectors that follow the probes in order of id; each vector once. */
export function similaritySampleQuery(input: {
  userId: string;
  modelId: number;
  probes: string[];
  vector: HalfvecParameter;
}): Prisma.Sql {
  return Prisma.sql`SELECT 1 - (s.embedding <=> ${input.vector}::halfvec(1536)) AS similarity
FROM (
  SELECT DISTINCT next.id FROM unnest(${input.probes}::uuid[]) AS probe(id)
  CROSS JOIN LATERAL (
    SELECT e.id FROM media_embeddings e
    WHERE e.user_id = ${input.userId}::uuid AND e.id >= probe.id AND e.model_id = ${input.modelId}::smallint
    ORDER BY e.id LIMIT 1
  ) next
) sample
CROSS JOIN LATERAL (
  SELECT v.embedding FROM media_embeddings v WHERE v.user_id = ${input.userId}::uuid AND v.id = sample.id OFFSET 0
) s`;
}
