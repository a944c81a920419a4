import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { DetectedLabel } from '../../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { JobContext } from '../../jobs/jobs.types.js';
import { replaceKeyframeBytes } from './sql/projection.sql.js';

/** A key frame whose picture is stored and analysed. */
export interface NewKeyframe {
  timestampSeconds: number;
  storageKey: string;
  width: number;
  height: number;
  sizeBytes: number;
  description: string | null;
  labels: DetectedLabel[];
  detectedText: string[];
  perceptualHash: string | null;
}

export interface StoredKeyframe extends Omit<NewKeyframe, 'width' | 'height' | 'sizeBytes'> {
  id: string;
}

/** The key frames of a video (004-04). */
@Injectable()
export class KeyframesRepository {
  /** Replaces all key frames of the file and what they add to derivative_bytes. Needs the lock of `lockJobMedia`. */
  async replace(tx: Transaction, job: JobContext['job'], keyframes: readonly NewKeyframe[]): Promise<void> {
    const { userId, mediaFileId } = job;
    const newBytes = keyframes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await tx.$executeRaw(replaceKeyframeBytes(job, newBytes));
    await tx.keyframe.deleteMany({ where: { userId, mediaFileId } });
    await tx.keyframe.createMany({
      data: keyframes.map((keyframe) => ({
        ...keyframe,
        userId,
        id: uuidv7(),
        mediaFileId,
        labels: keyframe.labels.map((label) => ({ ...label })),
      })),
    });
  }

  /** All key frames of the file in order of time. */
  async all(tx: Transaction, { userId, mediaFileId }: JobContext['job']): Promise<StoredKeyframe[]> {
    const rows = await tx.keyframe.findMany({
      where: { userId, mediaFileId },
      orderBy: { timestampSeconds: 'asc' },
    });
    return rows.map((row) => ({
      id: row.id,
      timestampSeconds: Number(row.timestampSeconds),
      storageKey: row.storageKey,
      description: row.description,
      // Written by `replace` alone.
      labels: row.labels as unknown as DetectedLabel[],
      detectedText: row.detectedText,
      perceptualHash: row.perceptualHash,
    }));
  }
}
