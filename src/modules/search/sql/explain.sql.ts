import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { filterClauses } from '../../media/filter/media-filter.sql.js';
import type { MediaFilter } from '../../media/filter/media-filter.types.js';
import type { HalfvecParameter, SegmentType } from './vector-leg.sql.js';

/** What decides, beside the search itself, whether a file can be found. */
export interface ExplainFactsRow {
  title: string;
  status: string;
  statusReason: string | null;
  isPrivate: boolean;
  deletedAt: Date | null;
  /** JSON pointers of the filter's clauses that the file does not pass, relative to the filter. */
  failedClauses: string[];
  /** The file holds a word that the query excludes. */
  isExcluded: boolean;
  /** Wanted words, as typed, that occur nowhere in the file. */
  missingWords: string[];
}

/** One row; none when the user has no such file. */
export function explainFactsQuery(input: {
  userId: string;
  mediaFileId: string;
  filter: MediaFilter;
  /** Websearch syntax, or null. */
  excludedTerms: string | null;
  wantedWords: string[];
}): Prisma.Sql {
  const failed = filterClauses(input.userId, input.filter).map(
    ({ pointer, condition }) =>
      Prisma.sql`CASE WHEN (${condition}) IS TRUE THEN NULL ELSE ${pointer}::text END`,
  );
  return Prisma.sql`SELECT m.title, m.status, m.status_reason AS "statusReason", m.is_private AS "isPrivate",
  m.deleted_at AS "deletedAt",
  array_remove(ARRAY[${failed.length > 0 ? Prisma.join(failed, ',\n    ') : Prisma.sql`NULL::text`}], NULL) AS "failedClauses",
  coalesce(d.tsv @@ websearch_to_tsquery(d.config, unaccent(${input.excludedTerms}::text)), false) AS "isExcluded",
  ARRAY(SELECT word FROM unnest(${input.wantedWords}::text[]) WITH ORDINALITY AS w(word, position)
    WHERE d.tsv IS NULL OR NOT (d.tsv @@ plainto_tsquery(d.config, unaccent(word)))
      -- A stop word has no lexeme and can be missed nowhere.
      AND numnode(plainto_tsquery(d.config, unaccent(word))) > 0
    ORDER BY position) AS "missingWords"
FROM media_files m
LEFT JOIN search_docs d ON d.user_id = ${input.userId}::uuid AND d.media_file_id = m.id
WHERE m.user_id = ${input.userId}::uuid AND m.id = ${input.mediaFileId}::uuid`;
}

/** How near the file's vectors are to the query's. */
export interface ExplainVectorRow {
  /** Vectors of the model that the search may look at. */
  vectorCount: number;
  /** Cosine similarity of the nearest; null when there is none. */
  similarity: number | null;
}

export function explainVectorQuery(input: {
  userId: string;
  mediaFileId: string;
  modelId: number;
  vector: HalfvecParameter;
  /** null = all. */
  segmentTypes: SegmentType[] | null;
}): Prisma.Sql {
  const segments =
    input.segmentTypes === null
      ? Prisma.empty
      : Prisma.sql`AND e.segment_type = ANY(${input.segmentTypes}::text[])`;
  return Prisma.sql`SELECT count(*)::integer AS "vectorCount",
  max(1 - (e.embedding <=> ${input.vector}::halfvec(1536))) AS similarity
FROM media_embeddings e
WHERE e.user_id = ${input.userId}::uuid AND e.media_file_id = ${input.mediaFileId}::uuid
  AND e.model_id = ${input.modelId}::smallint ${segments}`;
}
