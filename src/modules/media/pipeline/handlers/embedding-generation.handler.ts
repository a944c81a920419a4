import { Inject, Injectable } from '@nestjs/common';
import type { TextEmbedder } from '../../../../infrastructure/ai/ai.types.js';
import { TextEmbedders } from '../../../../infrastructure/ai/text-embedders.js';
import { Database, type Transaction } from '../../../../infrastructure/database/database.js';
import { LOGGER } from '../../../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../../../infrastructure/observability/logger.js';
import { JobFailure, type JobContext, type JobHandler, type JobResult } from '../../../jobs/jobs.types.js';
import { EmbeddingModelsRepository } from '../../embedding-models/embedding-models.repository.js';
import { describeModel, type KeptModel } from '../../embedding-models/embedding-models.types.js';
import { ReindexService } from '../../embedding-models/reindex.service.js';
import { DocumentSource, embedDocuments } from '../document-source.js';
import { buildEmbeddingDocuments } from '../embedding-documents.js';
import { EmbeddingsRepository, type EmbeddedDocument } from '../embeddings.repository.js';
import { lockJobMedia, MediaSource } from '../media-source.js';
import { embeddingModelMismatch } from '../job-failures.js';

/**
 * Makes a file findable by meaning: embeds what is known of it as a whole, of each scene, and of what is said. With the
 * active model, and with those that are kept beside it for a switch or the way back; what goes wrong with these does
 * not concern the file: a job of its own tries them again.
 */
@Injectable()
export class EmbeddingGenerationHandler implements JobHandler {
  readonly jobType = 'embedding_generation';

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(TextEmbedders) private readonly embedders: TextEmbedders,
    @Inject(DocumentSource) private readonly documents: DocumentSource,
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
    @Inject(EmbeddingsRepository) private readonly embeddings: EmbeddingsRepository,
    @Inject(ReindexService) private readonly reindex: Pick<ReindexService, 'enqueue'>,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const media = await this.source.load(context);
    const { kept, known } = await this.database.run(async (tx) => ({
      kept: await this.models.kept(tx),
      known: await this.documents.collect(tx, context.job, media),
    }));
    // Asked first: a worker with other AI settings must not spend anything.
    const served = this.served(kept);
    const documents = buildEmbeddingDocuments(known);
    const embedded = new Map<number, EmbeddedDocument[]>();
    for (const [index, { model, embedder }] of served.entries()) {
      const isActive = model.state === 'active';
      const report = (done: number): Promise<void> =>
        context.progress(
          10 + Math.floor((80 * (index + done / documents.length)) / served.length),
          'embedding',
        );
      try {
        const payer = isActive ? 'owner' : 'operator';
        embedded.set(model.id, await embedDocuments(context, embedder, documents, payer, report));
      } catch (error) {
        if (isActive || context.signal.aborted) throw error;
        this.logger.warn(
          { model: describeModel(model), mediaFileId: media.id, reason: (error as Error).message },
          'a model beside the active one could not embed a file; a job of its own will try again',
        );
      }
    }
    return {
      data: {
        embeddings: documents.length,
        model: served[0]?.embedder.model.name,
        models: embedded.size,
      },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await this.store(tx, context.job, embedded);
      },
    };
  }

  /**
   * The models that this process can embed with, the active one first. The active one may be missing: then the file is
   * found by words until the operator has its provider back, or another model takes over.
   * @throws JobFailure `embedding-model-mismatch`, not retryable, when there is none at all
   */
  private served(kept: KeptModel[]): { model: KeptModel; embedder: TextEmbedder }[] {
    const served = kept.flatMap((model) => {
      const embedder = this.embedders.find(model);
      return embedder ? [{ model, embedder }] : [];
    });
    if (served.length > 0 && kept.some(({ state }) => state === 'active')) return served;
    throw embeddingModelMismatch(
      kept[0]?.state === 'active'
        ? `${describeModel(kept[0])} with ${kept[0].dimensions} dimensions is active, and this worker cannot embed with it.`
        : 'No embedding model is active.',
    );
  }

  /** Under the lock of the models: what was kept when the work began may have changed since. */
  private async store(
    tx: Transaction,
    job: JobContext['job'],
    embedded: ReadonlyMap<number, EmbeddedDocument[]>,
  ): Promise<void> {
    await this.models.lock(tx, 'shared');
    const toRetry: number[] = [];
    for (const model of await this.models.kept(tx)) {
      const vectors = embedded.get(model.id);
      const isServed = vectors !== undefined || this.embedders.find(model) !== null;
      if (!vectors && isServed && model.state === 'active') throw activeModelChanged();
      // Without new vectors the old ones are removed: they say what the file was, and would count as complete.
      await this.embeddings.replace(tx, job, model.id, vectors ?? []);
      if (!vectors && isServed) toRetry.push(model.id);
    }
    await this.reindex.enqueue(tx, job.mediaFileId, toRetry);
  }
}

function activeModelChanged(): JobFailure {
  return new JobFailure(
    'embedding-model-changed',
    'Another embedding model became active meanwhile.',
    true,
    'The job is tried again by itself.',
  );
}
