import { Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import { JobFailure } from '../../jobs/jobs.types.js';

/** A model as it is registered; `id` is what vectors refer to. */
export interface RegisteredModel extends EmbeddingModel {
  id: number;
}

/** Reads the registry of embedding models (C03); start-up and administrators write it. */
@Injectable()
export class EmbeddingModelsRepository {
  /** The model that search and new vectors use, or null when none is active. */
  async active(tx: Transaction): Promise<RegisteredModel | null> {
    return tx.embeddingModel.findFirst({
      where: { state: 'active' },
      select: { id: true, provider: true, name: true, version: true, dimensions: true },
    });
  }

  /**
   * The active model, which has to be the one that this process embeds with: vectors of two models cannot be compared.
   * @throws JobFailure `embedding-model-mismatch`, not retryable
   */
  async activeFor(tx: Transaction, model: EmbeddingModel): Promise<RegisteredModel> {
    const active = await this.active(tx);
    if (!active) throw mismatch('No embedding model is active.');
    const same =
      active.provider === model.provider && active.name === model.name && active.version === model.version;
    if (!same)
      throw mismatch(`${describe(active)} is active, but this worker embeds with ${describe(model)}.`);
    if (active.dimensions !== model.dimensions) {
      throw mismatch(
        `${describe(active)} is registered with ${active.dimensions} dimensions, not ${model.dimensions}.`,
      );
    }
    return active;
  }
}

function describe({ provider, name, version }: EmbeddingModel): string {
  return `${provider}/${name} ${version}`;
}

function mismatch(message: string): JobFailure {
  return new JobFailure(
    'embedding-model-mismatch',
    message,
    false,
    'The operator has to restart the processes with the same AI settings, or re-embed the files with the new model.',
  );
}
