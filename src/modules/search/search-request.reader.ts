import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import { DEFAULT_PAGE_SIZE } from '../../infrastructure/http/pagination.dto.js';
import type { SearchRequest, WithinQuery } from './dto/search.request.js';
import type { PairOrder } from './moment-pairs.js';
import { parseQuery, type ParsedQuery } from './query-text.js';
import { segmentTypesOf, type SearchMode } from './ranker.js';
import { digestOf, readRepeatedSearchCursor, type RepeatedSearchCursor } from './search-cursor.js';
import type { SearchSort } from './sql/sorted-media.sql.js';

const CURSOR_KIND = 'search';
/** A letter, a digit, a symbol or an emoji: what a title or a label could hold. Dashes, quotes and dots alone are none. */
const HAS_SIGN = /[\p{L}\p{N}\p{S}\p{Extended_Pictographic}]/u;
export const DEFAULT_ALPHA = 0.5;

/** A request with its defaults, its query in parts, and where it goes on. */
export interface Search {
  id: string;
  searchedAt: Date;
  request: SearchRequest;
  query: ParsedQuery;
  mode: SearchMode;
  alpha: number;
  sort: SearchSort;
  /** The second query, which has to happen within some seconds of the first. */
  within: { query: ParsedQuery; seconds: number; order: PairOrder } | null;
  limit: number;
  digest: string;
  /** null on the first page. */
  continues: RepeatedSearchCursor | null;
  /** Names the provider calls of this request in the ledger. Each page has calls of its own. */
  costReference: string;
}

/** Turns a request into a search: defaults, the query's parts, the page's place. */
@Injectable()
export class SearchRequestReader {
  constructor(@Inject(CursorCodec) private readonly cursors: CursorCodec) {}

  /** @throws AppError 400 for a request or cursor that makes no sense */
  read(userId: string, request: SearchRequest): Search {
    const mode = request.mode ?? 'hybrid';
    // Text mode takes a query literally, and so does hybrid without any weight on meaning, which is the same.
    const alpha = request.alpha ?? DEFAULT_ALPHA;
    const reading = { plainExclusions: mode === 'semantic' || (mode === 'hybrid' && alpha > 0) };
    const query = parseQuery(request.query, reading);
    if (!HAS_SIGN.test(request.query)) {
      throw errors.badRequest('empty-query', 'The query holds nothing to look for.', '/query');
    }
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
    const within = request.within ? readWithin(request.within, mode, reading) : null;
    const digest = digestOfSearch(request);
    const continues = request.cursor
      ? readRepeatedSearchCursor(this.cursors, CURSOR_KIND, userId, request.cursor, {
          ...{ digest, inWords: 'query and filters' },
        })
      : null;
    const now = new Date();
    const newId = uuidv7({ msecs: now.getTime() });
    return {
      id: continues?.searchId ?? newId,
      costReference: newId,
      searchedAt: continues ? new Date(continues.searchedAt) : now,
      request,
      query,
      mode,
      alpha,
      sort: request.sort ?? 'relevance',
      within,
      limit: request.limit ?? DEFAULT_PAGE_SIZE,
      digest,
      continues,
    };
  }

  /** Where the next page begins: after the `shown` files that have been shown so far. */
  cursor(userId: string, search: Search, shown: number): string {
    const { id, searchedAt, digest } = search;
    const cursor: RepeatedSearchCursor = {
      searchId: id,
      searchedAt: searchedAt.toISOString(),
      shown,
      digest,
    };
    return this.cursors.encode(CURSOR_KIND, userId, cursor);
  }
}

function readWithin(
  within: WithinQuery,
  mode: SearchMode,
  reading: { plainExclusions: boolean },
): NonNullable<Search['within']> {
  const query = parseQuery(within.query, reading);
  if (query.wantedTerms === '' || (mode === 'semantic' && query.meaning === '')) {
    throw errors.badRequest(
      'empty-query',
      'The second query only excludes words. Name something to look for.',
      '/within/query',
    );
  }
  return { query, seconds: within.seconds, order: within.order ?? 'any' };
}

function digestOfSearch(request: SearchRequest): string {
  const { query, mode, alpha, filter, in: zones, minScore, sort, order, cutoff, within } = request;
  return digestOf([
    query,
    mode ?? 'hybrid',
    alpha ?? DEFAULT_ALPHA,
    filter,
    zones,
    minScore ?? 0,
    sort ?? 'relevance',
    order ?? 'desc',
    cutoff,
    within,
  ]);
}
