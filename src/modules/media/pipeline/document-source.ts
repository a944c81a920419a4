import { Inject, Injectable } from '@nestjs/common';
import type { DetectedLabel, TextEmbedder } from '../../../infrastructure/ai/ai.types.js';
import { cleanLine } from '../../../infrastructure/ai/clean-text.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { MediaFile } from '../../../infrastructure/database/generated/client.js';
import { JobFailure, type JobContext, type Payer } from '../../jobs/jobs.types.js';
import { AnalysesRepository } from './analyses.repository.js';
import type { EmbeddingDocument, KnownMedia } from './embedding-documents.js';
import type { EmbeddedDocument } from './embeddings.repository.js';
import { KeyframesRepository } from './keyframes.repository.js';
import { TranscriptsRepository } from './transcripts.repository.js';

/** Texts of one provider call: small enough to be retried cheaply, large enough to be few. */
const BATCH_SIZE = 64;

/** Reads everything that the documents of a file are made of. */
@Injectable()
export class DocumentSource {
  constructor(
    @Inject(AnalysesRepository) private readonly analyses: AnalysesRepository,
    @Inject(KeyframesRepository) private readonly keyframes: KeyframesRepository,
    @Inject(TranscriptsRepository) private readonly transcripts: TranscriptsRepository,
  ) {}

  async collect(tx: Transaction, job: JobContext['job'], media: MediaFile): Promise<KnownMedia> {
    const isVideo = media.fileType === 'video';
    const transcript = isVideo ? await this.transcripts.all(tx, job) : { cues: [], source: null };
    const visual = await this.analyses.latest(tx, job, isVideo ? 'video' : 'image');
    const text = await this.analyses.latest(tx, job, 'text');
    const audio = isVideo ? await this.analyses.latest(tx, job, 'transcript') : null;
    const exif = media.exif as { description?: unknown };
    return {
      fileType: isVideo ? 'video' : 'image',
      title: media.title,
      originalFilename: media.originalFilename,
      description: cleanLine(exif.description, 1000) || null,
      // Written by the label projection alone.
      labels: media.detectedLabels as unknown as DetectedLabel[],
      tags: media.tags,
      categories: media.categories,
      summary: media.aiSummary,
      detectedText: media.detectedText,
      transcript: media.transcriptionText,
      durationSeconds: media.durationSeconds === null ? null : Number(media.durationSeconds),
      keyframes: isVideo ? await this.keyframes.all(tx, job) : [],
      cues: transcript.cues,
      cueSource: transcript.source,
      analysisIds: {
        full: text?.id ?? visual?.id ?? null,
        visual: visual?.id ?? null,
        audio: audio?.id ?? null,
      },
    };
  }
}

/**
 * Embeds the documents of one file with one model, in batches.
 * @param report told how many documents are done
 * @throws JobFailure `provider-bad-answer`, `budget-exhausted`; ProviderError
 */
export async function embedDocuments(
  context: JobContext,
  embedder: TextEmbedder,
  documents: readonly EmbeddingDocument[],
  payer: Payer,
  report: (done: number) => Promise<void>,
): Promise<EmbeddedDocument[]> {
  const { dimensions } = embedder.model;
  const embedded: EmbeddedDocument[] = [];
  for (let start = 0; start < documents.length; start += BATCH_SIZE) {
    await report(start);
    const batch = documents.slice(start, start + BATCH_SIZE);
    const texts = batch.map(({ text }) => text);
    const { vectors } = await context.paid(
      embedder.estimate(texts),
      () => embedder.embed(texts, context.signal),
      payer,
    );
    batch.forEach((document, index) => {
      const vector = vectors[index];
      if (vector?.length !== dimensions) throw wrongVector(vector?.length, dimensions);
      embedded.push({ document, vector });
    });
  }
  return embedded;
}

function wrongVector(actual: number | undefined, expected: number): JobFailure {
  return new JobFailure(
    'provider-bad-answer',
    `The embedding model gave a vector of ${actual ?? 0} dimensions instead of ${expected}.`,
    true,
    'The job is tried again by itself; if it keeps failing, ask the operator.',
  );
}
