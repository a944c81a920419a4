import { Inject, Injectable } from '@nestjs/common';
import type { PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { AppError } from '../../infrastructure/errors/app-error.js';
import { UsageService } from '../billing/usage.service.js';
import type { Correction } from './corrections.js';
import type { SearchRequest } from './dto/search.request.js';
import type { SearchHitResponse, SearchResponse } from './dto/search.response.js';
import { OutcomeFinder, type Extent, type Outcome } from './outcome-finder.js';
import { PageReader, round } from './page-reader.js';
import { modelLabel } from './query-embedder.js';
import { parseQuery, type ParsedQuery } from './query-text.js';
import { RecallMonitor } from './recall-monitor.js';
import type { Found } from './result-finder.js';
import { searchCosts, SearchHistoryService, type NewSearchRecord } from './search-history.service.js';
import { SearchRequestReader, type Search } from './search-request.reader.js';
import { SearchVectors } from './search-vectors.js';
import { ShownPages } from './shown-pages.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

/** A search that was tried: what it came to, with its page; and what is left to do of its charge and its record. */
interface Attempt {
  outcome: Outcome;
  items: SearchHitResponse[];
  /** `pending`: another attempt follows. `refused`: the month had no search left, or was over. */
  charge: 'settled' | 'refused' | 'pending';
}

/** How an attempt ends: whether it is the one that counts, and for which correction of what was typed. */
type Settling = (outcome: Outcome) => { correction: Correction | null } | null;

/**
 * Search over the user's own files. First page: embed (no transaction) -> in one transaction rank, then read the page,
 * charge and write the history row, all three in one round trip; an answer goes out only when that has held. Further pages
 * rank again and leave out what was shown, so that a library that changes in between neither repeats a file nor skips one;
 * they are neither charged nor recorded as searches. A query whose words are found nowhere is tried again with its typing
 * errors corrected.
 */
@Injectable()
export class SearchService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchVectors) private readonly vectors: SearchVectors,
    @Inject(OutcomeFinder) private readonly outcomes: OutcomeFinder,
    @Inject(PageReader) private readonly pages: PageReader,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
    @Inject(ShownPages) private readonly shownPages: ShownPages,
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
    const { found, correction } = await this.settled(userId, search, extent, started);
    const { outcome, items } = found;
    if (outcome.approximate) this.recall.offer(outcome.approximate);
    const response: SearchResponse = {
      searchId: search.id,
      items,
      total: outcome.total,
      totalIsCapped: outcome.totalIsCapped,
      ...(outcome.facets ? { facets: outcome.facets } : {}),
      ...(correction ? { correction: { query: correction.terms, replaced: correction.replaced } } : {}),
      ...(search.query.plainlyExcluded.length > 0
        ? { exclusion: { query: search.query.terms, words: search.query.plainlyExcluded } }
        : {}),
      nextCursor: outcome.hasMore ? this.requests.cursor(userId, search, outcome.shownIds.length) : null,
      tookMs: Math.round(performance.now() - started),
      plan: outcome.plan,
      model: outcome.plan === 'none' || !outcome.model ? null : modelLabel(outcome.model),
      ...(outcome.unavailable
        ? { degraded: 'semantic-unavailable' as const, degradedReason: outcome.unavailable }
        : {}),
    };
    return { response, mediaFileIds: outcome.fittingIds };
  }

  /**
   * The search as typed, and when its words are found nowhere, with typing errors corrected: charged and recorded once.
   * The second result counts only when the words are found then: corrections come from all of the user's words, those of
   * private files and of the trash too, and must not give these away.
   * @param started when the request came, by performance.now()
   */
  private async settled(
    userId: string,
    search: Search,
    extent: Extent,
    started: number,
  ): Promise<{ found: Attempt; correction: Correction | null }> {
    // The embedding was paid for even when the search fails, or the plan's searches turn out to be used up.
    const usages: PricedUsage[] = [];
    const attempt = (query: ParsedQuery, settling: Settling): Promise<Attempt> =>
      this.attempt(userId, { ...search, query }, extent, { usages, started, settling });
    try {
      let found = await attempt(search.query, ({ correction }) => (correction ? null : { correction }));
      let { correction } = found.outcome;
      if (correction !== null) {
        const corrected = correction;
        const retried = await attempt(parseQuery(corrected.terms), (outcome) =>
          isFound(search, outcome) ? { correction: corrected } : null,
        ).catch(unlessNotEmbedded);
        if (retried === null || retried.charge === 'pending') correction = null;
        else found = retried;
      }
      if (found.charge !== 'settled') {
        await this.settle(userId, search, found, { usages, started, correction });
      }
      return { found, correction };
    } catch (error) {
      if (usages.length > 0) await this.database.run((tx) => this.recordCosts(tx, search, usages));
      throw error;
    }
  }

  /** One search, with the vectors that it needs. What these cost is added to `usages`. */
  private async attempt(
    userId: string,
    search: Search,
    extent: Extent,
    { usages, started, settling }: { usages: PricedUsage[]; started: number; settling: Settling },
  ): Promise<Attempt> {
    const { mode, alpha, within } = search;
    const how = { mode, alpha, zones: search.request.in ?? null, isCharged: search.continues === null };
    const first = await this.vectors.embed({ ...how, meaning: search.query.meaning });
    if (first.usage) usages.push(first.usage);
    const second = within ? await this.vectors.embed({ ...how, meaning: within.query.meaning }) : null;
    if (second?.usage) usages.push(second.usage);
    return this.database.runInTwo(
      (tx) => this.outcomes.find(tx, userId, search, { first, second }, extent),
      async (tx, outcome): Promise<Attempt> => {
        const settled = settling(outcome);
        const [items, isCharged] = await Promise.all([
          this.readPage(tx, userId, search, outcome),
          settled && this.chargeAndRecord(tx, userId, search, outcome, { usages, started, ...settled }),
        ]);
        return { outcome, items, charge: isCharged === null ? 'pending' : isCharged ? 'settled' : 'refused' };
      },
      { settings: SEARCH_SETTINGS },
    );
  }

  private async readPage(
    tx: Transaction,
    userId: string,
    search: Search,
    { page, pairs, vector }: Outcome,
  ): Promise<SearchHitResponse[]> {
    const items = await this.pages.read(tx, userId, page, {
      terms: search.mode === 'semantic' ? '' : search.query.wantedTerms,
      zones: search.request.in ?? null,
      vector,
    });
    return search.within ? withPairs(items, pairs) : items;
  }

  /**
   * All that a search leaves behind. Sends its statements before it waits for any.
   * @returns false when the month has no search left: then only the costs were written
   */
  private async chargeAndRecord(
    tx: Transaction,
    userId: string,
    search: Search,
    outcome: Outcome,
    how: { usages: PricedUsage[]; started: number; correction: Correction | null },
  ): Promise<boolean> {
    if (search.continues === null) {
      return this.history.settle(tx, userId, historyEntry(search, outcome, how), how.usages);
    }
    await Promise.all([
      this.recordCosts(tx, search, how.usages),
      this.shownPages.note(
        tx,
        userId,
        search.continues,
        outcome.page.map((media) => media.id),
      ),
    ]);
    return true;
  }

  /** Charges and records what is not settled yet. @throws AppError 402 when the month's searches are used up */
  private async settle(
    userId: string,
    search: Search,
    { outcome, charge }: Attempt,
    how: { usages: PricedUsage[]; started: number; correction: Correction | null },
  ): Promise<void> {
    const chargeAndRecord = (tx: Transaction): Promise<boolean> =>
      this.chargeAndRecord(tx, userId, search, outcome, how);
    if (charge === 'pending' && (await this.database.run(chargeAndRecord, { single: true }))) return;
    await this.history.settleAnew(userId, historyEntry(search, outcome, how));
  }

  private async recordCosts(tx: Transaction, search: Search, usages: PricedUsage[]): Promise<void> {
    const costs = this.usage.costsStatement(searchCosts(search.costReference, usages));
    if (costs) await tx.$executeRaw(costs);
  }
}

/** A corrected query that cannot be embedded is one that was not tried: what was typed has its answer. */
function unlessNotEmbedded(error: unknown): null {
  if (error instanceof AppError && (error.status === 503 || error.status === 402)) return null;
  throw error;
}

/** In semantic mode anything near counts, else the words themselves. */
function isFound({ mode }: Search, { isEmpty, fullMatches }: Outcome): boolean {
  return mode === 'semantic' ? !isEmpty : fullMatches > 0;
}

/** How long it took is told without the page, which is being read meanwhile. */
function historyEntry(
  search: Search,
  outcome: Outcome,
  { started, correction }: { started: number; correction: Correction | null },
): NewSearchRecord {
  const { filter, in: zones, alpha, minScore, cutoff, within } = search.request;
  const correctedQuery = correction?.terms;
  return {
    id: search.id,
    searchedAt: search.searchedAt,
    query: search.request.query,
    mode: search.mode,
    filters: withoutUndefined({ filter, in: zones, alpha, minScore, cutoff, within, correctedQuery }),
    sort: search.sort,
    order: search.request.order ?? 'desc',
    limit: search.limit,
    resultsCount: outcome.total,
    shownResults: outcome.page.map((media) => media.id),
    responseTimeMs: Math.round(performance.now() - started),
    sessionId: search.request.sessionId ?? null,
    queryVector: outcome.kept ?? null,
  };
}

function withPairs(items: SearchHitResponse[], pairs: Found['pairs']): SearchHitResponse[] {
  return items.map((item) => ({
    ...item,
    pairs: (pairs.get(item.media.id) ?? []).map((pair) => ({ ...pair, score: round(pair.score) })),
  }));
}

/** As plain JSON, so that a class instance or an undefined field never reaches the JSONB column. */
function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
