import { Prisma } from '../../../../infrastructure/database/generated/client.js';

interface MediaKey {
  userId: string;
  mediaFileId: string;
}

/**
 * Locks the file's row for the rest of the transaction, so that two jobs of one file write one after the other
 * (versions, bytes and projections are read and then written). Gives a row when the file exists and is not deleted.
 */
export function lockMedia({ userId, mediaFileId }: MediaKey): Prisma.Sql {
  return Prisma.sql`
    SELECT id FROM media_files
    WHERE user_id = ${userId}::uuid AND id = ${mediaFileId}::uuid AND deleted_at IS NULL
    FOR NO KEY UPDATE`;
}
export interface LockedMediaRow {
  id: string;
}

/** detected_labels = the rows of media_labels: what was seen first, then keywords, each by confidence (C28). */
export function projectLabels({ userId, mediaFileId }: MediaKey, keywordKind: string): Prisma.Sql {
  return Prisma.sql`
    UPDATE media_files m SET detected_labels = (
      SELECT coalesce(jsonb_agg(
        jsonb_build_object('name', l.label, 'confidence', round(l.confidence::numeric, 4), 'kind', l.kind)
        ORDER BY (l.kind = ${keywordKind}), round(l.confidence::numeric, 4) DESC, l.label COLLATE "C"), '[]'::jsonb)
      FROM media_labels l WHERE l.user_id = m.user_id AND l.media_file_id = m.id
    )
    WHERE m.user_id = ${userId}::uuid AND m.id = ${mediaFileId}::uuid`;
}

/** The image or video analysis gives the summary only until a text analysis, which knows more, has given one. */
export function projectVisualSummary({ userId, mediaFileId }: MediaKey, summary: string | null): Prisma.Sql {
  return Prisma.sql`
    UPDATE media_files m SET ai_summary = ${summary}
    WHERE m.user_id = ${userId}::uuid AND m.id = ${mediaFileId}::uuid
      AND NOT EXISTS (
        SELECT 1 FROM analyses a WHERE a.user_id = m.user_id AND a.media_file_id = m.id AND a.kind = 'text')`;
}

/** derivative_bytes = this thumbnail and the key frames there are (C25). Needs the lock of `lockMedia`. */
export function setThumbnail(
  { userId, mediaFileId }: MediaKey,
  thumbnail: { key: string; sizeBytes: number },
): Prisma.Sql {
  return Prisma.sql`
    UPDATE media_files m SET
      thumbnail_s3_key = ${thumbnail.key},
      derivative_bytes = ${thumbnail.sizeBytes}::bigint + (
        SELECT coalesce(sum(k.size_bytes), 0) FROM keyframes k
        WHERE k.user_id = m.user_id AND k.media_file_id = m.id)
    WHERE m.user_id = ${userId}::uuid AND m.id = ${mediaFileId}::uuid`;
}

/**
 * derivative_bytes without the key frames that are about to be replaced, and with those that follow. The thumbnail's
 * part stays: its job may run at the same time. Needs the lock of `lockMedia`.
 */
export function replaceKeyframeBytes({ userId, mediaFileId }: MediaKey, newBytes: number): Prisma.Sql {
  return Prisma.sql`
    UPDATE media_files m SET derivative_bytes = greatest(0, m.derivative_bytes - (
        SELECT coalesce(sum(k.size_bytes), 0) FROM keyframes k
        WHERE k.user_id = m.user_id AND k.media_file_id = m.id)) + ${newBytes}::bigint
    WHERE m.user_id = ${userId}::uuid AND m.id = ${mediaFileId}::uuid`;
}
