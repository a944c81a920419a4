import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel, PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { UsageService } from '../billing/usage.service.js';
import { QueryEmbedder, SemanticUnavailableError, type UnavailableReason } from './query-embedder.js';
import type { QueryVectorUse } from './query-vectors.service.js';
import { MAX_EXACT_VECTORS, segmentTypesOf, type QueryVector, type SearchMode } from './ranker.js';
import { automaticCutoff, evenlySpacedIds, SAMPLE_SIZE } from './relevance-cutoff.js';
import { certainSimilarity, relevanceFloor } from './relevance-floor.js';
import { PlanFactsMemory } from './plan-facts-memory.js';
import { SearchRepository } from './search.repository.js';
import type { PlanFactsRow } from './sql/search.sql.js';
import type { Zone } from './sql/text-leg.sql.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

/** A query's vector as it came from its model, or why there is none. */
export interface QueryEmbedding {
  halfvec: HalfvecParameter | null;
  model: EmbeddingModel | null;
  unavailable: UnavailableReason | null;
  usage: PricedUsage | null;
  /** Where the vector is kept; absent when it is not. */
  kept?: QueryVectorUse;
}

/** What of a search decides whether a vector is needed. */
export interface EmbeddedSearch {
  mode: SearchMode;
  alpha: number;
  /** The wanted words as plain text. */
  meaning: string;
  zones: Zone[] | null;
  /** A search of the month is going to be charged for it: without one left, no provider is paid. */
  isCharged: boolean;
}

/** Vectors of queries: made outside of transactions, and tied to the user's library inside of one. */
@Injectable()
export class SearchVectors {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(PlanFactsMemory) private readonly memory: PlanFactsMemory,
  ) {}

  /**
   * Not to be called inside a transaction. A hybrid search goes on without a vector when there is none to be had.
   * @throws AppError 400 for a text that cannot be embedded; 402 when no search is left and a provider would have to be
   *   paid; in semantic mode 402 when the budget is spent and 503 `semantic-unavailable`; what was paid stays recorded
   */
  async embed({ mode, alpha, meaning, zones, isCharged }: EmbeddedSearch): Promise<QueryEmbedding> {
    const needless =
      mode === 'text' ||
      (mode === 'hybrid' && alpha === 0) ||
      meaning === '' ||
      segmentTypesOf(zones)?.length === 0;
    if (needless) return { halfvec: null, model: null, unavailable: null, usage: null };
    try {
      const { vector, model, usage, kept } = await this.embedder.embed(meaning, { forSearch: isCharged });
      return { halfvec: vector, model, unavailable: null, usage, kept };
    } catch (error) {
      if (!(error instanceof SemanticUnavailableError)) throw error;
      if (mode === 'semantic') throw await this.refusal(error);
      return { halfvec: null, model: null, unavailable: error.reason, usage: error.usage ?? null };
    }
  }

  /**
   * Vectors of different models cannot be compared: the query's must be of the active one (or of what was it a moment ago).
   * @throws AppError 503 `semantic-unavailable` in semantic mode when it is not
   */
  async resolve(
    tx: Transaction,
    userId: string,
    { halfvec, model, unavailable }: QueryEmbedding,
    search: { mode: SearchMode; cutoff: 'auto' | undefined },
  ): Promise<{ vector: QueryVector | null; unavailable: UnavailableReason | null }> {
    if (halfvec === null || model === null) return { vector: null, unavailable };
    // The automatic cut-off depends on the number of vectors, so it wants the true one.
    const isAutomatic = search.cutoff === 'auto';
    const facts =
      (isAutomatic ? null : this.memory.get(userId, model)) ?? (await this.facts(tx, userId, model));
    if (facts !== null) {
      const vector: QueryVector = { halfvec, model, ...facts };
      const floor = isAutomatic ? await this.cutoff(tx, userId, vector) : relevanceFloor(model);
      return { vector: { ...vector, floor }, unavailable: null };
    }
    if (search.mode === 'semantic') throw semanticUnavailable(new SemanticUnavailableError('model'));
    return { vector: null, unavailable: 'model' };
  }

  private async facts(tx: Transaction, userId: string, model: EmbeddingModel): Promise<PlanFactsRow | null> {
    const facts = await this.repository.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 });
    if (facts !== null) this.memory.set(userId, model, facts);
    return facts;
  }

  /** `cutoff: "auto"`: from which similarity on a vector is more than chance, in this library for this query. */
  private async cutoff(tx: Transaction, userId: string, vector: QueryVector): Promise<number> {
    const { modelId, model } = vector;
    const range = await this.repository.vectorRange(tx, { userId, modelId });
    const sample =
      range === null
        ? []
        : await this.repository.similaritySample(tx, {
            userId,
            modelId,
            probes: evenlySpacedIds(range.first, range.last, SAMPLE_SIZE),
            vector: vector.halfvec,
          });
    // Counted only as far as the plan needs it: the number of vectors moves the cut-off by its logarithm alone.
    return automaticCutoff(sample, vector.vectorCount, {
      floor: relevanceFloor(model),
      certain: certainSimilarity(model),
    });
  }

  /** Semantic mode without a vector: nothing honest is left to answer with. What was paid stays recorded. */
  private async refusal(error: SemanticUnavailableError): Promise<Error> {
    const { usage } = error;
    if (usage) await this.database.run((tx) => this.usage.recordCost(tx, usage, {}));
    if (error.reason === 'budget') {
      const { maxMonthlyCost } = await this.usage.planLimits();
      return errors.quotaExceeded('cost', maxMonthlyCost ?? 0, null);
    }
    return semanticUnavailable(error);
  }
}

function semanticUnavailable(cause: SemanticUnavailableError): Error {
  return errors.unavailable(
    'semantic-unavailable',
    'The query cannot be turned into a vector at the moment. Try again, or search with mode "text".',
    cause,
  );
}
