import {
  KINDS,
  violates,
  type Dataset,
  type JudgedQuery,
  type LibraryItem,
  type QueryKind,
} from './dataset.js';
import { DEPTH, mean, normalizedDiscountedCumulativeGain, reciprocalRank, shareOf } from './metrics.js';

export const MODES = ['text', 'semantic', 'hybrid'] as const;
export type Mode = (typeof MODES)[number];

/** Asks one query. @returns ids of the items answered, best first */
export type Search = (mode: Mode, query: JudgedQuery) => Promise<string[]>;

export interface QueryResult {
  query: JudgedQuery;
  mode: Mode;
  /** Item ids, best first. */
  answered: string[];
  /** null for a query without an answer. */
  ndcg: number | null;
  reciprocalRank: number | null;
  /** Items answered that break the query's filter or hold what it excludes. */
  violations: string[];
}

/** Each number 0..1, rounded to four digits; null when no query of that sort was asked. */
export interface Summary {
  /** Mean nDCG@10 over the queries that have an answer. */
  ndcgAt10: number | null;
  meanReciprocalRank: number | null;
  /** Share of the queries without an answer that got any hit all the same. */
  falseAnswerRate: number | null;
  /** Share of the queries with a filter or an exclusion that got a hit which breaks it. */
  violationRate: number | null;
}

/** Queries asked at the same time, so that the database works while this process does. */
const CONCURRENT_QUERIES = 4;

/** Asks every query in every mode. The results come in the order of the modes and queries. */
export async function evaluate(dataset: Dataset, search: Search): Promise<QueryResult[]> {
  const byId = new Map(dataset.items.map((item) => [item.id, item]));
  const asked = MODES.flatMap((mode) => dataset.queries.map((query) => ({ mode, query })));
  const results: QueryResult[] = [];
  for (let start = 0; start < asked.length; start += CONCURRENT_QUERIES) {
    const batch = asked.slice(start, start + CONCURRENT_QUERIES).map(async ({ mode, query }) => {
      return resultOf(mode, query, await search(mode, query), byId);
    });
    results.push(...(await Promise.all(batch)));
  }
  return results;
}

function resultOf(
  mode: Mode,
  query: JudgedQuery,
  answered: string[],
  byId: ReadonlyMap<string, LibraryItem>,
): QueryResult {
  const grades = answered.map((id) => query.judgements[id] ?? 0);
  return {
    query,
    mode,
    answered,
    ndcg: normalizedDiscountedCumulativeGain(grades, Object.values(query.judgements)),
    reciprocalRank: query.kind === 'no-answer' ? null : reciprocalRank(grades),
    // Checked in the whole answer: a filter that leaks at its end leaks.
    violations: answered.filter((id) => violates(byId.get(id)!, query)),
  };
}

export function summarize(results: readonly QueryResult[]): Summary {
  const hasAnswer = ({ query }: QueryResult): boolean => query.kind !== 'no-answer';
  const isRestricted = ({ query }: QueryResult): boolean => !!query.filter || !!query.mustNotSay;
  return {
    ndcgAt10: round(mean(results.flatMap(({ ndcg }) => (ndcg === null ? [] : [ndcg])))),
    meanReciprocalRank: round(mean(results.filter(hasAnswer).map((result) => result.reciprocalRank ?? 0))),
    falseAnswerRate: round(
      shareOf(results.filter((result) => !hasAnswer(result)).map(({ answered }) => answered.length > 0)),
    ),
    violationRate: round(
      shareOf(results.filter(isRestricted).map(({ violations }) => violations.length > 0)),
    ),
  };
}

export type Summaries = Record<Mode, Summary>;

export function summarizeModes(results: readonly QueryResult[]): Summaries {
  const of = (mode: Mode): Summary => summarize(results.filter((result) => result.mode === mode));
  return { text: of('text'), semantic: of('semantic'), hybrid: of('hybrid') };
}

/** nDCG@10 may fall by this much before the gate closes: less than one query of 100 lost altogether. */
export const NDCG_TOLERANCE = 0.01;

/** What has become worse than the baseline, and where hybrid does not pay: one sentence each, none when all is well. */
export function faultsAgainst(baseline: Summaries, now: Summaries): string[] {
  const faults: string[] = [];
  for (const mode of MODES) {
    const [before, after] = [baseline[mode], now[mode]];
    // A hair's breadth more, so that a fall of exactly the tolerance does not hang on floating point.
    if ((after.ndcgAt10 ?? 0) < (before.ndcgAt10 ?? 0) - NDCG_TOLERANCE - 1e-9) {
      faults.push(`${mode}: nDCG@10 fell from ${before.ndcgAt10} to ${after.ndcgAt10}`);
    }
    for (const rate of ['falseAnswerRate', 'violationRate'] as const) {
      if ((after[rate] ?? 0) > (before[rate] ?? 0)) {
        faults.push(`${mode}: ${rate} rose from ${before[rate]} to ${after[rate]}`);
      }
    }
  }
  for (const mode of ['text', 'semantic'] as const) {
    if ((now.hybrid.ndcgAt10 ?? 0) <= (now[mode].ndcgAt10 ?? 0)) {
      faults.push(`hybrid (nDCG@10 ${now.hybrid.ndcgAt10}) does not beat ${mode} (${now[mode].ndcgAt10})`);
    }
  }
  return faults;
}

/** One row per mode, for console.table. */
export function modeTable(results: readonly QueryResult[]): Record<string, Record<string, number | null>> {
  return Object.fromEntries(
    Object.entries(summarizeModes(results)).map(([mode, summary]) => [
      mode,
      {
        'nDCG@10': summary.ndcgAt10,
        MRR: summary.meanReciprocalRank,
        'false answers': summary.falseAnswerRate,
        violations: summary.violationRate,
      },
    ]),
  );
}

/**
 * nDCG@10 of every other query, one row per mode: a change that helps one half alone fits these queries and not the search.
 */
export function halvesTable(results: readonly QueryResult[]): Record<string, (number | null)[]> {
  const halfOf = (mode: Mode, half: number): number | null =>
    summarize(results.filter((result) => result.mode === mode).filter((_, index) => index % 2 === half))
      .ndcgAt10;
  return Object.fromEntries(MODES.map((mode) => [mode, [halfOf(mode, 0), halfOf(mode, 1)]]));
}

/** One row per kind of query: nDCG@10 of each mode, and for queries without an answer the share answered falsely. */
export function kindTable(results: readonly QueryResult[]): Record<string, Record<string, number | null>> {
  const cell = (kind: QueryKind, mode: Mode): number | null => {
    const { ndcgAt10, falseAnswerRate } = summarize(
      results.filter((result) => result.mode === mode && result.query.kind === kind),
    );
    return kind === 'no-answer' ? falseAnswerRate : ndcgAt10;
  };
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind === 'no-answer' ? 'no-answer (false answers)' : kind,
      {
        queries: results.filter((result) => result.mode === 'text' && result.query.kind === kind).length,
        ...Object.fromEntries(MODES.map((mode) => [mode, cell(kind, mode)])),
      },
    ]),
  );
}

/** One line per query that could be better: what came and what should have come. */
export function describeFailures(results: readonly QueryResult[], mode: Mode): string[] {
  return results
    .filter((result) => result.mode === mode)
    .filter(
      ({ ndcg, answered, violations }) =>
        (ndcg === null ? answered.length > 0 : ndcg < 0.8) || violations.length > 0,
    )
    .map(({ query, ndcg, answered, violations }) => {
      const shown = answered.slice(0, 5).map((id) => `${id}:${query.judgements[id] ?? 0}`);
      const missing = Object.keys(query.judgements)
        .filter((id) => query.judgements[id]! >= 2 && !answered.slice(0, DEPTH).includes(id))
        .slice(0, 5);
      return [
        `${query.kind} | ${query.query} | ${ndcg === null ? 'no answer' : ndcg.toFixed(2)} | ${answered.length} hits`,
        shown.join(' ') || 'nothing',
        ...(missing.length > 0 ? [`missing ${missing.join(' ')}`] : []),
        ...(violations.length > 0 ? [`violated by ${violations.join(' ')}`] : []),
      ].join(' | ');
    });
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10_000) / 10_000;
}
