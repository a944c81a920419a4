import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel, PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { UsageService } from '../billing/usage.service.js';
import type { SearchRequest } from './dto/search.request.js';
import type { SearchHitResponse, SearchResponse } from './dto/search.response.js';
import { toMediaFilter } from './media-filter.mapper.js';
import { PageReader } from './page-reader.js';
import {
  modelLabel,
  QueryEmbedder,
  SemanticUnavailableError,
  type UnavailableReason,
} from './query-embedder.js';
import {
  MAX_EXACT_VECTORS,
  Ranker,
  segmentTypesOf,
  type QueryVector,
  type RankedMedia,
  type SearchPlan,
} from './ranker.js';
import { automaticCutoff, evenlySpacedIds, SAMPLE_SIZE } from './relevance-cutoff.js';
import { certainSimilarity, relevanceFloor } from './relevance-floor.js';
import type { QueryVectorUse } from './query-vectors.service.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { SearchHistoryService } from './search-history.service.js';
import { SearchRequestReader, type Search } from './search-request.reader.js';
import { SearchRepository } from './search.repository.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

interface QueryEmbedding {
  halfvec: HalfvecParameter | null;
  model: EmbeddingModel | null;
  unavailable: UnavailableReason | null;
  usage: PricedUsage | null;
  /** Where the vector is kept; absent when it is not. */
  kept?: QueryVectorUse;
}

interface FoundPage {
  plan: SearchPlan;
  items: SearchHitResponse[];
  total: number;
  totalIsCapped: boolean;
  hasMore: boolean;
  shownIds: string[];
  /** What fits, best first, as far as it was ranked. */
  fittingIds: string[];
  /** Of this page. */
  newIds: string[];
  /** Where the query's vector is kept; absent when it is not. */
  kept?: QueryVectorUse;
  usage: PricedUsage | null;
  unavailable: UnavailableReason | null;
}

/**
 * Search over the user's own files. First page: embed (no transaction) -> rank and read the page -> charge and write the
 * history row in one transaction; an answer goes out only when that has held. Further pages rank again and leave out what
 * was shown, so that a library that changes in between neither repeats a file nor skips one; they are neither charged
 * nor recorded as searches.
 */
@Injectable()
export class SearchService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(Ranker) private readonly ranker: Ranker,
    @Inject(PageReader) private readonly pages: PageReader,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
    @Inject(SearchHistoryRepository) private readonly historyRows: SearchHistoryRepository,
    @Inject(SearchRequestReader) private readonly requests: SearchRequestReader,
  ) {}

  /**
   * @throws AppError 400 for a request or cursor that is not valid, 402 when the plan's searches are used up,
   *   503 `semantic-unavailable` in semantic mode when the query cannot be embedded
   */
  async search(userId: string, request: SearchRequest): Promise<SearchResponse> {
    return (await this.execute(userId, request, 'page')).response;
  }

  /** Refuses what `search` would refuse before it costs anything. @throws AppError 400 */
  check(userId: string, request: SearchRequest): void {
    this.requests.read(userId, request);
  }

  /**
   * As `search`, with the ids of the whole result beside the page, best first: as many as `total` says.
   * @throws what `search` throws
   */
  searchWithIds(
    userId: string,
    request: SearchRequest,
  ): Promise<{ response: SearchResponse; mediaFileIds: string[] }> {
    return this.execute(userId, request, 'whole');
  }

  private async execute(
    userId: string,
    request: SearchRequest,
    extent: 'page' | 'whole',
  ): Promise<{ response: SearchResponse; mediaFileIds: string[] }> {
    const started = performance.now();
    const search = this.requests.read(userId, request);
    const vector = await this.embed(search);
    const found = await this.database.run((tx) => this.findPage(tx, userId, search, vector, extent), {
      settings: SEARCH_SETTINGS,
    });
    const tookMs = Math.round(performance.now() - started);
    await this.settle(userId, search, found, tookMs);
    const response: SearchResponse = {
      searchId: search.id,
      items: found.items,
      total: found.total,
      totalIsCapped: found.totalIsCapped,
      nextCursor: found.hasMore ? this.requests.cursor(userId, search, found.shownIds.length) : null,
      tookMs,
      plan: found.plan,
      model: found.plan === 'none' || !vector.model ? null : modelLabel(vector.model),
      ...(found.unavailable
        ? { degraded: 'semantic-unavailable' as const, degradedReason: found.unavailable }
        : {}),
    };
    return { response, mediaFileIds: found.fittingIds };
  }

  private async embed(search: Search): Promise<QueryEmbedding> {
    const zones = search.request.in ?? null;
    const needless =
      search.mode === 'text' ||
      (search.mode === 'hybrid' && search.alpha === 0) ||
      search.query.meaning === '' ||
      segmentTypesOf(zones)?.length === 0;
    if (needless) return { halfvec: null, model: null, unavailable: null, usage: null };
    try {
      const { vector, model, usage, kept } = await this.embedder.embed(search.query.meaning);
      return { halfvec: vector, model, unavailable: null, usage, kept };
    } catch (error) {
      if (!(error instanceof SemanticUnavailableError)) throw error;
      if (search.mode === 'semantic') throw await this.refusal(error);
      return { halfvec: null, model: null, unavailable: error.reason, usage: error.usage ?? null };
    }
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

  /** Charges and records. The embedding was paid for even when the plan's searches turn out to be used up. */
  private async settle(userId: string, search: Search, found: FoundPage, tookMs: number): Promise<void> {
    const { usage } = found;
    try {
      await this.database.run(async (tx) => {
        if (search.continues === null) await this.usage.chargeSearch();
        await this.note(tx, userId, search, found, tookMs);
      });
    } catch (error) {
      if (usage) {
        await this.database.run((tx) => this.usage.recordCost(tx, usage, { referenceId: search.id }));
      }
      throw error;
    }
  }

  private async findPage(
    tx: Transaction,
    userId: string,
    search: Search,
    vector: QueryEmbedding,
    extent: 'page' | 'whole',
  ): Promise<FoundPage> {
    const { request, query } = search;
    const shownBefore = await this.shownBefore(tx, userId, search);
    const { embeddedBy, unavailable } = await this.modelFacts(tx, userId, search, vector);
    const needsAll = extent === 'whole' || search.sort !== 'relevance';
    const wanted = shownBefore.length + search.limit + 1;
    const ranking = await this.ranker.rank(tx, {
      userId,
      mode: search.mode,
      alpha: search.alpha,
      terms: query.terms,
      excludedTerms: query.excludedTerms,
      filter: toMediaFilter(request.filter),
      zones: request.in ?? null,
      vector: embeddedBy,
      wanted: needsAll ? null : wanted,
    });
    const minScore = request.minScore ?? 0;
    const fitting = ranking.media.filter((media) => media.score >= minScore);
    // Scores fall along the list: when the last one is below, no file further down can fit.
    const isWhole = fitting.length < ranking.media.length;
    const isShown = new Set(shownBefore);
    const open = fitting.filter((media) => !isShown.has(media.id));
    const ordered = await this.inOrder(tx, userId, search, open);
    const page = ordered.slice(0, search.limit);
    const items = await this.pages.read(tx, userId, page, {
      terms: search.mode === 'semantic' ? '' : query.wantedTerms,
      zones: request.in ?? null,
      vector: embeddedBy,
    });
    const total = isWhole ? fitting.length : ranking.total;
    return {
      plan: ranking.plan,
      items,
      total,
      fittingIds: fitting.map((media) => media.id),
      totalIsCapped: !isWhole && ranking.isCapped,
      hasMore:
        open.length > page.length || (!isWhole && (ranking.total > ranking.media.length || ranking.isCapped)),
      shownIds: [...shownBefore, ...items.map((item) => item.media.id)],
      newIds: items.map((item) => item.media.id),
      usage: vector.usage,
      kept: vector.kept,
      unavailable,
    };
  }

  /** The first page of the files in the order asked, and one more. */
  private async inOrder(
    tx: Transaction,
    userId: string,
    search: Search,
    media: RankedMedia[],
  ): Promise<RankedMedia[]> {
    if (search.sort === 'relevance') return media;
    const byId = new Map(media.map((hit) => [hit.id, hit]));
    const ids = await this.repository.sorted(tx, {
      userId,
      mediaFileIds: [...byId.keys()],
      sort: search.sort,
      order: search.request.order ?? 'desc',
      limit: search.limit + 1,
    });
    return ids.map((id) => byId.get(id)!);
  }

  private async shownBefore(tx: Transaction, userId: string, search: Search): Promise<string[]> {
    if (search.continues === null) return [];
    const shown = await this.historyRows.shownResults(tx, userId, search.id, search.searchedAt);
    if (shown === null) {
      throw errors.badRequest(
        'invalid-cursor',
        'This search is not in your history any more. Start again without a cursor.',
        '/cursor',
      );
    }
    return shown.slice(0, search.continues.shown);
  }

  /** Vectors of different models cannot be compared: the query's must be the active one (or have been a moment ago). */
  private async modelFacts(tx: Transaction, userId: string, search: Search, vector: QueryEmbedding) {
    const { halfvec, model } = vector;
    if (halfvec === null || model === null) return { embeddedBy: null, unavailable: vector.unavailable };
    const facts = await this.repository.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 });
    if (facts !== null) {
      const embeddedBy = { halfvec, model, ...facts };
      const floor =
        search.request.cutoff === 'auto' ? await this.cutoff(tx, userId, embeddedBy) : relevanceFloor(model);
      return { embeddedBy: { ...embeddedBy, floor }, unavailable: null };
    }
    if (search.mode === 'semantic') throw semanticUnavailable(new SemanticUnavailableError('model'));
    return { embeddedBy: null, unavailable: 'model' as const };
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

  private async note(
    tx: Transaction,
    userId: string,
    search: Search,
    found: FoundPage,
    tookMs: number,
  ): Promise<void> {
    if (found.usage) await this.usage.recordCost(tx, found.usage, { referenceId: search.id });
    if (search.continues !== null) {
      await this.historyRows.appendShown(tx, {
        userId,
        searchId: search.id,
        searchedAt: search.searchedAt,
        mediaFileIds: found.newIds,
      });
      return;
    }
    const { filter, in: zones, alpha, minScore, cutoff } = search.request;
    await this.history.record(tx, userId, {
      id: search.id,
      searchedAt: search.searchedAt,
      query: search.request.query,
      mode: search.mode,
      filters: withoutUndefined({ filter, in: zones, alpha, minScore, cutoff }),
      sort: search.sort,
      order: search.request.order ?? 'desc',
      limit: search.limit,
      resultsCount: found.total,
      shownResults: found.newIds,
      responseTimeMs: tookMs,
      sessionId: search.request.sessionId ?? null,
      queryVector: found.kept ?? null,
    });
  }
}

function semanticUnavailable(cause: SemanticUnavailableError): Error {
  return errors.unavailable(
    'semantic-unavailable',
    'The query cannot be turned into a vector at the moment. Try again, or search with mode "text".',
    cause,
  );
}

/** As plain JSON, so that a class instance or an undefined field never reaches the JSONB column. */
function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
