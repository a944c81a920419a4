import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import { Database } from '../../infrastructure/database/database.js';
import { APP_CONFIG } from '../../infrastructure/infrastructure.tokens.js';
import { normalizeQuery } from './query-text.js';
import { deleteQueryVectors, keepQueryVector, keptQueryVector } from './sql/query-vectors.sql.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

/** Which kept vector a search used. */
export interface QueryVectorUse {
  /** SHA-256 in hexadecimal, as search_history.query_vector_hash refers to it. */
  hash: string;
  /** The vector was there already: no provider was asked. */
  isHit: boolean;
}

/**
 * The vectors of a user's queries, kept when the operator wants it (C73), and so the cache of query embeddings (C61).
 * Each user has vectors of their own: a shared cache would answer faster what somebody else has searched for.
 */
@Injectable()
export class QueryVectorsService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SEARCH_KEEP_QUERY_VECTORS'>,
  ) {}

  get isOn(): boolean {
    return this.config.SEARCH_KEEP_QUERY_VECTORS;
  }

  /** What stands for this text of the current user, whatever its case and spacing. */
  hashOf(text: string): string {
    return createHash('sha256')
      .update(`${currentUserId()} ${normalizeQuery(text)}`)
      .digest('hex');
  }

  /** @returns the vector (halfvec in text form), or null when none is kept for this model */
  async find(model: EmbeddingModel, hash: string): Promise<string | null> {
    const userId = currentUserId();
    const rows = await this.database.run((tx) =>
      tx.$queryRaw<{ vector: string }[]>(keptQueryVector({ userId, model, hash })),
    );
    return rows[0]?.vector ?? null;
  }

  /** Keeps a vector; one that is there already stays. Nothing is kept of a model that is not the active one. */
  async keep(model: EmbeddingModel, hash: string, vector: HalfvecParameter): Promise<void> {
    const userId = currentUserId();
    await this.database.run((tx) => tx.$executeRaw(keepQueryVector({ userId, model, hash, vector })));
  }

  /** Forgets the current user's vectors. Joins the caller's transaction. */
  async clear(): Promise<number> {
    const userId = currentUserId();
    return this.database.run((tx) => tx.$executeRaw(deleteQueryVectors({ userId })));
  }
}
