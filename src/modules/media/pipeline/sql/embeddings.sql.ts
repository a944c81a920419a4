import { Prisma } from '../../../../infrastructure/database/generated/client.js';
import type { JsonObject } from '../clean-json.js';

/** One row of media_embeddings. `vector` is pgvector's binary halfvec of 1536 elements (encodeHalfvecBinary). */
export interface EmbeddingRow {
  id: string;
  analysisId: string | null;
  segmentType: string;
  startSeconds: number | null;
  endSeconds: number | null;
  isPrimary: boolean;
  confidence: number | null;
  quality: string;
  text: string;
  sourceFields: JsonObject;
  vector: Buffer;
}

interface EmbeddingsKey {
  userId: string;
  mediaFileId: string;
  modelId: number;
}

/** The vectors of one file made by one model; those of other models stay, so that a model can be built beside another. */
export function deleteEmbeddings({ userId, mediaFileId, modelId }: EmbeddingsKey): Prisma.Sql {
  return Prisma.sql`
    DELETE FROM media_embeddings
    WHERE user_id = ${userId}::uuid AND media_file_id = ${mediaFileId}::uuid AND model_id = ${modelId}::smallint`;
}

/** Inserts up to a few hundred rows in one statement. @param rows at least one */
export function insertEmbeddings(
  { userId, mediaFileId, modelId }: EmbeddingsKey,
  rows: readonly EmbeddingRow[],
): Prisma.Sql {
  const values = rows.map(
    (row) => Prisma.sql`(
      ${userId}::uuid, ${row.id}::uuid, ${mediaFileId}::uuid, ${row.analysisId}::uuid, ${modelId}::smallint,
      ${row.segmentType}, ${row.startSeconds}::numeric, ${row.endSeconds}::numeric, ${row.isPrimary}::boolean,
      ${row.confidence}::numeric, ${row.quality}, ${row.text}, ${JSON.stringify(row.sourceFields)}::jsonb,
      ${row.vector}::halfvec)`,
  );
  return Prisma.sql`
    INSERT INTO media_embeddings (user_id, id, media_file_id, analysis_id, model_id, segment_type,
      start_time_seconds, end_time_seconds, is_primary, confidence_score, source_quality, source_text, source_fields,
      embedding)
    VALUES ${Prisma.join(values)}`;
}
