import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { Restriction } from './restriction.sql.js';
import { textLeg, type TextLegInput } from './text-leg.sql.js';
import { vectorLeg, type VectorLegInput } from './vector-leg.sql.js';

export interface SearchQueryInput {
  restriction: Restriction;
  /** null = this leg is not asked. At least one of the two is. */
  vector: Omit<VectorLegInput, 'restriction'> | null;
  text: Omit<TextLegInput, 'restriction'> | null;
}

/** One row. The arrays of a leg run in parallel, best file first; a leg that was not asked gives empty ones. */
export interface SearchRow {
  vectorIds: string[];
  /** Cosine similarity of each file's best segment. */
  vectorSimilarities: number[];
  vectorCandidates: number;
  vectorTailFits: boolean;
  textIds: string[];
  /** ts_rank, 0..1. */
  textRanks: number[];
  textMatchesCut: boolean;
}

/**
 * The search query: files allowed -> each leg's files, ranked -> both lists in one row. Fusing them is arithmetic
 * without a database (fusion.ts). media_files is joined after the cut, for the page alone (page-details.sql.ts).
 */
export function searchQuery(input: SearchQueryInput): Prisma.Sql {
  const { restriction } = input;
  const legs = [
    ...(input.vector ? [vectorLeg({ ...input.vector, restriction })] : []),
    ...(input.text ? [textLeg({ ...input.text, restriction })] : []),
  ];
  return Prisma.sql`WITH ${restriction.with}${Prisma.join(legs, ',\n')}
SELECT ${input.vector ? VECTOR_COLUMNS : NO_VECTOR_COLUMNS},
  ${input.text ? TEXT_COLUMNS : NO_TEXT_COLUMNS}`;
}

const VECTOR_COLUMNS = Prisma.sql`(SELECT coalesce(array_agg(r.media_file_id ORDER BY r.similarity DESC, r.media_file_id), '{}') FROM vector_ranked r) AS "vectorIds",
  (SELECT coalesce(array_agg(r.similarity ORDER BY r.similarity DESC, r.media_file_id), '{}') FROM vector_ranked r) AS "vectorSimilarities",
  (SELECT "vectorCandidates" FROM vector_facts) AS "vectorCandidates",
  (SELECT "vectorTailFits" FROM vector_facts) AS "vectorTailFits"`;
const NO_VECTOR_COLUMNS = Prisma.sql`'{}'::uuid[] AS "vectorIds", '{}'::float8[] AS "vectorSimilarities",
  0 AS "vectorCandidates", false AS "vectorTailFits"`;
const TEXT_COLUMNS = Prisma.sql`(SELECT coalesce(array_agg(r.media_file_id ORDER BY r.rank DESC, r.media_file_id), '{}') FROM text_ranked r) AS "textIds",
  (SELECT coalesce(array_agg(r.rank::float8 ORDER BY r.rank DESC, r.media_file_id), '{}') FROM text_ranked r) AS "textRanks",
  (SELECT "textMatchesCut" FROM text_facts) AS "textMatchesCut"`;
const NO_TEXT_COLUMNS = Prisma.sql`'{}'::uuid[] AS "textIds", '{}'::float8[] AS "textRanks", false AS "textMatchesCut"`;

/**
 * Settings of the transaction that searches. Parallel workers and JIT cost more than they bring here (design: vector
 * search); 64 MB of working memory keep the lists of a library of a million files in a hash (restriction.sql.ts).
 */
export function searchSettings(): Prisma.Sql {
  return Prisma.sql`SELECT set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
  set_config('work_mem', '64MB', true)`;
}

/** One row for the active model, and for one that was active until a moment ago; none for others. */
export interface PlanFactsRow {
  modelId: number;
  /** The user's vectors of that model, counted up to `countUpTo`. */
  vectorCount: number;
}

/**
 * What decides between the exact and the two-stage plan. Counting stops early: 2,001 is as good as a million. A query that
 * was embedded just before a switch of models is compared with the vectors of its own model, which are kept for longer
 * than that (EmbeddingModelsService.dropVectors).
 */
export function planFactsQuery(input: {
  userId: string;
  model: { provider: string; name: string; version: string };
  countUpTo: number;
}): Prisma.Sql {
  return Prisma.sql`SELECT em.id::integer AS "modelId", (
    SELECT count(*)::integer FROM (
      SELECT 1 FROM media_embeddings e WHERE e.user_id = ${input.userId}::uuid AND e.model_id = em.id
      LIMIT ${input.countUpTo}::integer
    ) counted
  ) AS "vectorCount"
FROM embedding_models em
WHERE em.provider = ${input.model.provider} AND em.name = ${input.model.name} AND em.version = ${input.model.version}
  AND (em.state = 'active' OR (em.state = 'retired' AND em.retired_at > now() - interval '30 seconds'))`;
}
