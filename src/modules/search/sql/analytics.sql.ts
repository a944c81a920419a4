import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** The window of a report: whole days in UTC, today included. */
export interface AnalyticsWindow {
  /** null = all users (administrators). */
  userId: string | null;
  days: number;
}

/** The first moment of the window, as the planner can use it to leave out partitions. */
const WINDOW_START = (days: number): Prisma.Sql =>
  Prisma.sql`((now() AT TIME ZONE 'UTC')::date - (${days}::integer - 1))::timestamp AT TIME ZONE 'UTC'`;

const OWNED_BY = (alias: Prisma.Sql, userId: string | null): Prisma.Sql =>
  userId === null ? Prisma.empty : Prisma.sql`${alias}.user_id = ${userId}::uuid AND `;

const SEARCHES = ({ userId, days }: AnalyticsWindow): Prisma.Sql =>
  Prisma.sql`FROM search_history s WHERE ${OWNED_BY(Prisma.sql`s`, userId)}s.searched_at >= ${WINDOW_START(days)}`;

/** Interpolated between the two nearest values, as percentile_cont does. */
const PERCENTILES = Prisma.sql`percentile_cont(0.5) WITHIN GROUP (ORDER BY s.response_time_ms) AS "responseTimeP50Ms",
  percentile_cont(0.95) WITHIN GROUP (ORDER BY s.response_time_ms) AS "responseTimeP95Ms"`;

export interface SearchDayRow {
  /** YYYY-MM-DD, UTC. */
  day: string;
  searchCount: number;
  averageResponseTimeMs: number | null;
  averageClickThroughRate: number | null;
}

/** 001-59: searches by day, today included; days without any are there with a count of 0. */
export function searchesByDay({ userId, days }: AnalyticsWindow): Prisma.Sql {
  return Prisma.sql`WITH days AS (
  SELECT generate_series(0, ${days}::integer - 1) AS days_ago, (now() AT TIME ZONE 'UTC')::date AS today
)
SELECT to_char(d.today - d.days_ago, 'YYYY-MM-DD') AS day, count(s.id)::integer AS "searchCount",
  avg(s.response_time_ms)::float8 AS "averageResponseTimeMs",
  avg(s.click_through_rate)::float8 AS "averageClickThroughRate"
FROM days d
LEFT JOIN search_history s ON ${OWNED_BY(Prisma.sql`s`, userId)}(s.searched_at AT TIME ZONE 'UTC')::date = d.today - d.days_ago
  AND s.searched_at >= ${WINDOW_START(days)}
GROUP BY d.today, d.days_ago
ORDER BY d.days_ago DESC`;
}

export interface SearchTotalsRow {
  userCount: number;
  searchCount: number;
  zeroResultCount: number;
  zeroResultRate: number | null;
  cacheHitCount: number;
  clickCount: number;
  clickedSearchCount: number;
  clickedSearchRate: number | null;
  averageClickThroughRate: number | null;
  meanClickPosition: number | null;
  meanReciprocalRank: number | null;
  responseTimeP50Ms: number | null;
  responseTimeP95Ms: number | null;
}

/**
 * One row for the whole window. Clicks belong to the day of their search. A search that showed nothing has no
 * click-through rate: it is in the zero results and not in the rates of clicks.
 */
export function searchTotals(window: AnalyticsWindow): Prisma.Sql {
  return Prisma.sql`WITH clicked AS (
  SELECT c.user_id, c.search_id, count(*) AS clicks, sum(c.position) AS positions, min(c.position) AS best
  FROM search_clicks c
  WHERE ${OWNED_BY(Prisma.sql`c`, window.userId)}c.searched_at >= ${WINDOW_START(window.days)}
  GROUP BY c.user_id, c.search_id
), searches AS (
  SELECT count(DISTINCT s.user_id)::integer AS "userCount", count(*)::integer AS "searchCount",
    count(*) FILTER (WHERE s.results_count = 0)::integer AS "zeroResultCount",
    avg((s.results_count = 0)::integer)::float8 AS "zeroResultRate",
    count(*) FILTER (WHERE s.cache_hit)::integer AS "cacheHitCount",
    count(s.click_through_rate) AS shown,
    avg(s.click_through_rate)::float8 AS "averageClickThroughRate",
    ${PERCENTILES}
  ${SEARCHES(window)}
), clicks AS (
  SELECT coalesce(sum(k.clicks), 0)::integer AS "clickCount", count(*)::integer AS "clickedSearchCount",
    (sum(k.positions) / sum(k.clicks))::float8 AS "meanClickPosition",
    avg(1.0 / k.best)::float8 AS "meanReciprocalRank"
  FROM clicked k
)
SELECT a."userCount", a."searchCount", a."zeroResultCount", a."zeroResultRate", a."cacheHitCount",
  b."clickCount", b."clickedSearchCount", (b."clickedSearchCount"::float8 / nullif(a.shown, 0)) AS "clickedSearchRate",
  a."averageClickThroughRate", b."meanClickPosition", b."meanReciprocalRank", a."responseTimeP50Ms", a."responseTimeP95Ms"
FROM searches a CROSS JOIN clicks b`;
}

export interface SearchModeRow {
  mode: string;
  searchCount: number;
  zeroResultCount: number;
  responseTimeP50Ms: number | null;
  responseTimeP95Ms: number | null;
}

export function searchesByMode(window: AnalyticsWindow): Prisma.Sql {
  return Prisma.sql`SELECT s.mode, count(*)::integer AS "searchCount",
  count(*) FILTER (WHERE s.results_count = 0)::integer AS "zeroResultCount",
  ${PERCENTILES}
${SEARCHES(window)}
GROUP BY s.mode ORDER BY "searchCount" DESC, s.mode`;
}

export interface QueryFiguresRow {
  query: string | null;
  searchCount: number;
  zeroResultCount: number;
  clickedSearchCount: number;
  lastSearchedAt: Date;
}

/** A query as it is counted: its case and spacing do not matter. */
export const NORMALIZED_QUERY = Prisma.sql`lower(regexp_replace(btrim(s.query_text), '\\s+', ' ', 'g'))`;

/** What takes the place of a query's text after its time (C49). Salted with the user, so that users are not compared. */
export const QUERY_PSEUDONYM = Prisma.sql`'sha256:' || encode(sha256(convert_to(s.user_id::text || ' ' || ${NORMALIZED_QUERY}, 'UTF8')), 'hex')`;

/**
 * A user's queries with their figures. Searches whose text was removed count with those of the same query that still
 * have theirs. Never without a user: what somebody searches for is for nobody else (C49, C60).
 */
export function queryFigures(input: {
  userId: string;
  days: number;
  by: 'searches' | 'zero-results';
  limit: number;
}): Prisma.Sql {
  const { having, first } = QUERY_ORDERS[input.by];
  return Prisma.sql`WITH searches AS (
  SELECT CASE WHEN s.anonymized_at IS NULL THEN ${QUERY_PSEUDONYM} ELSE s.query_text END AS pseudonym,
    CASE WHEN s.anonymized_at IS NULL THEN ${NORMALIZED_QUERY} END AS query,
    s.results_count, cardinality(s.clicked_results) > 0 AS is_clicked, s.searched_at
  ${SEARCHES(input)}
)
SELECT max(q.query) AS query, count(*)::integer AS "searchCount",
  count(*) FILTER (WHERE q.results_count = 0)::integer AS "zeroResultCount",
  count(*) FILTER (WHERE q.is_clicked)::integer AS "clickedSearchCount", max(q.searched_at) AS "lastSearchedAt"
FROM searches q GROUP BY q.pseudonym ${having}
ORDER BY ${first}, "lastSearchedAt" DESC, query LIMIT ${input.limit}::integer`;
}

const QUERY_ORDERS = {
  searches: { having: Prisma.empty, first: Prisma.sql`"searchCount" DESC` },
  'zero-results': {
    having: Prisma.sql`HAVING count(*) FILTER (WHERE q.results_count = 0) > 0`,
    first: Prisma.sql`"zeroResultCount" DESC`,
  },
};
