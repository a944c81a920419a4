import { Prisma } from '../../../infrastructure/database/generated/client.js';

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

export interface NearDuplicateRow {
  mediaFileId: string;
  /** Bits of 64 in which the perceptual hashes differ. */
  distance: number;
}

/**
 * Own files that look nearly the same: perceptual hashes that differ in few bits. A hash of equal bits is that of a
 * picture without any structure (one colour, a plain gradient) and says nothing, so such pictures are left out.
 */
export function nearDuplicatesQuery(input: {
  userId: string;
  mediaFileId: string;
  perceptualHash: string;
  maxDistance: number;
  includePrivate: boolean;
  limit: number;
}): Prisma.Sql {
  return Prisma.sql`SELECT c.id AS "mediaFileId", c.distance::integer AS distance
FROM (
  SELECT m.id, bit_count(('x' || m.perceptual_hash)::bit(64) # ('x' || ${input.perceptualHash}::text)::bit(64)) AS distance,
    bit_count(('x' || m.perceptual_hash)::bit(64)) AS ones
  FROM media_files m
  WHERE m.user_id = ${input.userId}::uuid AND m.id <> ${input.mediaFileId}::uuid AND m.deleted_at IS NULL
    AND (${input.includePrivate} OR NOT m.is_private) AND m.perceptual_hash ~ '^[0-9a-fA-F]{16}$'
) c
WHERE c.distance <= ${input.maxDistance}::integer AND c.ones BETWEEN 1 AND 63
ORDER BY c.distance, c.id
LIMIT ${input.limit}::integer`;
}
