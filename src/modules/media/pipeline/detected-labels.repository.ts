import { Injectable } from '@nestjs/common';
import type { DetectedLabel } from '../../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { JobContext } from '../../jobs/jobs.types.js';
import { KEYWORD_KIND } from './labels.js';
import { projectLabels } from './sql/projection.sql.js';

/** media_labels and their projection on media_files.detected_labels, always written together. */
@Injectable()
export class DetectedLabelsRepository {
  /** Replaces what was seen in the picture or video. A keyword of the same name gives way: seen is better than guessed. */
  async replaceVisual(
    tx: Transaction,
    job: JobContext['job'],
    labels: readonly DetectedLabel[],
  ): Promise<void> {
    const { userId, mediaFileId } = job;
    await tx.mediaLabel.deleteMany({
      where: {
        userId,
        mediaFileId,
        OR: [{ kind: { not: KEYWORD_KIND } }, { label: { in: labels.map(({ name }) => name) } }],
      },
    });
    await this.insert(tx, job, labels);
  }

  /** Replaces the keywords; those that were seen in the picture as well stay as they are. */
  async replaceKeywords(
    tx: Transaction,
    job: JobContext['job'],
    labels: readonly DetectedLabel[],
  ): Promise<void> {
    const { userId, mediaFileId } = job;
    await tx.mediaLabel.deleteMany({ where: { userId, mediaFileId, kind: KEYWORD_KIND } });
    await this.insert(tx, job, labels);
  }

  /** All labels of the file but keywords, strongest first. */
  async visual(tx: Transaction, { userId, mediaFileId }: JobContext['job']): Promise<DetectedLabel[]> {
    const rows = await tx.mediaLabel.findMany({
      where: { userId, mediaFileId, kind: { not: KEYWORD_KIND } },
      orderBy: [{ confidence: 'desc' }, { label: 'asc' }],
    });
    return rows.map(toLabel);
  }

  private async insert(
    tx: Transaction,
    job: JobContext['job'],
    labels: readonly DetectedLabel[],
  ): Promise<void> {
    const { userId, mediaFileId } = job;
    await tx.mediaLabel.createMany({
      data: labels.map(({ name, confidence, kind }) => ({
        userId,
        mediaFileId,
        label: name,
        confidence,
        kind,
      })),
      skipDuplicates: true,
    });
    await tx.$executeRaw(projectLabels(job, KEYWORD_KIND));
  }
}

function toLabel(row: { label: string; confidence: number; kind: string }): DetectedLabel {
  return { name: row.label, confidence: row.confidence, kind: row.kind };
}
