import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { HalfvecParameter } from './vector-leg.sql.js';

/** The file that others are compared with; no row when it is not the user's or in the trash. */
export interface SimilarSourceRow {
  perceptualHash: string | null;
  /** halfvec text of the file's main vector under the model; null while there is none. */
  vector: string | null;
}

export function similarSourceQuery(input: {
  userId: string;
  mediaFileId: string;
  modelId: number;
}): Prisma.Sql {
  return Prisma.sql`SELECT m.perceptual_hash AS "perceptualHash", (
    SELECT e.embedding::text FROM media_embeddings e
    WHERE e.user_id = ${input.userId}::uuid AND e.media_file_id = m.id AND e.model_id = ${input.modelId}::smallint
      AND e.is_primary
  ) AS vector
FROM media_files m
WHERE m.user_id = ${input.userId}::uuid AND m.id = ${input.mediaFileId}::uuid AND m.deleted_at IS NULL`;
}

/** One of the files that a search is composed of. */
export interface PartSourceRow {
  mediaFileId: string;
  perceptualHash: string | null;
  vector: string | null;
}

/** Main vectors and hashes of some files; no row for one that is not the user's or in the trash. */
export function partSourcesQuery(input: {
  userId: string;
  mediaFileIds: string[];
  modelId: number;
}): Prisma.Sql {
  return Prisma.sql`SELECT m.id AS "mediaFileId", m.perceptual_hash AS "perceptualHash", (
    SELECT e.embedding::text FROM media_embeddings e
    WHERE e.user_id = ${input.userId}::uuid AND e.media_file_id = m.id AND e.model_id = ${input.modelId}::smallint
      AND e.is_primary
  ) AS vector
FROM media_files m
WHERE m.user_id = ${input.userId}::uuid AND m.id = ANY(${input.mediaFileIds}::uuid[]) AND m.deleted_at IS NULL`;
}

export interface NearDuplicateRow {
  mediaFileId: string;
  /** Bits of 64 in which the perceptual hashes differ; 0 for the very same bytes. */
  distance: number;
}

/**
 * Own files that look nearly the same: perceptual hashes that differ in few bits. A hash of equal bits is that of a
 * picture without any structure (one colour, a plain gradient) and says nothing, so such pictures are left out, unless
 * they are the very same bytes.
 */
export function nearDuplicatesQuery(input: {
  userId: string;
  /** The file compared with, which is left out; null when it is not stored. */
  mediaFileId: string | null;
  /** null = hashes are not compared. */
  perceptualHash: string | null;
  maxDistance: number;
  /** SHA-256 (hex) of a file that is not stored; null when it is. */
  fileHash: string | null;
  includePrivate: boolean;
  limit: number;
}): Prisma.Sql {
  const other =
    input.mediaFileId === null ? Prisma.empty : Prisma.sql`AND m.id <> ${input.mediaFileId}::uuid`;
  return Prisma.sql`SELECT c.id AS "mediaFileId", CASE WHEN c.same_bytes THEN 0 ELSE c.distance::integer END AS distance
FROM (
  SELECT m.id, coalesce(m.file_hash = ${input.fileHash}::text, false) AS same_bytes,
    bit_count(h.hash # ('x' || ${input.perceptualHash}::text)::bit(64)) AS distance, bit_count(h.hash) AS ones
  FROM media_files m
  CROSS JOIN LATERAL (
    SELECT CASE WHEN m.perceptual_hash ~ '^[0-9a-fA-F]{16}$' THEN ('x' || m.perceptual_hash)::bit(64) END AS hash
  ) h
  WHERE m.user_id = ${input.userId}::uuid AND m.deleted_at IS NULL AND (${input.includePrivate} OR NOT m.is_private)
    ${other}
) c
WHERE c.same_bytes OR (c.distance <= ${input.maxDistance}::integer AND c.ones BETWEEN 1 AND 63)
ORDER BY c.same_bytes DESC, c.distance, c.id
LIMIT ${input.limit}::integer`;
}

interface PageInput {
  userId: string;
  modelId: number;
  mediaFileIds: string[];
  /** What the files were compared with. */
  vector: HalfvecParameter;
}

/** The moment of a video that is nearest in meaning. */
export interface NearestMomentRow {
  mediaFileId: string;
  kind: 'speech' | 'visual';
  startSeconds: number;
  endSeconds: number;
  /** Cosine similarity. */
  similarity: number;
  text: string;
}

/** A moment is one or two lines to a viewer, as in moments.ts. */
const MOMENT_CHARACTERS = 300;

/** One row per file that has moments at all and one of them above the floor. */
export function nearestMomentsQuery(input: PageInput & { floor: number }): Prisma.Sql {
  return Prisma.sql`SELECT page.id AS "mediaFileId", CASE s.segment_type WHEN 'audio' THEN 'speech' ELSE 'visual' END AS kind,
  s.start_time_seconds::float8 AS "startSeconds", s.end_time_seconds::float8 AS "endSeconds", s.similarity,
  left(s.source_text, ${MOMENT_CHARACTERS}::integer) AS text
FROM unnest(${input.mediaFileIds}::uuid[]) AS page(id)
CROSS JOIN LATERAL (
  SELECT e.segment_type, e.start_time_seconds, e.end_time_seconds, e.source_text,
    1 - (e.embedding <=> ${input.vector}::halfvec(1536)) AS similarity
  FROM media_embeddings e
  WHERE e.user_id = ${input.userId}::uuid AND e.media_file_id = page.id AND e.model_id = ${input.modelId}::smallint
    AND e.segment_type <> 'full'
  ORDER BY similarity DESC, e.start_time_seconds, e.id LIMIT 1
) s
WHERE s.similarity >= ${input.floor}::float8`;
}

export interface PartSimilaritiesRow {
  mediaFileId: string;
  /** Cosine similarity to each part, in the parts' order. */
  similarities: number[];
}

/**
 * How near the files are to each part of a composed search: of the one segment that is nearest to the whole, so that
 * the parts' similarities, weighted, add up to the file's score.
 * @param input.parts halfvec texts
 */
export function partSimilaritiesQuery(input: PageInput & { parts: string[] }): Prisma.Sql {
  return Prisma.sql`WITH parts AS MATERIALIZED (
  SELECT part.vector::halfvec(1536) AS vector, part.position
  FROM unnest(${input.parts}::text[]) WITH ORDINALITY AS part(vector, position)
)
SELECT page.id AS "mediaFileId",
  ARRAY(SELECT 1 - (nearest.embedding <=> parts.vector) FROM parts ORDER BY parts.position) AS similarities
FROM unnest(${input.mediaFileIds}::uuid[]) AS page(id)
CROSS JOIN LATERAL (
  SELECT e.embedding, 1 - (e.embedding <=> ${input.vector}::halfvec(1536)) AS similarity
  FROM media_embeddings e
  WHERE e.user_id = ${input.userId}::uuid AND e.media_file_id = page.id AND e.model_id = ${input.modelId}::smallint
  ORDER BY similarity DESC, e.id LIMIT 1
) nearest`;
}
