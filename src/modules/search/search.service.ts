import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel, PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { UsageService } from '../billing/usage.service.js';
import type { Correction } from './corrections.js';
import type { FacetsResponse } from './dto/facets.response.js';
import type { SearchRequest } from './dto/search.request.js';
import type { SearchHitResponse, SearchResponse } from './dto/search.response.js';
import { toFacets } from './facets.js';
import { PageReader, round } from './page-reader.js';
import { modelLabel, type UnavailableReason } from './query-embedder.js';
import { parseQuery } from './query-text.js';
import type { QueryVectorUse } from './query-vectors.service.js';
import type { QueryVector, RankedMedia, RankInput, SearchPlan } from './ranker.js';
import { RecallMonitor } from './recall-monitor.js';
import { rankInput, ResultFinder, type Found } from './result-finder.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { searchCosts, SearchHistoryService, type NewSearchRecord } from './search-history.service.js';
import { SearchRequestReader, type Search } from './search-request.reader.js';
import { SearchVectors, type QueryEmbedding } from './search-vectors.js';
import { SearchRepository } from './search.repository.js';
import { SpellingService } from './spelling.service.js';
import { DEFAULT_VALUES_PER_FACET } from './sql/facets.sql.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

/** How much of the result is needed: one page, or the ids of all that fits. */
type Extent = 'page' | 'whole';

interface FoundPage {
  plan: SearchPlan;
  model: EmbeddingModel | null;
  items: SearchHitResponse[];
  total: number;
  totalIsCapped: boolean;
  hasMore: boolean;
  facets: FacetsResponse | null;
  /** Words of the query that were found anywhere, or vectors near it. */
  isEmpty: boolean;
  fullMatches: number;
  shownIds: string[];
  /** What fits, best first, as far as it was ranked. */
  fittingIds: string[];
  /** Of this page. */
  newIds: string[];
  /** What the query could have meant, when its words are found nowhere; once settled, what was searched for. */
  correction: Correction | null;
  /** A search that did not compare every vector, for a look at what it missed. */
  approximate: (RankInput & { vector: QueryVector }) | null;
  /** Where the query's vector is kept; absent when it is not. */
  kept?: QueryVectorUse;
  usages: PricedUsage[];
  unavailable: UnavailableReason | null;
}

/**
 * Search over the user's own files. First page: embed (no transaction) -> rank and read the page -> charge and write the
 * history row in one transaction; an answer goes out only when that has held. Further pages rank again and leave out what
 * was shown, so that a library that changes in between neither repeats a file nor skips one; they are neither charged
 * nor recorded as searches. A query whose words are found nowhere is tried again with its typing errors corrected.
 */
@Injectable()
export class SearchService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(SearchVectors) private readonly vectors: SearchVectors,
    @Inject(ResultFinder) private readonly finder: ResultFinder,
    @Inject(PageReader) private readonly pages: PageReader,
    @Inject(SpellingService) private readonly spelling: SpellingService,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
    @Inject(SearchHistoryRepository) private readonly historyRows: SearchHistoryRepository,
    @Inject(SearchRequestReader) private readonly requests: SearchRequestReader,
    @Inject(RecallMonitor) private readonly recall: RecallMonitor,
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
    extent: Extent,
  ): Promise<{ response: SearchResponse; mediaFileIds: string[] }> {
    const started = performance.now();
    const search = this.requests.read(userId, request);
    const asTyped = await this.attempt(userId, search, extent);
    const { found, correction } = await this.corrected(userId, search, extent, asTyped);
    const tookMs = Math.round(performance.now() - started);
    await this.settle(userId, search, { ...found, correction }, tookMs);
    if (found.approximate) this.recall.offer(found.approximate);
    const response: SearchResponse = {
      searchId: search.id,
      items: found.items,
      total: found.total,
      totalIsCapped: found.totalIsCapped,
      ...(found.facets ? { facets: found.facets } : {}),
      ...(correction ? { correction: { query: correction.terms, replaced: correction.replaced } } : {}),
      ...(search.query.plainlyExcluded.length > 0
        ? { exclusion: { query: search.query.terms, words: search.query.plainlyExcluded } }
        : {}),
      nextCursor: found.hasMore ? this.requests.cursor(userId, search, found.shownIds.length) : null,
      tookMs,
      plan: found.plan,
      model: found.plan === 'none' || !found.model ? null : modelLabel(found.model),
      ...(found.unavailable
        ? { degraded: 'semantic-unavailable' as const, degradedReason: found.unavailable }
        : {}),
    };
    return { response, mediaFileIds: found.fittingIds };
  }

  /** One search, with the vectors that it needs. */
  private async attempt(userId: string, search: Search, extent: Extent): Promise<FoundPage> {
    const { mode, alpha, within } = search;
    const zones = search.request.in ?? null;
    const first = await this.vectors.embed({ mode, alpha, meaning: search.query.meaning, zones });
    const second = within
      ? await this.vectors.embed({ mode, alpha, meaning: within.query.meaning, zones })
      : null;
    return this.database.run((tx) => this.findPage(tx, userId, search, { first, second }, extent), {
      settings: SEARCH_SETTINGS,
      readOnly: true,
    });
  }

  /**
   * The search again with typing errors corrected. Its result counts only when the words are found then: corrections come
   * from all of the user's words, those of private files and of the trash too, and must not give these away.
   */
  private async corrected(
    userId: string,
    search: Search,
    extent: Extent,
    asTyped: FoundPage,
  ): Promise<{ found: FoundPage; correction: Correction | null }> {
    const { correction } = asTyped;
    if (correction === null) return { found: asTyped, correction };
    const retried = await this.attempt(userId, { ...search, query: parseQuery(correction.terms) }, extent);
    const usages = [...asTyped.usages, ...retried.usages];
    const isFound = search.mode === 'semantic' ? !retried.isEmpty : retried.fullMatches > 0;
    return isFound
      ? { found: { ...retried, usages }, correction }
      : { found: { ...asTyped, usages }, correction: null };
  }

  /** Charges and records. The embedding was paid for even when the plan's searches turn out to be used up. */
  private async settle(userId: string, search: Search, found: FoundPage, tookMs: number): Promise<void> {
    try {
      if (search.continues !== null) {
        await this.database.run((tx) => this.noteFurtherPage(tx, userId, search, found));
        return;
      }
      const entry = historyEntry(search, found, tookMs);
      if (await this.history.settle(userId, entry, found.usages)) return;
      // The billing period has run out, or the searches are used up.
      await this.database.run(async (tx) => {
        await this.usage.chargeSearch();
        await this.history.record(tx, userId, entry);
      });
    } catch (error) {
      if (found.usages.length > 0) await this.database.run((tx) => this.recordCosts(tx, search, found));
      throw error;
    }
  }

  private async findPage(
    tx: Transaction,
    userId: string,
    search: Search,
    embeddings: { first: QueryEmbedding; second: QueryEmbedding | null },
    extent: Extent,
  ): Promise<FoundPage> {
    const { request, query, mode } = search;
    const shownBefore = await this.shownBefore(tx, userId, search);
    const { cutoff } = request;
    const first = await this.vectors.resolve(tx, userId, embeddings.first, { mode, cutoff });
    const second =
      embeddings.second && (await this.vectors.resolve(tx, userId, embeddings.second, { mode, cutoff }));
    const needsAll = extent === 'whole' || search.sort !== 'relevance' || request.facets !== undefined;
    const vectors = { first: first.vector, second: second?.vector ?? null };
    const wanted = needsAll ? null : shownBefore.length + search.limit + 1;
    const result = await this.finder.find(tx, userId, search, vectors, wanted);
    const fitting = result.media.filter((media) => media.score >= (request.minScore ?? 0));
    // Scores fall along the list: when the last one is below, no file further down can fit.
    const isWhole = fitting.length < result.media.length;
    const isShown = new Set(shownBefore);
    const open = fitting.filter((media) => !isShown.has(media.id));
    const page = (await this.inOrder(tx, userId, search, open)).slice(0, search.limit);
    const items = await this.pages.read(tx, userId, page, {
      terms: mode === 'semantic' ? '' : query.wantedTerms,
      zones: request.in ?? null,
      vector: first.vector,
    });
    return {
      plan: result.plan,
      model: embeddings.first.model,
      items: search.within ? withPairs(items, result) : items,
      total: isWhole ? fitting.length : result.total,
      totalIsCapped: !isWhole && result.isCapped,
      hasMore:
        open.length > page.length ||
        (!isWhole && !needsAll && (result.total > result.media.length || result.isCapped)),
      facets: await this.facets(tx, userId, search, fitting),
      isEmpty: result.media.length === 0,
      fullMatches: result.fullMatches,
      fittingIds: fitting.map((media) => media.id),
      shownIds: [...shownBefore, ...items.map((item) => item.media.id)],
      newIds: items.map((item) => item.media.id),
      correction: await this.correction(tx, userId, search, result),
      approximate:
        result.plan === 'ann' && first.vector !== null
          ? { ...rankInput(userId, search, query, first.vector), vector: first.vector }
          : null,
      kept: embeddings.first.kept,
      usages: [embeddings.first.usage, embeddings.second?.usage ?? null].filter((usage) => usage !== null),
      unavailable: first.unavailable ?? second?.unavailable ?? null,
    };
  }

  /**
   * Only where the words as typed are found together nowhere: a correction must never stand in the way of a right answer. In
   * semantic mode the corrected words must be found too: "skateboard tricks" is not about bricks.
   */
  private async correction(
    tx: Transaction,
    userId: string,
    search: Search,
    result: Found,
  ): Promise<Correction | null> {
    const isSemantic = search.mode === 'semantic';
    if (isSemantic ? result.media.length > 0 : result.fullMatches > 0) return null;
    const corrections = await this.spelling.correct(tx, search.query.terms);
    if (corrections.length <= 1 && !isSemantic) return corrections[0] ?? null;
    for (const correction of corrections) {
      const asText: Search = { ...search, mode: 'text', within: null, query: parseQuery(correction.terms) };
      const { fullMatches } = await this.finder.find(tx, userId, asText, { first: null, second: null }, 1);
      if (fullMatches > 0) return correction;
    }
    return null;
  }

  private async facets(
    tx: Transaction,
    userId: string,
    { request }: Search,
    fitting: RankedMedia[],
  ): Promise<FacetsResponse | null> {
    const { facets } = request;
    if (facets === undefined || facets.length === 0) return null;
    const ids = fitting.map((media) => media.id);
    const rows = await this.repository.facets(tx, {
      userId,
      facets,
      source: Prisma.sql`SELECT unnest(${ids}::uuid[]) AS media_file_id`,
      perFacet: DEFAULT_VALUES_PER_FACET,
    });
    return toFacets(facets, rows);
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

  private async recordCosts(tx: Transaction, { id }: Search, { usages }: FoundPage): Promise<void> {
    const costs = this.usage.costsStatement(searchCosts(id, usages));
    if (costs) await tx.$executeRaw(costs);
  }

  private async noteFurtherPage(
    tx: Transaction,
    userId: string,
    search: Search,
    found: FoundPage,
  ): Promise<void> {
    await this.recordCosts(tx, search, found);
    await this.historyRows.appendShown(tx, {
      userId,
      searchId: search.id,
      searchedAt: search.searchedAt,
      mediaFileIds: found.newIds,
    });
  }
}

function historyEntry(search: Search, found: FoundPage, tookMs: number): NewSearchRecord {
  const { filter, in: zones, alpha, minScore, cutoff, within } = search.request;
  const correctedQuery = found.correction?.terms;
  return {
    id: search.id,
    searchedAt: search.searchedAt,
    query: search.request.query,
    mode: search.mode,
    filters: withoutUndefined({ filter, in: zones, alpha, minScore, cutoff, within, correctedQuery }),
    sort: search.sort,
    order: search.request.order ?? 'desc',
    limit: search.limit,
    resultsCount: found.total,
    shownResults: found.newIds,
    responseTimeMs: tookMs,
    sessionId: search.request.sessionId ?? null,
    queryVector: found.kept ?? null,
  };
}

function withPairs(items: SearchHitResponse[], { pairs }: Found): SearchHitResponse[] {
  return items.map((item) => ({
    ...item,
    pairs: (pairs.get(item.media.id) ?? []).map((pair) => ({ ...pair, score: round(pair.score) })),
  }));
}

/** As plain JSON, so that a class instance or an undefined field never reaches the JSONB column. */
function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
