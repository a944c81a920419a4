import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { TextEmbedders } from '../../../infrastructure/ai/text-embedders.js';
import { currentUserId } from '../../../infrastructure/context/current-user.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { BACKGROUND_JOB_TYPE } from '../../jobs/jobs.types.js';
import { EmbeddingModelsRepository } from './embedding-models.repository.js';

/** Has single files embedded again, in the caller's transaction and in the name of their owner. */
@Injectable()
export class ReindexService {
  constructor(
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
    @Inject(TextEmbedders) private readonly embedders: TextEmbedders,
    @Inject(JobsService) private readonly jobs: JobsService,
  ) {}

  /** Writes a job for each of these models. Call JobsService.wake once the transaction has committed. */
  async enqueue(tx: Transaction, mediaFileId: string, modelIds: readonly number[]): Promise<void> {
    await this.jobs.enqueue(
      tx,
      modelIds.map((modelId) => ({
        id: uuidv7(),
        jobType: BACKGROUND_JOB_TYPE,
        mediaFileId,
        config: { modelId },
      })),
    );
  }

  /** For a file that was in the trash while models changed: what it lacks. */
  async enqueueMissing(tx: Transaction, mediaFileId: string): Promise<void> {
    const file = { userId: currentUserId(), mediaFileId };
    const missing: number[] = [];
    for (const model of await this.models.kept(tx)) {
      if (this.embedders.find(model) === null) continue;
      if (!(await this.models.hasVectors(tx, file, model.id))) missing.push(model.id);
    }
    await this.enqueue(tx, mediaFileId, missing);
  }
}
