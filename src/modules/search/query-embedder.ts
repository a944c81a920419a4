import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import {
  ProviderError,
  type EmbeddingModel,
  type PricedUsage,
  type TextEmbedder,
} from '../../infrastructure/ai/ai.types.js';
import { TextEmbedders } from '../../infrastructure/ai/text-embedders.js';
import { encodeHalfvecBinary, toStoredVector } from '../../infrastructure/ai/vectors.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import { UsageService } from '../billing/usage.service.js';
import { ActiveEmbeddingModelReader } from '../media/embedding-models/active-embedding-model.reader.js';
import { JobFailure } from '../jobs/jobs.types.js';
import { normalizeQuery } from './query-text.js';
import { QueryVectorsService, type QueryVectorUse } from './query-vectors.service.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

/** A person waits for the answer: after this the search goes on with words alone. */
const EMBEDDING_TIMEOUT_MS = 8_000;

export type UnavailableReason = 'provider' | 'budget' | 'model';

export interface EmbeddedQuery {
  vector: HalfvecParameter;
  /** The model that made it; to be compared with vectors of this model only. */
  model: EmbeddingModel;
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

/** Turns a query's text into a vector of the active model, within the plan's budget. Never called inside a transaction. */
@Injectable()
export class QueryEmbedder {
  constructor(
    @Inject(ActiveEmbeddingModelReader) private readonly activeModels: ActiveEmbeddingModelReader,
    @Inject(TextEmbedders) private readonly embedders: TextEmbedders,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(QueryVectorsService) private readonly vectors: QueryVectorsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The active model as it is in this transaction, or null when there is none; whether or not it can be served. */
  activeModel(tx: Transaction): Promise<EmbeddingModel | null> {
    return this.activeModels.readIn(tx);
  }

  /** Embeds with the active model; null when there is none or nothing in this process can. At most two seconds old. */
  async activeEmbedder(): Promise<TextEmbedder | null> {
    const model = await this.activeModels.read();
    return model && this.embedders.find(model);
  }

  /**
   * A vector that was kept (C73) is given without asking anybody. With keeping on, the normalised text is embedded, so
   * that the vector does not depend on who of "Dog" and "dog" came first.
   * @param options.forSearch a search of the month is going to be charged for it
   * @throws SemanticUnavailableError when the provider fails, the month's budget is spent, or nothing in this process can
   *   embed with the active model
   * @throws AppError 400 when the text holds nothing that could be embedded; 402 when a provider would have to be paid for
   *   a search that the month has no room for
   */
  async embed(text: string, options: { forSearch?: boolean } = {}): Promise<EmbeddedQuery> {
    const embedder = await this.activeEmbedder();
    if (!embedder) throw new SemanticUnavailableError('model');
    if (!this.vectors.isOn) return this.ask(embedder, text, options);
    const { model } = embedder;
    const hash = this.vectors.hashOf(text);
    const known = await this.vectors.find(model, hash);
    if (known !== null) return { vector: known, model, usage: null, kept: { hash, isHit: true } };
    const embedded = await this.ask(embedder, normalizeQuery(text), options);
    try {
      await this.vectors.keep(model, hash, embedded.vector);
    } catch (error) {
      // The vector is paid for and there: the search goes on, and its cost is recorded.
      this.logger.warn({ sqlState: sqlStateOf(error) }, 'query vector not kept');
      return embedded;
    }
    return { ...embedded, kept: { hash, isHit: false } };
  }

  private async ask(
    embedder: TextEmbedder,
    text: string,
    options: { forSearch?: boolean },
  ): Promise<EmbeddedQuery> {
    try {
      await this.usage.assertBudget(embedder.estimate([text]), options);
      const { vectors, usage } = await embedder.embed([text], AbortSignal.timeout(EMBEDDING_TIMEOUT_MS));
      if (vectors[0] === undefined) throw new SemanticUnavailableError('provider', usage);
      return { vector: encodeHalfvecBinary(toStoredVector(vectors[0])), model: embedder.model, usage };
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

/** How answers name a model: by its name, and its version where that is not the first. */
export function modelLabel({ name, version }: EmbeddingModel): string {
  return version === 'v1' ? name : `${name} ${version}`;
}
