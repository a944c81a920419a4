import { Inject, Injectable } from '@nestjs/common';
import type { AiProviders, DetectedLabel } from '../../../../infrastructure/ai/ai.types.js';
import { cleanLine } from '../../../../infrastructure/ai/clean-text.js';
import { Database, type Transaction } from '../../../../infrastructure/database/database.js';
import type { MediaFile } from '../../../../infrastructure/database/generated/client.js';
import { AI_PROVIDERS } from '../../../../infrastructure/infrastructure.tokens.js';
import { JobFailure, type JobContext, type JobHandler, type JobResult } from '../../../jobs/jobs.types.js';
import { AnalysesRepository } from '../analyses.repository.js';
import { buildEmbeddingDocuments, type KnownMedia } from '../embedding-documents.js';
import { EmbeddingModelsRepository } from '../embedding-models.repository.js';
import { EmbeddingsRepository, type EmbeddedDocument } from '../embeddings.repository.js';
import { KeyframesRepository } from '../keyframes.repository.js';
import { lockJobMedia, MediaSource } from '../media-source.js';
import { TranscriptsRepository } from '../transcripts.repository.js';

/** Texts of one provider call: small enough to be retried cheaply, large enough to be few. */
const BATCH_SIZE = 64;

/** Makes a file findable by meaning: embeds what is known of it as a whole, of each scene, and of what is said. */
@Injectable()
export class EmbeddingGenerationHandler implements JobHandler {
  readonly jobType = 'embedding_generation';

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(AnalysesRepository) private readonly analyses: AnalysesRepository,
    @Inject(KeyframesRepository) private readonly keyframes: KeyframesRepository,
    @Inject(TranscriptsRepository) private readonly transcripts: TranscriptsRepository,
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
    @Inject(EmbeddingsRepository) private readonly embeddings: EmbeddingsRepository,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const media = await this.source.load(context);
    const embedder = this.providers.textEmbedder;
    const known = await this.database.run(async (tx) => {
      // Asked first: a worker with other AI settings must not spend anything.
      await this.models.activeFor(tx, embedder.model);
      return this.collect(tx, context.job, media);
    });
    const documents = buildEmbeddingDocuments(known);
    const embedded: EmbeddedDocument[] = [];
    for (let start = 0; start < documents.length; start += BATCH_SIZE) {
      await context.progress(10 + Math.floor((80 * start) / documents.length), 'embedding');
      const batch = documents.slice(start, start + BATCH_SIZE);
      const texts = batch.map(({ text }) => text);
      const { vectors } = await context.paid(embedder.estimate(texts), () =>
        embedder.embed(texts, context.signal),
      );
      batch.forEach((document, index) => {
        const vector = vectors[index];
        if (vector?.length !== embedder.model.dimensions)
          throw wrongVector(vector?.length, embedder.model.dimensions);
        embedded.push({ document, vector });
      });
    }
    return {
      data: { embeddings: embedded.length, model: embedder.model.name },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        // Again, under this transaction: another model may have become active while the texts were embedded.
        const model = await this.models.activeFor(tx, embedder.model);
        await this.embeddings.replace(tx, context.job, model.id, embedded);
      },
    };
  }

  private async collect(tx: Transaction, job: JobContext['job'], media: MediaFile): Promise<KnownMedia> {
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

function wrongVector(actual: number | undefined, expected: number): JobFailure {
  return new JobFailure(
    'provider-bad-answer',
    `The embedding model gave a vector of ${actual ?? 0} dimensions instead of ${expected}.`,
    true,
    'The job is tried again by itself; if it keeps failing, ask the operator.',
  );
}
