import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { PlanChoice } from '../../infrastructure/database/prepared.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { reciprocalRankFusion } from './fusion.js';
import { relevanceFloor, sureSimilarity } from './relevance-floor.js';
import { SearchRepository } from './search.repository.js';
import { isFiltered, restrictionOf, type MediaFilter } from './sql/restriction.sql.js';
import type { SearchRow } from './sql/search.sql.js';
import type { Zone } from './sql/text-leg.sql.js';
import type { HalfvecParameter, SegmentType, VectorPlan } from './sql/vector-leg.sql.js';

/**
 * Up to here every vector of the user is compared. With the plan kept, 1,000 vectors take 3.5 ms where two stages took 4.7
 * (in one session, p50); the former grows with the number of vectors and the latter hardly, so that they meet not far above.
 */
export const MAX_EXACT_VECTORS = 1_000;
/** How many files of a leg take part in the fusion when the caller wants fewer: deep enough for the ranks to settle. */
const MIN_DEPTH = 200;
/** First cut of each plan; recall and time of the choice are in bench/results. */
const FIRST_CANDIDATES: Record<VectorPlan, number> = { exact: 200, 'two-stage': 200, graph: 250 };
const CANDIDATE_GROWTH = 4;
/** More candidates than the graph is asked for: its search width is 400 (SEARCH_SETTINGS). */
const MAX_GRAPH_CANDIDATES = 300;
/** A wider cut than this costs more than comparing everything. */
const MAX_CANDIDATES = 20_000;

export type SearchMode = 'hybrid' | 'semantic' | 'text';
export type SearchPlan = 'exact' | 'ann' | 'none';

export interface RankInput {
  userId: string;
  mode: SearchMode;
  alpha: number;
  /** Websearch syntax. */
  terms: string;
  excludedTerms: string | null;
  /** Words and phrases of which hybrid mode asks enough and not all; null = `terms` are taken as they stand. */
  words?: string[] | null;
  /** Phrases without which nothing fits in hybrid mode. */
  demandedTerms?: string | null;
  filter: MediaFilter;
  zones: Zone[] | null;
  /** The query's vector with the row of its model, or null for words alone. */
  vector: QueryVector | null;
  /** How many of the best files the caller needs (default 100); null = all that fit. */
  wanted?: number | null;
}

export interface QueryVector {
  halfvec: HalfvecParameter;
  model: EmbeddingModel;
  modelId: number;
  vectorCount: number;
  /** The user has an HNSW index of their own. */
  hasGraph: boolean;
  /** Cosine similarity from which on a segment counts as found; the model's floor when left out. */
  floor?: number;
}

export interface RankedMedia {
  id: string;
  /** 0..1: hybrid: fused ranks; semantic: cosine similarity; text: ts_rank. */
  score: number;
  vectorSimilarity: number | null;
  textRank: number | null;
}

export interface Ranking {
  /** Best first: at least the files wanted, where there are so many. */
  media: RankedMedia[];
  /** Files that fit; a lower bound when isCapped. */
  total: number;
  /** The cut of a leg was full, so that more files may fit than `total` says. */
  isCapped: boolean;
  /** Files in which all wanted words of the query were found. */
  fullMatches: number;
  /** Something was near, but nothing near enough to be an answer (hybrid mode). */
  isUnsure: boolean;
  /** How vectors were compared; `none` when they were not. */
  plan: SearchPlan;
}

/** Finds and ranks the files that fit a search. The same input on the same library gives the same order. */
@Injectable()
export class Ranker {
  constructor(@Inject(SearchRepository) private readonly repository: SearchRepository) {}

  /** To be called in a transaction with SEARCH_SETTINGS: without them the result is the same, but later. */
  async rank(tx: Transaction, input: RankInput): Promise<Ranking> {
    const useVector =
      input.vector !== null && input.mode !== 'text' && !(input.mode === 'hybrid' && input.alpha === 0);
    const useText = input.mode !== 'semantic' && !(input.mode === 'hybrid' && input.alpha === 1 && useVector);
    const leg = useVector ? await this.vectorLeg(tx, input, useText) : null;
    const row = leg?.row ?? (await this.query(tx, input, null, useText));
    const plan = leg?.plan ?? 'none';
    if (useVector && useText && isUnsure(input.vector!, row)) {
      return { media: [], total: 0, isCapped: false, fullMatches: 0, isUnsure: true, plan };
    }
    const media = fuse(input, row, useVector);
    return {
      media,
      total: Math.max(media.length, row.vectorIds.length + row.textMatches - row.commonMatches),
      isCapped: leg?.isCut ?? false,
      fullMatches: row.fullMatches,
      isUnsure: false,
      plan,
    };
  }

  /**
   * Of what is compared, the nearest segments are taken; the cut is widened while it holds too few files (one video can
   * fill it, C55) and farther segments still fit.
   */
  private async vectorLeg(
    tx: Transaction,
    input: RankInput,
    useText: boolean,
  ): Promise<{ row: SearchRow; plan: SearchPlan; isCut: boolean }> {
    const wanted = wantedOf(input);
    const everything = async () => ({
      row: await this.query(tx, input, { plan: 'exact', candidates: null }, useText),
      plan: 'exact' as const,
      isCut: false,
    });
    if (wanted === null) return everything();
    let plan = firstPlan(input, 2 * wanted);
    let candidates = Math.max(FIRST_CANDIDATES[plan], 2 * wanted);
    while (candidates <= MAX_CANDIDATES) {
      const row = await this.query(tx, input, { plan, candidates }, useText);
      const isFull = row.vectorCandidates >= candidates;
      // A graph may run dry early where much is hidden: then nothing is known about the rest.
      const isDry = plan === 'graph' && !isFull;
      const isCut = isFull && row.vectorTailFits;
      if (!isDry && (!isCut || row.vectorIds.length >= wanted)) {
        return { row, plan: plan === 'exact' ? 'exact' : 'ann', isCut };
      }
      if (!isDry) candidates *= CANDIDATE_GROWTH;
      if (plan === 'graph') plan = 'two-stage';
    }
    return everything();
  }

  private query(
    tx: Transaction,
    input: RankInput,
    vectorPlan: { plan: VectorPlan; candidates: number | null } | null,
    useText: boolean,
  ): Promise<SearchRow> {
    const { userId, vector, words, zones } = input;
    const wanted = wantedOf(input);
    const depth = wanted === null ? null : Math.max(MIN_DEPTH, 2 * wanted);
    const matchesAny = useText && isMatchingAny(input);
    return this.repository.search(tx, {
      plan: planChoice(vectorPlan, input.filter),
      restriction: restrictionOf(userId, input.filter, {
        // Terms taken as they stand exclude by themselves.
        excluded: vectorPlan || matchesAny ? input.excludedTerms : null,
        demanded: matchesAny ? input.demandedTerms : null,
      }),
      vector:
        vectorPlan && vector
          ? {
              ...vectorPlan,
              userId,
              modelId: vector.modelId,
              vector: vector.halfvec,
              floor: vector.floor ?? relevanceFloor(vector.model),
              segmentTypes: segmentTypesOf(zones),
            }
          : null,
      text: useText
        ? { userId, match: matchesAny ? { words: words! } : { terms: input.terms }, zones, depth }
        : null,
    });
  }
}

/**
 * Few vectors, all of them compared: one plan fits all libraries. A graph belongs to one user: its index can be used only
 * for a statement that names them. What is filtered, and the two stages, are best planned for what they are about.
 */
function planChoice(
  vectorPlan: { plan: VectorPlan; candidates: number | null } | null,
  filter: MediaFilter,
): PlanChoice | undefined {
  if (vectorPlan === null || vectorPlan.candidates === null || isFiltered(filter)) return undefined;
  if (vectorPlan.plan === 'exact') return 'kept';
  return vectorPlan.plan === 'graph' ? 'custom' : undefined;
}

/** With no weight on meaning, hybrid is text mode: all the words. */
function isMatchingAny({ mode, alpha, words }: RankInput): boolean {
  return mode === 'hybrid' && alpha > 0 && !!words && words.length > 0;
}

/**
 * No file holds enough of the words and none is surely near. Looked at for the query as a whole and not for each hit: once
 * one is sure, the weaker ones behind it are mostly right (measured in docs/RELEVANCE.md).
 */
function isUnsure({ model }: QueryVector, row: SearchRow): boolean {
  return row.textMatches === 0 && (row.vectorSimilarities[0] ?? -1) < sureSimilarity(model);
}

function firstPlan({ vector, filter, zones }: RankInput, candidates: number): VectorPlan {
  if (vector!.vectorCount <= MAX_EXACT_VECTORS) return 'exact';
  const isPlain = !isFiltered(filter) && zones === null;
  return vector!.hasGraph && isPlain && candidates <= MAX_GRAPH_CANDIDATES ? 'graph' : 'two-stage';
}

/** A search for what is near a vector, without words. */
export function byMeaning(userId: string, vector: QueryVector, filter: MediaFilter): RankInput {
  const noWords = { terms: '', excludedTerms: null };
  return { userId, mode: 'semantic', alpha: 1, ...noWords, filter, zones: null, vector };
}

/** A page of the largest size, for callers that do not say. */
function wantedOf(input: RankInput): number | null {
  return input.wanted === undefined ? 100 : input.wanted;
}

/**
 * Which vectors stand for a zone. A whole file's vector is the only one a picture has, so it counts as what is seen.
 * Titles and text in the picture have no vectors of their own: they are searched in words.
 * @returns null = all; an empty list = none
 */
export function segmentTypesOf(zones: readonly Zone[] | null): SegmentType[] | null {
  if (zones === null) return null;
  return [
    ...(zones.includes('visual') ? (['full', 'visual', 'temporal'] as const) : []),
    ...(zones.includes('speech') ? (['audio'] as const) : []),
  ];
}

function fuse(input: RankInput, row: SearchRow, hasVector: boolean): RankedMedia[] {
  const similarities = new Map(row.vectorIds.map((id, index) => [id, row.vectorSimilarities[index]!]));
  const ranks = new Map(row.textIds.map((id, index) => [id, row.textRanks[index]!]));
  const toMedia = (id: string, score: number): RankedMedia => ({
    id,
    score: Math.min(1, Math.max(0, score)),
    vectorSimilarity: similarities.get(id) ?? null,
    textRank: ranks.get(id) ?? null,
  });
  if (input.mode === 'semantic') return row.vectorIds.map((id) => toMedia(id, similarities.get(id)!));
  if (input.mode === 'text') return row.textIds.map((id) => toMedia(id, ranks.get(id)!));
  // Without a vector leg (provider down) words have all the weight, whatever alpha says.
  const alpha = hasVector ? input.alpha : 0;
  return reciprocalRankFusion(row.vectorIds, row.textIds, alpha).map((hit) => toMedia(hit.id, hit.score));
}
