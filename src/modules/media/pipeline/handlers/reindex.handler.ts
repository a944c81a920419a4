import { Inject, Injectable } from '@nestjs/common';
import { TextEmbedders } from '../../../../infrastructure/ai/text-embedders.js';
import { Database } from '../../../../infrastructure/database/database.js';
import {
  BACKGROUND_JOB_TYPE,
  type JobContext,
  type JobHandler,
  type JobResult,
} from '../../../jobs/jobs.types.js';
import { EmbeddingModelsRepository } from '../../embedding-models/embedding-models.repository.js';
import { describeModel } from '../../embedding-models/embedding-models.types.js';
import { DocumentSource, embedDocuments } from '../document-source.js';
import { buildEmbeddingDocuments } from '../embedding-documents.js';
import { EmbeddingsRepository } from '../embeddings.repository.js';
import { embeddingModelMismatch } from '../job-failures.js';
import { lockJobMedia, MediaSource } from '../media-source.js';

/**
 * Embeds one file again, with the one model that `config.modelId` names, from what is known of it: nothing is analysed.
 * The operator ordered it and pays for it. A file that has vectors of the model by now is left as it is, so any number
 * of such jobs cost what one does.
 */
@Injectable()
export class ReindexHandler implements JobHandler {
  readonly jobType = BACKGROUND_JOB_TYPE;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(TextEmbedders) private readonly embedders: TextEmbedders,
    @Inject(DocumentSource) private readonly documents: DocumentSource,
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
    @Inject(EmbeddingsRepository) private readonly embeddings: EmbeddingsRepository,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const { job } = context;
    const modelId = Number(job.config['modelId']);
    const media = await this.source.load(context);
    const found = await this.database.run(async (tx) => {
      const model = (await this.models.kept(tx)).find(({ id }) => id === modelId);
      if (!model || (await this.models.hasVectors(tx, job, modelId))) return null;
      return { model, known: await this.documents.collect(tx, job, media) };
    });
    if (!found) return { data: { embeddings: 0, modelId } };
    const embedder = this.embedders.find(found.model);
    if (!embedder)
      throw embeddingModelMismatch(`This worker cannot embed with ${describeModel(found.model)}.`);
    const documents = buildEmbeddingDocuments(found.known);
    const embedded = await embedDocuments(context, embedder, documents, 'operator', (done) =>
      context.progress(10 + Math.floor((80 * done) / documents.length), 'embedding'),
    );
    return {
      data: { embeddings: embedded.length, modelId },
      commit: async (tx) => {
        await lockJobMedia(tx, job);
        await this.models.lock(tx, 'shared');
        const isKept = (await this.models.kept(tx)).some(({ id }) => id === modelId);
        // Whoever embedded the file meanwhile knew more of it.
        if (!isKept || (await this.models.hasVectors(tx, job, modelId))) return;
        await this.embeddings.replace(tx, job, modelId, embedded);
      },
    };
  }
}
