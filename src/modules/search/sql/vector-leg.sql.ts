import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { Restriction } from './restriction.sql.js';

/** What a file's segments are. A whole file has one `full` vector, a video more: what is seen, what is said. */
export type SegmentType = 'full' | 'temporal' | 'audio' | 'visual';

export interface VectorLegInput {
  userId: string;
  /** Row of embedding_models. */
  modelId: number;
  /** The query's vector in halfvec's text form, 1536 elements. */
  vector: string;
  /** `exact` compares every vector of the user; `two-stage` only the `candidates` nearest by Hamming distance. */
  plan: 'exact' | 'two-stage';
  candidates: number;
  /** Cosine similarity below which a segment counts as unrelated. */
  floor: number;
  /** null = all. */
  segmentTypes: SegmentType[] | null;
  restriction: Restriction;
  maxMedia: number;
}

/**
 * CTE `vector_ranked(media_file_id, similarity)`: files by their best segment, best first (C55), at most maxMedia + 1;
 * and `vector_facts("vectorCandidates", "vectorTailFits")`: how many segments were compared in full, and whether one of
 * the farthest tenth of the candidates is still above the floor, which means that a wider cut would find more.
 *
 * Both plans name user_id beside the policy, so that the planner sees real sizes. The second plan's first stage reads
 * nothing but idx_media_embeddings_code (design: vector search).
 */
export function vectorLeg(input: VectorLegInput): Prisma.Sql {
  return Prisma.sql`${input.plan === 'exact' ? exactScan(input) : twoStages(input)},
vector_ranked AS MATERIALIZED (
  SELECT s.media_file_id, max(s.similarity) AS similarity
  FROM vector_scored s WHERE s.similarity >= ${input.floor}::float8
  GROUP BY s.media_file_id
  ORDER BY 2 DESC, 1
  LIMIT ${input.maxMedia + 1}::integer
)`;
}

function exactScan(input: VectorLegInput): Prisma.Sql {
  return Prisma.sql`vector_scored AS MATERIALIZED (
  SELECT e.media_file_id, 1 - (e.embedding <=> ${input.vector}::halfvec(1536)) AS similarity
  FROM media_embeddings e
  WHERE ${ownVectors(input)}
),
vector_facts AS (
  SELECT count(*)::integer AS "vectorCandidates", false AS "vectorTailFits" FROM vector_scored
)`;
}

function twoStages(input: VectorLegInput): Prisma.Sql {
  // The id breaks ties, so that a search gives the same answer twice. The lateral join with OFFSET 0 fetches the
  // candidates' rows one by one; as a plain join the planner may read the user's whole library.
  return Prisma.sql`vector_candidates AS MATERIALIZED (
  SELECT e.id, e.media_file_id, e.code <~> binary_quantize(${input.vector}::halfvec(1536))::bit(1536) AS hamming
  FROM media_embeddings e
  WHERE ${ownVectors(input)}
  ORDER BY hamming, e.id
  LIMIT ${input.candidates}::integer
),
vector_scored AS MATERIALIZED (
  SELECT c.media_file_id, c.hamming, 1 - (e.embedding <=> ${input.vector}::halfvec(1536)) AS similarity
  FROM vector_candidates c
  CROSS JOIN LATERAL (
    SELECT v.embedding FROM media_embeddings v WHERE v.user_id = ${input.userId}::uuid AND v.id = c.id OFFSET 0
  ) e
),
vector_facts AS (
  SELECT count(*)::integer AS "vectorCandidates",
    coalesce(bool_or(s.similarity >= ${input.floor}::float8 AND s.hamming >= tail.hamming), false) AS "vectorTailFits"
  FROM vector_scored s
  CROSS JOIN (SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY hamming) AS hamming FROM vector_candidates) tail
)`;
}

function ownVectors(input: VectorLegInput): Prisma.Sql {
  const segments =
    input.segmentTypes === null
      ? Prisma.empty
      : Prisma.sql`AND e.segment_type = ANY(${input.segmentTypes}::text[])`;
  return Prisma.sql`e.user_id = ${input.userId}::uuid AND e.model_id = ${input.modelId}::smallint ${segments}
    ${input.restriction.allows(Prisma.sql`e.media_file_id`)}`;
}
