import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { EmbeddingModel, PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import { DEFAULT_PAGE_SIZE } from '../../infrastructure/http/pagination.dto.js';
import { UsageService } from '../billing/usage.service.js';
import type { SearchRequest } from './dto/search.request.js';
import type { SearchResponse } from './dto/search.response.js';
import { toMediaFilter } from './media-filter.mapper.js';
import { PageReader } from './page-reader.js';
import {
  modelLabel,
  QueryEmbedder,
  SemanticUnavailableError,
  type UnavailableReason,
} from './query-embedder.js';
import { parseQuery, type ParsedQuery } from './query-text.js';
import { MAX_EXACT_VECTORS, Ranker, segmentTypesOf, type Ranking, type SearchMode } from './ranker.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { SearchHistoryService } from './search-history.service.js';
import { SearchRepository } from './search.repository.js';

const CURSOR_KIND = 'search';
const DEFAULT_ALPHA = 0.5;

/** What a page's cursor says. The search's row keeps which files were shown, the first `shown` of them before it. */
interface SearchCursor {
  searchId: string;
  searchedAt: string;
  shown: number;
  /** Digest of the search, so that a cursor is not used with another one. */
  digest: string;
}

/** A request with its defaults, its query in parts, and where it goes on. */
interface Search {
  id: string;
  searchedAt: Date;
  request: SearchRequest;
  query: ParsedQuery;
  mode: SearchMode;
  alpha: number;
  limit: number;
  digest: string;
  /** null on the first page. */
  continues: SearchCursor | null;
}

interface QueryVector {
  halfvec: string | null;
  model: EmbeddingModel | null;
  unavailable: UnavailableReason | null;
  usage: PricedUsage | null;
}

/**
 * Search over the user's own files. First page: embed (no transaction) -> charge -> rank and read the page -> write the
 * history row. Further pages rank again and leave out what was shown, so that a library that changes in between
 * neither repeats a file nor skips one; they are neither charged nor recorded as searches.
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
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /**
   * @throws AppError 400 for a request or cursor that is not valid, 402 when the plan's searches are used up,
   *   503 `semantic-unavailable` in semantic mode when the query cannot be embedded
   */
  async search(userId: string, request: SearchRequest): Promise<SearchResponse> {
    const started = performance.now();
    const search = this.read(userId, request);
    const vector = await this.embed(search);
    if (search.continues === null) await this.charge(search, vector.usage);
    const found = await this.database.run((tx) => this.findPage(tx, userId, search, vector));
    const tookMs = Math.round(performance.now() - started);
    await this.database.run((tx) => this.note(tx, userId, search, found, tookMs));
    return {
      searchId: search.id,
      items: found.items,
      total: found.total,
      totalIsCapped: found.ranking.isCapped,
      nextCursor: found.hasMore
        ? this.cursors.encode(CURSOR_KIND, userId, nextCursor(search, found.shownIds.length))
        : null,
      tookMs,
      plan: found.ranking.plan,
      model: found.ranking.plan === 'none' || !vector.model ? null : modelLabel(vector.model),
      ...(found.unavailable
        ? { degraded: 'semantic-unavailable' as const, degradedReason: found.unavailable }
        : {}),
    };
  }

  private read(userId: string, request: SearchRequest): Search {
    const mode = request.mode ?? 'hybrid';
    const query = parseQuery(request.query);
    if (mode === 'semantic' && query.meaning === '') {
      throw errors.badRequest(
        'empty-query',
        'The query only excludes words. Name something to look for.',
        '/query',
      );
    }
    if (mode === 'semantic' && request.in && segmentTypesOf(request.in)?.length === 0) {
      throw errors.badRequest(
        'zone-without-meaning',
        'title and text are searched in words only. Use mode "text" or "hybrid".',
        '/in',
      );
    }
    const digest = digestOf(request);
    const continues = request.cursor ? this.readCursor(userId, request.cursor, digest) : null;
    const now = new Date();
    return {
      id: continues?.searchId ?? uuidv7({ msecs: now.getTime() }),
      searchedAt: continues ? new Date(continues.searchedAt) : now,
      request,
      query,
      mode,
      alpha: request.alpha ?? DEFAULT_ALPHA,
      limit: request.limit ?? DEFAULT_PAGE_SIZE,
      digest,
      continues,
    };
  }

  private readCursor(userId: string, text: string, digest: string): SearchCursor {
    const cursor = this.cursors.decode<SearchCursor>(CURSOR_KIND, userId, text);
    if (cursor.digest === digest) return cursor;
    throw errors.badRequest(
      'invalid-cursor',
      'The cursor belongs to another search. Send it with the query and filters it came from.',
      '/cursor',
    );
  }

  private async embed(search: Search): Promise<QueryVector> {
    const zones = search.request.in ?? null;
    const needless =
      search.mode === 'text' ||
      (search.mode === 'hybrid' && search.alpha === 0) ||
      search.query.meaning === '' ||
      segmentTypesOf(zones)?.length === 0;
    if (needless) return { halfvec: null, model: null, unavailable: null, usage: null };
    try {
      const { vector, model, usage } = await this.embedder.embed(search.query.meaning);
      return { halfvec: vector, model, unavailable: null, usage };
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

  /** The embedding was paid for even when the plan's searches turn out to be used up. */
  private async charge(search: Search, usage: PricedUsage | null): Promise<void> {
    try {
      await this.usage.chargeSearch();
    } catch (error) {
      if (usage) {
        await this.database.run((tx) => this.usage.recordCost(tx, usage, { referenceId: search.id }));
      }
      throw error;
    }
  }

  private async findPage(tx: Transaction, userId: string, search: Search, vector: QueryVector) {
    const shownBefore = await this.shownBefore(tx, userId, search);
    const { embeddedBy, unavailable } = await this.modelFacts(tx, userId, search, vector);
    const filter = toMediaFilter(search.request.filter);
    const ranking = await this.ranker.rank(tx, {
      userId,
      mode: search.mode,
      alpha: search.alpha,
      terms: search.query.terms,
      excludedTerms: search.query.excludedTerms,
      filter,
      zones: search.request.in ?? null,
      vector: embeddedBy,
    });
    const fitting = ranking.media.filter((media) => media.score >= (search.request.minScore ?? 0));
    const isShown = new Set(shownBefore);
    const open = fitting.filter((media) => !isShown.has(media.id));
    const page = open.slice(0, search.limit);
    const items = await this.pages.read(tx, userId, page, {
      terms: search.mode === 'semantic' ? '' : search.query.wantedTerms,
      zones: search.request.in ?? null,
      vector: embeddedBy,
    });
    return {
      ranking,
      items,
      total: fitting.length,
      hasMore: open.length > page.length,
      shownIds: [...shownBefore, ...items.map((item) => item.media.id)],
      newIds: items.map((item) => item.media.id),
      usage: vector.usage,
      unavailable,
    };
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
  private async modelFacts(tx: Transaction, userId: string, search: Search, vector: QueryVector) {
    const { halfvec, model } = vector;
    if (halfvec === null || model === null) return { embeddedBy: null, unavailable: vector.unavailable };
    const facts = await this.repository.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 });
    if (facts !== null) return { embeddedBy: { halfvec, model, ...facts }, unavailable: null };
    if (search.mode === 'semantic') throw semanticUnavailable(new SemanticUnavailableError('model'));
    return { embeddedBy: null, unavailable: 'model' as const };
  }

  private async note(
    tx: Transaction,
    userId: string,
    search: Search,
    found: { newIds: string[]; total: number; usage: PricedUsage | null; ranking: Ranking },
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
    const { filter, in: zones, alpha, minScore } = search.request;
    await this.history.record(tx, userId, {
      id: search.id,
      searchedAt: search.searchedAt,
      query: search.request.query,
      mode: search.mode,
      filters: withoutUndefined({ filter, in: zones, alpha, minScore }),
      limit: search.limit,
      resultsCount: found.total,
      shownResults: found.newIds,
      responseTimeMs: tookMs,
      sessionId: search.request.sessionId ?? null,
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

function nextCursor(search: Search, shown: number): SearchCursor {
  return { searchId: search.id, searchedAt: search.searchedAt.toISOString(), shown, digest: search.digest };
}

/** What a page must share with the one before: everything but its size and place. 96 bits tell searches apart. */
function digestOf(request: SearchRequest): string {
  const { query, mode, alpha, filter, in: zones, minScore } = request;
  const text = JSON.stringify([
    query,
    mode ?? 'hybrid',
    alpha ?? DEFAULT_ALPHA,
    filter,
    zones,
    minScore ?? 0,
  ]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** As plain JSON, so that a class instance or an undefined field never reaches the JSONB column. */
function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
