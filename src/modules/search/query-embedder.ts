import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import {
  ProviderError,
  type AiProviders,
  type EmbeddingModel,
  type PricedUsage,
} from '../../infrastructure/ai/ai.types.js';
import { encodeHalfvecBinary, toStoredVector } from '../../infrastructure/ai/vectors.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { AI_PROVIDERS, LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import { UsageService } from '../billing/usage.service.js';
import { JobFailure } from '../jobs/jobs.types.js';
import { normalizeQuery } from './query-text.js';
import { QueryVectorsService, type QueryVectorUse } from './query-vectors.service.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

/** A person waits for the answer: after this the search goes on with words alone. */
const EMBEDDING_TIMEOUT_MS = 8_000;

export type UnavailableReason = 'provider' | 'budget' | 'model';

export interface EmbeddedQuery {
  vector: HalfvecParameter;
  /** null when no provider was asked. */
  usage: PricedUsage | null;
  /** Where the vector is kept; absent when it is not. */
  kept?: QueryVectorUse;
}

export class SemanticUnavailableError extends Error {
  override name = 'SemanticUnavailableError';
  constructor(
    readonly reason: UnavailableReason,
    /** What a failed call costs all the same. */
    readonly usage?: PricedUsage,
    options?: ErrorOptions,
  ) {
    super(`the query cannot be embedded: ${reason}`, options);
  }
}

/** Turns a query's text into a vector, within the plan's budget. Never called inside a transaction. */
@Injectable()
export class QueryEmbedder {
  constructor(
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(QueryVectorsService) private readonly vectors: QueryVectorsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  get model(): EmbeddingModel {
    return this.providers.textEmbedder.model;
  }

  /**
   * A vector that was kept (C73) is given without asking anybody. With keeping on, the normalised text is embedded, so
   * that the vector does not depend on who of "Dog" and "dog" came first.
   * @throws SemanticUnavailableError when the provider fails or the month's budget is spent
   * @throws AppError 400 when the text holds nothing that could be embedded
   */
  async embed(text: string): Promise<EmbeddedQuery> {
    if (!this.vectors.isOn) return this.ask(text);
    const hash = this.vectors.hashOf(text);
    const known = await this.vectors.find(this.model, hash);
    if (known !== null) return { vector: known, usage: null, kept: { hash, isHit: true } };
    const embedded = await this.ask(normalizeQuery(text));
    try {
      await this.vectors.keep(this.model, hash, embedded.vector);
    } catch (error) {
      // The vector is paid for and there: the search goes on, and its cost is recorded.
      this.logger.warn({ sqlState: sqlStateOf(error) }, 'query vector not kept');
      return embedded;
    }
    return { ...embedded, kept: { hash, isHit: false } };
  }

  private async ask(text: string): Promise<EmbeddedQuery> {
    const { textEmbedder } = this.providers;
    try {
      await this.usage.assertBudget(textEmbedder.estimate([text]));
      const { vectors, usage } = await textEmbedder.embed([text], AbortSignal.timeout(EMBEDDING_TIMEOUT_MS));
      if (vectors[0] === undefined) throw new SemanticUnavailableError('provider', usage);
      return { vector: encodeHalfvecBinary(toStoredVector(vectors[0])), usage };
    } catch (error) {
      throw this.translate(error);
    }
  }

  private translate(error: unknown): unknown {
    if (error instanceof JobFailure)
      return new SemanticUnavailableError('budget', undefined, { cause: error });
    if (!(error instanceof ProviderError)) return error;
    if (error.code === 'provider-bad-input') {
      return errors.badRequest(
        'empty-query',
        'The query holds nothing that could be searched for.',
        '/query',
      );
    }
    // Never the query itself.
    this.logger.warn({ code: error.code, hint: error.hint }, 'query could not be embedded');
    return new SemanticUnavailableError('provider', error.usage, { cause: error });
  }
}
