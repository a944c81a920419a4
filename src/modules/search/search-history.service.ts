import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { currentScope } from '../../infrastructure/context/request-context.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { SearchRecord } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import type { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import type { PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { UsageService } from '../billing/usage.service.js';
import type { NewSearchRow } from './sql/history.sql.js';
import { AuditService } from '../audit/audit.service.js';
import type {
  ClearedHistoryResponse,
  ClickRequest,
  ClickResponse,
  SearchHistoryResponse,
  SearchRecordResponse,
} from './dto/history.dto.js';
import { QueryVectorsService, type QueryVectorUse } from './query-vectors.service.js';
import type { SearchMode } from './ranker.js';
import { SearchHistoryRepository } from './search-history.repository.js';

const CURSOR_KIND = 'searches';

export interface NewSearchRecord {
  id: string;
  searchedAt: Date;
  query: string;
  mode: SearchMode;
  /** filter, in, alpha, minScore as sent. */
  filters: Record<string, unknown>;
  /** Absent where the order is that of similarity. */
  sort?: string;
  order?: 'asc' | 'desc';
  limit: number;
  resultsCount: number;
  shownResults: string[];
  responseTimeMs: number;
  sessionId: string | null;
  /** Where the query's vector is kept (C73); null or absent when it is not. */
  queryVector?: QueryVectorUse | null;
}

/** What a user searched for, what was shown, and what was clicked. The user's own, to read and to clear. */
@Injectable()
export class SearchHistoryService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchHistoryRepository) private readonly repository: SearchHistoryRepository,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
    @Inject(AuditService) private readonly audit: AuditService,
    @Inject(QueryVectorsService) private readonly vectors: QueryVectorsService,
    @Inject(UsageService) private readonly usage: UsageService,
  ) {}

  /** Writes a search's row; address and user agent come from the request. */
  async record(tx: Transaction, userId: string, search: NewSearchRecord): Promise<void> {
    await this.repository.insert(tx, toRow(userId, search));
  }

  /**
   * Charges a search, writes its row and what its provider calls cost, all in one statement.
   * @returns false when the month has no search left: then only the costs were written
   */
  settle(tx: Transaction, userId: string, search: NewSearchRecord, usages: PricedUsage[]): Promise<boolean> {
    const costs = this.usage.costsStatement(searchCosts(search.id, usages));
    const row = toRow(userId, search);
    return this.repository.settle(tx, { row, charge: this.usage.chargeStatement(), costs });
  }

  /**
   * Charges and records a search that `settle` did not: the billing period has run out, or the searches are used up.
   * @throws AppError 402 `quota-exceeded` when they are
   */
  settleAnew(userId: string, search: NewSearchRecord): Promise<void> {
    return this.database.run(async (tx) => {
      await this.usage.chargeSearch();
      await this.record(tx, userId, search);
    });
  }

  /** Own searches, newest first. */
  async list(userId: string, page: PageQuery): Promise<SearchHistoryResponse> {
    const after = page.cursor
      ? this.cursors.decode<{ at: string; id: string }>(CURSOR_KIND, userId, page.cursor)
      : null;
    const rows = await this.database.run((tx) =>
      this.repository.list(
        tx,
        userId,
        after && { searchedAt: new Date(after.at), id: after.id },
        page.limit + 1,
      ),
    );
    const items = rows.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map(toRecordResponse),
      nextCursor:
        rows.length > page.limit && last
          ? this.cursors.encode(CURSOR_KIND, userId, { at: last.searchedAt.toISOString(), id: last.id })
          : null,
    };
  }

  /**
   * Notes that a file was opened from a search's results (C70).
   * @throws AppError 404 when the user has no such search, 400 `not-shown` when it did not show this file
   */
  click(userId: string, searchId: string, click: ClickRequest): Promise<ClickResponse> {
    const mediaFileId = click.mediaFileId.toLowerCase();
    return this.database.run(async (tx) => {
      const search = await this.repository.lock(tx, userId, searchId);
      if (search === null) throw errors.notFound('search');
      const place = search.shownResults.indexOf(mediaFileId);
      if (place < 0) {
        // The same answer for a file that does not exist and for somebody else's.
        throw errors.badRequest('not-shown', 'This search has not shown this file.', '/mediaFileId');
      }
      const { searchedAt } = search;
      await this.repository.insertClick(tx, {
        userId,
        id: uuidv7(),
        searchId,
        searchedAt,
        mediaFileId,
        position: click.position ?? place + 1,
      });
      const clickThroughRate = await this.repository.refreshClicks(tx, { userId, searchId, searchedAt });
      return { searchId, mediaFileId, clickThroughRate };
    });
  }

  /** Deletes all of the user's searches and clicks, and what is kept of their vectors. */
  clear(userId: string): Promise<ClearedHistoryResponse> {
    return this.database.run(async (tx) => {
      const deleted = await this.repository.clear(tx, userId);
      await this.vectors.clear();
      await this.audit.record(tx, {
        eventType: 'search.history-cleared',
        category: 'search',
        action: 'delete',
        metadata: { deleted },
      });
      return { deleted };
    });
  }
}

/** The provider calls of a search as the ledger tells them apart: the same ones once more are not counted. */
export function searchCosts(
  reference: string,
  usages: PricedUsage[],
): { usage: PricedUsage; referenceId: string }[] {
  return usages.map((usage, index) => ({
    usage,
    referenceId: index === 0 ? reference : `${reference}:${index + 1}`,
  }));
}

/** Address and user agent come from the request. */
function toRow(userId: string, search: NewSearchRecord): NewSearchRow {
  const scope = currentScope();
  return {
    userId,
    id: search.id,
    queryText: search.query,
    filters: search.filters,
    mode: search.mode,
    sortBy: search.sort ?? null,
    sortOrder: search.order ?? null,
    limitCount: search.limit,
    resultsCount: search.resultsCount,
    shownResults: search.shownResults,
    responseTimeMs: search.responseTimeMs,
    cacheHit: search.queryVector?.isHit ?? false,
    queryVectorHash: search.queryVector?.hash ?? null,
    clickThroughRate: search.shownResults.length > 0 ? 0 : null,
    searchSessionId: search.sessionId,
    userAgent: scope?.userAgent ?? null,
    ipAddress: scope?.ipAddress ?? null,
    searchedAt: search.searchedAt,
  };
}

function toRecordResponse(row: SearchRecord): SearchRecordResponse {
  return {
    id: row.id,
    query: row.queryText,
    mode: row.mode,
    filters: row.filters as Record<string, unknown>,
    resultsCount: row.resultsCount,
    shownCount: row.shownResults.length,
    clickedResults: row.clickedResults,
    clickThroughRate: row.clickThroughRate === null ? null : Number(row.clickThroughRate),
    responseTimeMs: row.responseTimeMs,
    cacheHit: row.cacheHit,
    sessionId: row.searchSessionId,
    searchedAt: row.searchedAt.toISOString(),
  };
}
