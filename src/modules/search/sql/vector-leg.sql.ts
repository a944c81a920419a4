import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { Restriction } from './restriction.sql.js';

/** What a file's segments are. A whole file has one `full` vector, a video more: what is seen, what is said. */
export type SegmentType = 'full' | 'temporal' | 'audio' | 'visual';

/** A vector of 1536 elements as a parameter: pgvector's text form, or its binary form (`encodeHalfvecBinary`), which
 * the server reads faster. */
export type HalfvecParameter = string | Buffer;

/**
 * How the nearest segments are found. `exact` compares every vector of the user. `two-stage` orders the user's bit codes
 * by Hamming distance, without touching the table, and compares the nearest of them in full. `graph` finds these through
 * the user's own partial HNSW index (large-libraries.sql.ts).
 */
export type VectorPlan = 'exact' | 'two-stage' | 'graph';

export interface VectorLegInput {
  userId: string;
  /** Row of embedding_models. */
  modelId: number;
  vector: HalfvecParameter;
  plan: VectorPlan;
  /** How many segments are taken; null = all that the floor lets pass, which only the exact plan can tell. */
  candidates: number | null;
  /** Cosine similarity below which a segment counts as unrelated. */
  floor: number;
  /** null = all. */
  segmentTypes: SegmentType[] | null;
  restriction: Restriction;
}

/**
 * CTEs `vector_ranked(media_file_id, similarity)`: files by their best segment among the candidates (C55), at or above
 * the floor; and `vector_facts("vectorCandidates", "vectorTailFits")`: how many segments were compared in full, and
 * whether one of the farthest tenth of them is still above the floor, which means that a wider cut would find more.
 *
 * Segments are cut before they are grouped: grouping a whole library by file costs more than comparing it (measured:
 * 2.6 ms against 1.5 ms for 1,000 vectors). All plans name user_id beside the policy, so that the planner sees real
 * sizes. The first stage reads nothing but idx_media_embeddings_code (design: vector search).
 */
export function vectorLeg(input: VectorLegInput): Prisma.Sql {
  return Prisma.sql`query_vector AS MATERIALIZED (
  SELECT q.v, binary_quantize(q.v)::bit(1536) AS code FROM (SELECT ${input.vector}::halfvec(1536) AS v) q
),
${SCANS[input.plan](input)},
vector_facts AS (
  SELECT count(*)::integer AS "vectorCandidates",
    coalesce(max(s.similarity) FILTER (WHERE s.place > 0.9 * s.candidates) >= ${input.floor}::float8, false) AS "vectorTailFits"
  FROM (SELECT similarity, row_number() OVER (ORDER BY cut_order) AS place, count(*) OVER () AS candidates
        FROM vector_scored) s
),
vector_ranked AS MATERIALIZED (
  SELECT s.media_file_id, max(s.similarity) AS similarity
  FROM vector_scored s WHERE s.similarity >= ${input.floor}::float8
  GROUP BY s.media_file_id
)`;
}

/** Each gives `vector_scored(media_file_id, cut_order, similarity)`; `cut_order` is the distance that the cut went by. */
const SCANS: Record<VectorPlan, (input: VectorLegInput) => Prisma.Sql> = {
  // Each distance is computed once: as an expression of its own beside the sort key it would be computed twice for every
  // vector of the user (a tenth of the time of 1,000 vectors). OFFSET 0 keeps the planner from pulling the inner query up.
  exact: (input) => Prisma.sql`vector_scored AS MATERIALIZED (
  SELECT s.media_file_id, s.cut_order, 1 - s.cut_order AS similarity
  FROM (
    SELECT e.media_file_id, e.embedding <=> (SELECT v FROM query_vector) AS cut_order
    FROM media_embeddings e
    WHERE ${ownVectors(input)}
    ${input.candidates === null ? Prisma.sql`OFFSET 0` : Prisma.sql`ORDER BY cut_order LIMIT ${input.candidates}::integer`}
  ) s
  ${input.candidates === null ? Prisma.sql`WHERE 1 - s.cut_order >= ${input.floor}::float8` : Prisma.empty}
)`,
  // The lateral join with OFFSET 0 fetches the candidates' rows one by one; as a plain join the planner may read the
  // user's whole library. Adding 0 keeps a graph index, which would give too few, out of this plan.
  'two-stage': (input) => Prisma.sql`vector_candidates AS MATERIALIZED (
  SELECT e.id, e.media_file_id, (e.code <~> (SELECT code FROM query_vector)) + 0 AS cut_order
  FROM media_embeddings e
  WHERE ${ownVectors(input)}
  ORDER BY cut_order LIMIT ${input.candidates}::integer
),
vector_scored AS MATERIALIZED (
  SELECT c.media_file_id, c.cut_order, 1 - (e.embedding <=> (SELECT v FROM query_vector)) AS similarity
  FROM vector_candidates c
  CROSS JOIN LATERAL (
    SELECT v.embedding FROM media_embeddings v WHERE v.user_id = ${input.userId}::uuid AND v.id = c.id OFFSET 0
  ) e
)`,
  graph: (input) => Prisma.sql`vector_scored AS MATERIALIZED (
  SELECT e.media_file_id, e.code <~> (SELECT code FROM query_vector) AS cut_order,
    1 - (e.embedding <=> (SELECT v FROM query_vector)) AS similarity
  FROM media_embeddings e
  WHERE ${ownVectors(input)}
  ORDER BY e.code <~> (SELECT code FROM query_vector) LIMIT ${input.candidates}::integer
)`,
};

function ownVectors(input: VectorLegInput): Prisma.Sql {
  const segments =
    input.segmentTypes === null
      ? Prisma.empty
      : Prisma.sql`AND e.segment_type = ANY(${input.segmentTypes}::text[])`;
  return Prisma.sql`e.user_id = ${input.userId}::uuid AND e.model_id = ${input.modelId}::smallint ${segments}
    ${input.restriction.allows(Prisma.sql`e.media_file_id`)}`;
}
