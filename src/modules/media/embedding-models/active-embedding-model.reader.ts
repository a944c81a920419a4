import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../../infrastructure/database/database.js';
import { EmbeddingModelsRepository } from './embedding-models.repository.js';
import type { RegisteredModel } from './embedding-models.types.js';

/**
 * How long another process may go on with the model before a switch. Its answers are right all the same: vectors are
 * compared with those of the model that made them, and a retired model keeps its own for a while (planFactsQuery).
 */
const CACHE_MS = 2_000;

/** Which embedding model search uses. */
@Injectable()
export class ActiveEmbeddingModelReader {
  private cached: { model: RegisteredModel | null; readAt: number } | null = null;
  private forgottenAt = 0;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
  ) {}

  /** At most two seconds old; null when no model is active. Not to be called inside a transaction. */
  async read(): Promise<RegisteredModel | null> {
    return this.remember(() => this.database.run((tx) => this.models.active(tx)));
  }

  /** The same where nobody is authenticated. */
  async readAsSystem(): Promise<RegisteredModel | null> {
    return this.remember(() =>
      this.database.runAsSystem('embedding-models.active', (tx) => this.models.active(tx)),
    );
  }

  /** As it is in this transaction. */
  readIn(tx: Transaction): Promise<RegisteredModel | null> {
    return this.models.active(tx);
  }

  /** To be called after a switch, so that this process follows at once. */
  forget(): void {
    this.cached = null;
    this.forgottenAt = performance.now();
  }

  private async remember(read: () => Promise<RegisteredModel | null>): Promise<RegisteredModel | null> {
    const now = performance.now();
    if (this.cached && now - this.cached.readAt < CACHE_MS) return this.cached.model;
    const entry = { model: await read(), readAt: now };
    // An answer that was under way while the model was switched may be the old one.
    if (now > this.forgottenAt) this.cached = entry;
    return entry.model;
  }
}
