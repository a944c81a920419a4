import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Transcript } from '../../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { TranscriptCue } from '../../../infrastructure/media-tools/media-tools.types.js';
import type { JobContext } from '../../jobs/jobs.types.js';
import { insertTranscriptSegments } from './sql/transcript.sql.js';

/** The lines of speech and subtitles of a video. */
@Injectable()
export class TranscriptsRepository {
  /** Replaces all cues of the file. @param cues as `normaliseCues` gives them */
  async replace(
    tx: Transaction,
    { userId, mediaFileId }: JobContext['job'],
    cues: readonly TranscriptCue[],
    source: Transcript['source'],
  ): Promise<void> {
    await tx.transcriptSegment.deleteMany({ where: { userId, mediaFileId } });
    if (cues.length === 0) return;
    const segments = cues.map((cue) => ({ id: uuidv7(), ...cue }));
    await tx.$executeRaw(insertTranscriptSegments({ userId, mediaFileId, source }, segments));
  }

  /** All cues of the file in order of time, and where they come from. */
  async all(
    tx: Transaction,
    { userId, mediaFileId }: JobContext['job'],
  ): Promise<{ cues: TranscriptCue[]; source: Transcript['source'] | null }> {
    const rows = await tx.transcriptSegment.findMany({
      where: { userId, mediaFileId },
      orderBy: [{ startTimeSeconds: 'asc' }, { endTimeSeconds: 'asc' }, { id: 'asc' }],
    });
    return {
      cues: rows.map((row) => ({
        startSeconds: Number(row.startTimeSeconds),
        endSeconds: Number(row.endTimeSeconds),
        text: row.text,
      })),
      source: (rows[0]?.source as Transcript['source'] | undefined) ?? null,
    };
  }
}
