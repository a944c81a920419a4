import { prepared } from '../../../infrastructure/database/prepared.js';
import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** Click-through rate: share of the files shown that were clicked (C70), null while nothing was shown. */
const CLICK_THROUGH_RATE = (shown: Prisma.Sql, clicked: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`round(cardinality(${clicked})::numeric / nullif(cardinality(${shown}), 0), 4)`;

/** A row of search_history as a search writes it; the rest has defaults. */
export interface NewSearchRow {
  userId: string;
  id: string;
  queryText: string;
  filters: Record<string, unknown>;
  mode: string;
  sortBy: string | null;
  sortOrder: string | null;
  limitCount: number;
  resultsCount: number;
  shownResults: string[];
  responseTimeMs: number;
  cacheHit: boolean;
  queryVectorHash: string | null;
  /** null while nothing was shown. */
  clickThroughRate: number | null;
  searchSessionId: string | null;
  userAgent: string | null;
  ipAddress: string | null;
  searchedAt: Date;
}

/** @param condition the row is written only if it holds */
export const insertSearch = (
  row: NewSearchRow,
  condition = Prisma.sql`true`,
): Prisma.Sql => Prisma.sql`INSERT INTO search_history (user_id, id, query_text, filters, mode, sort_by, sort_order, limit_count, results_count,
  shown_results, response_time_ms, cache_hit, query_vector_hash, click_through_rate, search_session_id, user_agent,
  ip_address, searched_at)
SELECT ${row.userId}::uuid, ${row.id}::uuid, ${row.queryText}, ${JSON.stringify(row.filters)}::jsonb, ${row.mode},
  ${row.sortBy}, ${row.sortOrder}, ${row.limitCount}::integer, ${row.resultsCount}::integer, ${row.shownResults}::uuid[],
  ${row.responseTimeMs}::integer, ${row.cacheHit}::boolean, ${row.queryVectorHash}, ${row.clickThroughRate}::numeric,
  ${row.searchSessionId}::uuid, ${row.userAgent}, ${row.ipAddress}::inet, ${row.searchedAt}::timestamptz
WHERE ${condition}`;

/**
 * All that a search leaves behind, in one statement: what its provider calls cost in any case, and if the month has a
 * search left, the search taken from it and its row in the history. @returns one row: `isCharged`
 */
export const settleSearch = (input: {
  row: NewSearchRow;
  /** Takes a search of the month; returns a row if there was one. */
  charge: Prisma.Sql;
  costs: Prisma.Sql | null;
}): Prisma.Sql => {
  const costs = input.costs === null ? Prisma.empty : Prisma.sql`costs AS (${input.costs}),\n`;
  return prepared(Prisma.sql`WITH charged AS (${input.charge}),
${costs}noted AS (${insertSearch(input.row, Prisma.sql`EXISTS (SELECT FROM charged)`)})
SELECT EXISTS (SELECT FROM charged) AS "isCharged"`);
};

/**
 * Notes a further page behind the first `before` files that a search has shown. What was shown behind these earlier (the
 * same page was asked for before, and files have come since) follows the page: cursors count from the front, and none of
 * it may be taken for shown before it is shown again.
 */
export function noteShownPage(input: {
  userId: string;
  searchId: string;
  searchedAt: Date;
  before: number;
  mediaFileIds: string[];
}): Prisma.Sql {
  const { before, mediaFileIds } = input;
  const shown = Prisma.sql`s.shown_results[1:${before}::integer] || ${mediaFileIds}::uuid[] || ARRAY(
    SELECT later.id FROM unnest(s.shown_results[${before}::integer + 1:]) WITH ORDINALITY AS later(id, position)
    WHERE later.id <> ALL (${mediaFileIds}::uuid[]) ORDER BY later.position)`;
  return Prisma.sql`UPDATE search_history s
SET shown_results = ${shown}, click_through_rate = ${CLICK_THROUGH_RATE(Prisma.sql`(${shown})`, Prisma.sql`s.clicked_results`)}
WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.searchId}::uuid
  AND s.searched_at = ${input.searchedAt.toISOString()}::timestamptz`;
}

/** The search that is about to be clicked, locked so that two clicks at once are both counted. */
export interface ClickedSearchRow {
  searchedAt: Date;
  shownResults: string[];
}

export function lockSearch(input: { userId: string; searchId: string }): Prisma.Sql {
  return Prisma.sql`SELECT s.searched_at AS "searchedAt", s.shown_results AS "shownResults"
FROM search_history s WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.searchId}::uuid
FOR UPDATE`;
}

/** Derives the array and the rate from the click rows. */
export function refreshClicks(input: { userId: string; searchId: string; searchedAt: Date }): Prisma.Sql {
  const clicked = Prisma.sql`ARRAY(SELECT c.media_file_id FROM search_clicks c
    WHERE c.user_id = ${input.userId}::uuid AND c.search_id = ${input.searchId}::uuid ORDER BY c.clicked_at, c.id)`;
  return Prisma.sql`UPDATE search_history s
SET clicked_results = ${clicked}, click_through_rate = ${CLICK_THROUGH_RATE(Prisma.sql`s.shown_results`, clicked)}
WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.searchId}::uuid
  AND s.searched_at = ${input.searchedAt.toISOString()}::timestamptz
RETURNING s.click_through_rate::float8 AS "clickThroughRate"`;
}
