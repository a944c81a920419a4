import { prepared, type PlanChoice } from '../../../infrastructure/database/prepared.js';
import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { Restriction } from './restriction.sql.js';
import type { TransactionSettings } from '../../../infrastructure/database/database.js';
import { TEXT_ORDER, textLeg, type TextLegInput } from './text-leg.sql.js';
import { vectorLeg, type VectorLegInput } from './vector-leg.sql.js';

/**
 * `hnsw.ef_search`, more than the graph plan's candidates: what the restriction leaves out (trash, private files) must
 * not make the scan start over for a second batch, which doubled its time.
 */
const GRAPH_SEARCH_WIDTH = 400;

export interface SearchQueryInput {
  /** How the statement is planned when it is prepared; without, it is not. */
  plan?: PlanChoice;
  restriction: Restriction;
  /** null = this leg is not asked. At least one of the two is. */
  vector: Omit<VectorLegInput, 'restriction'> | null;
  text: Omit<TextLegInput, 'restriction'> | null;
}

/** One row. The lists of a leg run in parallel, best file first; a leg that was not asked gives empty ones. */
export interface SearchRow {
  vectorIds: string[];
  /** Cosine similarity of each file's best segment. */
  vectorSimilarities: number[];
  vectorCandidates: number;
  vectorTailFits: boolean;
  textIds: string[];
  /** ts_rank, 0..1. */
  textRanks: number[];
  /** Files whose words match, whether or not they are among the ids. */
  textMatches: number;
  /** Those of them that hold all the words. */
  fullMatches: number;
  /** Files of the vector leg whose words match as well. */
  commonMatches: number;
}

/** The row as it comes: lists as text with commas. */
export type RawSearchRow = Omit<SearchRow, 'vectorIds' | 'vectorSimilarities' | 'textIds' | 'textRanks'> &
  Record<'vectorIds' | 'vectorSimilarities' | 'textIds' | 'textRanks', string>;

export function readSearchRow(row: RawSearchRow): SearchRow {
  const list = (text: string): string[] => (text === '' ? [] : text.split(','));
  return {
    ...row,
    vectorIds: list(row.vectorIds),
    vectorSimilarities: list(row.vectorSimilarities).map(Number),
    textIds: list(row.textIds),
    textRanks: list(row.textRanks).map(Number),
  };
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
  const query = Prisma.sql`WITH ${restriction.with}${Prisma.join(legs, ',\n')}
SELECT ${input.vector ? VECTOR_COLUMNS : NO_VECTOR_COLUMNS},
  ${input.text ? TEXT_COLUMNS : NO_TEXT_COLUMNS},
  ${input.vector && input.text ? COMMON_MATCHES : Prisma.sql`0`} AS "commonMatches"
FROM ${input.vector ? VECTOR_LIST : Prisma.sql`(SELECT) AS vector_list`}
CROSS JOIN ${input.text ? TEXT_LIST : Prisma.sql`(SELECT) AS text_list`}`;
  return input.plan ? prepared(query, input.plan) : query;
}

/**
 * Sorted once and gathered in that order: an ORDER BY inside of each aggregate would sort each time. Lists travel as text
 * with commas: the driver takes 0.7 ms to read arrays of 300 ids and 300 numbers, String.split nearly nothing.
 */
const VECTOR_LIST = Prisma.sql`(SELECT string_agg(r.media_file_id::text, ',') AS ids, string_agg(r.similarity::text, ',') AS similarities
  FROM (SELECT media_file_id, similarity FROM vector_ranked ORDER BY similarity DESC, media_file_id) r) AS vector_list
CROSS JOIN vector_facts`;
const TEXT_LIST = Prisma.sql`(SELECT string_agg(r.media_file_id::text, ',') AS ids, string_agg(r.rank::text, ',') AS ranks
  FROM (SELECT media_file_id, rank FROM text_ranked ORDER BY ${TEXT_ORDER}) r) AS text_list
CROSS JOIN (SELECT count(*)::integer AS "textMatches", (count(*) FILTER (WHERE coverage = 1))::integer AS "fullMatches"
  FROM text_matches) AS text_facts`;
const VECTOR_COLUMNS = Prisma.sql`coalesce(vector_list.ids, '') AS "vectorIds",
  coalesce(vector_list.similarities, '') AS "vectorSimilarities", "vectorCandidates", "vectorTailFits"`;
const NO_VECTOR_COLUMNS = Prisma.sql`'' AS "vectorIds", '' AS "vectorSimilarities",
  0 AS "vectorCandidates", false AS "vectorTailFits"`;
const TEXT_COLUMNS = Prisma.sql`coalesce(text_list.ids, '') AS "textIds", coalesce(text_list.ranks, '') AS "textRanks",
  "textMatches", "fullMatches"`;
const NO_TEXT_COLUMNS = Prisma.sql`'' AS "textIds", '' AS "textRanks", 0 AS "textMatches",
  0 AS "fullMatches"`;
const COMMON_MATCHES = Prisma.sql`(SELECT count(*)::integer FROM vector_ranked r
    WHERE r.media_file_id IN (SELECT t.media_file_id FROM text_matches t))`;

/**
 * Settings of the transaction that searches. Parallel workers and JIT cost more than they bring here (design: vector
 * search); 64 MB of working memory keep the lists of a library of a million files in a hash (restriction.sql.ts). The
 * graph is walked until it has given as many candidates as were asked for, whatever the filter leaves out.
 */
export const SEARCH_SETTINGS: TransactionSettings = {
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  work_mem: '64MB',
  'hnsw.ef_search': String(GRAPH_SEARCH_WIDTH),
  'hnsw.iterative_scan': 'relaxed_order',
};

/** One row for the active model, and for one that was active until a moment ago; none for others. */
export interface PlanFactsRow {
  modelId: number;
  /** The user's vectors of that model, counted up to `countUpTo`. */
  vectorCount: number;
  /** The user has an HNSW index of their own (large-libraries.sql.ts), built and valid. */
  hasGraph: boolean;
}

/**
 * What decides between the plans. Counting stops early: 2,001 is as good as a million. A query that
 * was embedded just before a switch of models is compared with the vectors of its own model, which are kept for longer
 * than that and than the answer is remembered (EmbeddingModelsService.dropVectors, PlanFactsMemory).
 */
export function planFactsQuery(input: {
  userId: string;
  model: { provider: string; name: string; version: string };
  countUpTo: number;
}): Prisma.Sql {
  return prepared(Prisma.sql`SELECT em.id::integer AS "modelId", (
    SELECT count(*)::integer FROM (
      SELECT 1 FROM media_embeddings e WHERE e.user_id = ${input.userId}::uuid AND e.model_id = em.id
      LIMIT ${input.countUpTo}::integer
    ) counted
  ) AS "vectorCount",
  coalesce((SELECT i.indisvalid FROM pg_index i
    WHERE i.indexrelid = to_regclass(graph_index_name(${input.userId}::uuid, em.id))), false) AS "hasGraph"
FROM embedding_models em
WHERE em.provider = ${input.model.provider} AND em.name = ${input.model.name} AND em.version = ${input.model.version}
  AND (em.state = 'active' OR (em.state = 'retired' AND em.retired_at > now() - interval '15 seconds'))`);
}
