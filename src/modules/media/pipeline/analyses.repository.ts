import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { DetectedLabel } from '../../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { JobContext } from '../../jobs/jobs.types.js';
import type { JsonObject } from './clean-json.js';

export type AnalysisKind = 'image' | 'video' | 'transcript' | 'text';

/** A result to be kept; everything is clean and within its limits already. */
export interface NewAnalysis {
  kind: AnalysisKind;
  category?: string | null;
  summary?: string | null;
  tags?: string[];
  labels?: DetectedLabel[];
  detectedText?: string[];
  rawResponse: JsonObject;
  provider: string;
  model: string;
  /** The provider's own id of its answer. */
  traceId?: string;
}

export interface LatestAnalysis {
  id: string;
  version: number;
  rawResponse: unknown;
}

/** Versioned results of the analyses (003-04, C28): each run adds a version, none is ever changed. */
@Injectable()
export class AnalysesRepository {
  /** Adds the next version of that file and kind. Needs the lock of `lockJobMedia`, as it reads the last one first. */
  async add(
    tx: Transaction,
    job: JobContext['job'],
    analysis: NewAnalysis,
  ): Promise<{ id: string; version: number }> {
    const { userId, mediaFileId } = job;
    const latest = await this.latest(tx, job, analysis.kind);
    const id = uuidv7();
    const version = (latest?.version ?? 0) + 1;
    await tx.analysis.create({
      data: {
        userId,
        id,
        mediaFileId,
        version,
        kind: analysis.kind,
        category: analysis.category?.slice(0, 100) ?? null,
        summary: analysis.summary ?? null,
        tags: analysis.tags ?? [],
        labels: (analysis.labels ?? []).map((label) => ({ ...label })),
        detectedText: analysis.detectedText ?? [],
        rawResponse: analysis.rawResponse,
        providerUsed: analysis.provider.slice(0, 50),
        modelUsed: analysis.model.slice(0, 100),
        traceId: analysis.traceId?.slice(0, 100) ?? null,
        processingJobId: job.id,
      },
      select: { id: true },
    });
    return { id, version };
  }

  /**
   * Warnings of the last analysis of that kind. Projections are made from the analyses and never from the row, so that
   * a warning of an earlier version does not stay for ever.
   */
  async contentWarnings(tx: Transaction, job: JobContext['job'], kind: AnalysisKind): Promise<string[]> {
    return stringsOf((await this.latest(tx, job, kind))?.rawResponse, 'contentWarnings');
  }

  /** The last version of that file and kind, or null. */
  async latest(
    tx: Transaction,
    { userId, mediaFileId }: JobContext['job'],
    kind: AnalysisKind,
  ): Promise<LatestAnalysis | null> {
    return tx.analysis.findFirst({
      where: { userId, mediaFileId, kind },
      orderBy: { version: 'desc' },
      select: { id: true, version: true, rawResponse: true },
    });
  }
}

/** One member of a raw response as a list of strings; empty when it is none. */
function stringsOf(rawResponse: unknown, key: string): string[] {
  const value =
    typeof rawResponse === 'object' && rawResponse !== null
      ? (rawResponse as Record<string, unknown>)[key]
      : null;
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}
