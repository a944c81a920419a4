import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { Prisma, SavedSearch } from '../../infrastructure/database/generated/client.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { AppError, errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import type { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import { AuditService } from '../audit/audit.service.js';
import type {
  CreateSavedSearchRequest,
  NewSinceLastRunResponse,
  RunSavedSearchRequest,
  SavedSearchListResponse,
  SavedSearchResponse,
  SavedSearchRunResponse,
  UpdateSavedSearchRequest,
} from './dto/saved-searches.dto.js';
import type { SearchRequest } from './dto/search.request.js';
import { compareRuns, MAX_RUN_MEDIA, type Run } from './saved-search-news.js';
import { SavedSearchesRepository } from './saved-searches.repository.js';
import { SearchService } from './search.service.js';
import { belowSearch, outdated, toSearchRequest, toStoredSearch } from './stored-search.js';

const CURSOR_KIND = 'saved-searches';
/** More than anybody keeps in view. Each remembers up to 2,000 ids (32 KB), so a user's take 3 MB at most. */
export const MAX_SAVED_SEARCHES = 100;

/** Searches that a user keeps under a name and runs again, to see what is new. */
@Injectable()
export class SavedSearchesService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SavedSearchesRepository) private readonly repository: SavedSearchesRepository,
    @Inject(SearchService) private readonly searches: SearchService,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /**
   * @throws AppError 400 for a search that POST /v1/search would refuse (pointers below /search), 409 `already-exists`
   *   for a name in use, 409 `too-many-saved-searches`
   */
  async create(userId: string, request: CreateSavedSearchRequest): Promise<SavedSearchResponse> {
    const search = this.stored(userId, request.search);
    return this.database.run(async (tx) => {
      if ((await this.repository.lockAndCount(tx, userId)) >= MAX_SAVED_SEARCHES) {
        throw errors.conflict(
          'too-many-saved-searches',
          `You can keep ${MAX_SAVED_SEARCHES} saved searches. Delete one to save another.`,
        );
      }
      const row = await refuseSecondName(() =>
        this.repository.insert(tx, { userId, id: uuidv7(), name: request.name, search }),
      );
      await this.record(tx, row.id, 'create', ['name', 'search']);
      return toResponse(row);
    });
  }

  /** Newest first. @throws AppError 400 `invalid-cursor` */
  async list(userId: string, page: PageQuery): Promise<SavedSearchListResponse> {
    const before = page.cursor
      ? this.cursors.decode<{ id: string }>(CURSOR_KIND, userId, page.cursor).id
      : null;
    const rows = await this.database.run((tx) => this.repository.list(tx, userId, before, page.limit + 1));
    const items = rows.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map(toResponse),
      nextCursor:
        rows.length > page.limit && last ? this.cursors.encode(CURSOR_KIND, userId, { id: last.id }) : null,
    };
  }

  /** @throws AppError 404 */
  async get(userId: string, id: string): Promise<SavedSearchResponse> {
    return toResponse(await this.find(userId, id));
  }

  /** A search that differs from the one before starts anew: there is no last run to compare with. @throws as `create`, 404 */
  async update(userId: string, id: string, request: UpdateSavedSearchRequest): Promise<SavedSearchResponse> {
    const search = request.search && this.stored(userId, request.search);
    return this.database.run(async (tx) => {
      const before = await this.repository.lock(tx, userId, id);
      if (before === null) throw errors.notFound('saved search');
      const isRenamed = request.name !== undefined && request.name !== before.name;
      const isOther = search !== undefined && !isDeepStrictEqual(search, before.search);
      if (!isRenamed && !isOther) return toResponse(before);
      const row = await refuseSecondName(() =>
        this.repository.update(tx, userId, id, {
          ...(isRenamed ? { name: request.name } : {}),
          ...(isOther ? { search, ...NEVER_RUN } : {}),
        }),
      );
      await this.record(tx, id, 'update', [...(isRenamed ? ['name'] : []), ...(isOther ? ['search'] : [])]);
      return toResponse(row);
    });
  }

  /** @throws AppError 404 */
  async delete(userId: string, id: string): Promise<void> {
    await this.database.run(async (tx) => {
      if (!(await this.repository.delete(tx, userId, id))) throw errors.notFound('saved search');
      await this.record(tx, id, 'delete');
    });
  }

  /**
   * Searches as POST /v1/search does, charged and recorded the same way, and says what is new (compareRuns). A further
   * page tells again what its first page told, as long as no other run has begun.
   * @throws AppError 404, 409 `saved-search-outdated` when the search is not valid any more, and what a search throws
   */
  async run(userId: string, id: string, call: RunSavedSearchRequest): Promise<SavedSearchRunResponse> {
    const startedAt = new Date();
    const saved = await this.find(userId, id);
    const request = Object.assign(await toSearchRequest(saved.search), {
      limit: call.limit,
      cursor: call.cursor,
    });
    const { response, mediaFileIds } = await this.search(userId, request);
    const run: Run = {
      mediaFileIds: mediaFileIds.slice(0, MAX_RUN_MEDIA),
      isCapped: response.totalIsCapped || mediaFileIds.length > MAX_RUN_MEDIA,
      isDegraded: response.degraded !== undefined,
      basedOn: saved.runCount,
    };
    const news = await this.news(userId, saved, call, { ...run, searchId: response.searchId, startedAt });
    const isNew = new Set(news?.mediaFileIds);
    return {
      ...response,
      savedSearchId: id,
      items: response.items.map((item) => ({
        ...item,
        isNew: news === null ? null : isNew.has(item.media.id),
      })),
      newSinceLastRun: news,
    };
  }

  /** What is refused about the search itself is the saved search's fault, what is refused about its page the caller's. */
  private async search(userId: string, request: SearchRequest) {
    try {
      return await this.searches.searchWithIds(userId, request);
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 400) throw error;
      const faults = error.extra.errors ?? [];
      throw faults.some(({ pointer }) => /^\/(cursor|limit)$/.test(pointer)) ? error : outdated(faults);
    }
  }

  private news(
    userId: string,
    before: SavedSearch,
    call: RunSavedSearchRequest,
    run: Run & { searchId: string; startedAt: Date },
  ): Promise<NewSinceLastRunResponse | null> {
    return this.database.run(async (tx) => {
      const saved = await this.repository.lock(tx, userId, before.id);
      if (saved === null || !isDeepStrictEqual(saved.search, before.search)) return null;
      if (call.cursor !== undefined && run.searchId === saved.lastSearchId) return toldBefore(saved);
      const isLook = call.markSeen === false;
      if (call.cursor !== undefined && !isLook) return null;
      const { since, newMediaIds, isCapped, seen } = compareRuns(saved, run);
      if (seen !== null && !isLook) {
        await this.repository.update(tx, userId, saved.id, {
          lastRunAt: run.startedAt,
          lastSearchId: run.searchId,
          seenMediaIds: seen.mediaFileIds,
          seenIsCapped: seen.isCapped,
          newSince: since,
          newMediaIds,
          newIsCapped: isCapped,
          runCount: { increment: 1 },
        });
      }
      return toNews(since, newMediaIds, isCapped);
    });
  }

  /** Valid as it is now, and as plain JSON. @throws AppError 400 with pointers below /search */
  private stored(userId: string, request: SearchRequest): Prisma.InputJsonObject {
    const search = toStoredSearch(request);
    try {
      this.searches.check(userId, Object.assign(request, { cursor: undefined }));
    } catch (error) {
      const faults = error instanceof AppError ? error.extra.errors : undefined;
      throw error instanceof AppError && faults
        ? new AppError(error.status, error.code, error.title, error.detail, { errors: belowSearch(faults) })
        : error;
    }
    return search as Prisma.InputJsonObject;
  }

  private async find(userId: string, id: string): Promise<SavedSearch> {
    const saved = await this.database.run((tx) => this.repository.find(tx, userId, id));
    if (saved === null) throw errors.notFound('saved search');
    return saved;
  }

  /** Which fields, never what they say: names and queries are the user's own business. */
  private record(
    tx: Transaction,
    id: string,
    action: 'create' | 'update' | 'delete',
    fields?: string[],
  ): Promise<void> {
    return this.audit.record(tx, {
      eventType: `saved-search.${action}d`,
      category: 'search',
      action,
      target: { type: 'saved_search', id },
      ...(fields ? { metadata: { fields } } : {}),
    });
  }
}

const NEVER_RUN = {
  lastRunAt: null,
  lastSearchId: null,
  seenMediaIds: [],
  seenIsCapped: false,
  newSince: null,
  newMediaIds: [],
  newIsCapped: false,
};

const toldBefore = (saved: SavedSearch): NewSinceLastRunResponse =>
  toNews(saved.newSince, saved.newMediaIds, saved.newIsCapped);

function toNews(since: Date | null, mediaFileIds: string[], isCapped: boolean): NewSinceLastRunResponse {
  return { since: since?.toISOString() ?? null, count: mediaFileIds.length, mediaFileIds, isCapped };
}

function toResponse(row: SavedSearch): SavedSearchResponse {
  return {
    id: row.id,
    name: row.name,
    search: row.search as Record<string, unknown>,
    lastRunAt: row.lastRunAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** The unique index has the last word: it compares without regard to case. */
async function refuseSecondName<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (sqlStateOf(error) !== '23505') throw error;
    throw errors.conflict('already-exists', 'There is a saved search of this name already.', [
      { pointer: '/name', detail: 'Choose another name; upper and lower case count as the same.' },
    ]);
  }
}
