import { Prisma } from '../../../../infrastructure/database/generated/client.js';

/** A cue as it is stored. */
export interface TranscriptSegmentInput {
  id: string;
  startSeconds: number;
  endSeconds: number;
  text: string;
}

/**
 * Inserts all cues of one file. As one JSON parameter: a long film has thousands of cues, and a statement takes
 * 65,535 parameters at most.
 */
export function insertTranscriptSegments(
  { userId, mediaFileId, source }: { userId: string; mediaFileId: string; source: string },
  segments: readonly TranscriptSegmentInput[],
): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO transcript_segments (user_id, id, media_file_id, start_time_seconds, end_time_seconds, text, source)
    SELECT ${userId}::uuid, cue.id, ${mediaFileId}::uuid, cue."startSeconds", cue."endSeconds", cue.text, ${source}
    FROM jsonb_to_recordset(${JSON.stringify(segments)}::jsonb)
      AS cue(id uuid, "startSeconds" numeric, "endSeconds" numeric, text text)`;
}
