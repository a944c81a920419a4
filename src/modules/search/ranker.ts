import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { reciprocalRankFusion } from './fusion.js';
import { relevanceFloor } from './relevance-floor.js';
import { SearchRepository } from './search.repository.js';
import { isFiltered, restrictionOf, type MediaFilter } from './sql/restriction.sql.js';
import type { SearchRow } from './sql/search.sql.js';
import type { Zone } from './sql/text-leg.sql.js';
import type { SegmentType } from './sql/vector-leg.sql.js';

/** Files ranked per search; more are reported by `isCapped`, never cut in silence. */
export const MAX_RANKED_MEDIA = 1_000;
/** Up to here every vector of the user is compared (design: exact up to 1,000 to 2,000 rows). */
export const MAX_EXACT_VECTORS = 2_000;
/** First cut of the two-stage plan: 400 gave a recall of .9995 where 200 gave .997 (design: vector search). */
const FIRST_CANDIDATES = 400;
const CANDIDATE_GROWTH = 4;
/** The cut is widened until it holds this many files, a full page of the largest size (C55). */
const ENOUGH_MEDIA = 100;

export type SearchMode = 'hybrid' | 'semantic' | 'text';
export type SearchPlan = 'exact' | 'ann' | 'none';

export interface RankInput {
  userId: string;
  mode: SearchMode;
  alpha: number;
  /** Websearch syntax. */
  terms: string;
  excludedTerms: string | null;
  filter: MediaFilter;
  zones: Zone[] | null;
  /** The query's vector with the row of its model, or null for words alone. */
  vector: { halfvec: string; model: EmbeddingModel; modelId: number; vectorCount: number } | null;
}

export interface RankedMedia {
  id: string;
  /** 0..1: hybrid: fused ranks; semantic: cosine similarity; text: ts_rank. */
  score: number;
  vectorSimilarity: number | null;
  textRank: number | null;
}

export interface Ranking {
  media: RankedMedia[];
  /** More files may fit than were ranked. */
  isCapped: boolean;
  /** How vectors were compared; `none` when they were not. */
  plan: SearchPlan;
}

/** Finds and ranks the files that fit a search. The same input on the same library gives the same order. */
@Injectable()
export class Ranker {
  constructor(@Inject(SearchRepository) private readonly repository: SearchRepository) {}

  async rank(tx: Transaction, input: RankInput): Promise<Ranking> {
    await this.repository.prepare(tx);
    const useVector =
      input.vector !== null && input.mode !== 'text' && !(input.mode === 'hybrid' && input.alpha === 0);
    const useText = input.mode !== 'semantic' && !(input.mode === 'hybrid' && input.alpha === 1 && useVector);
    const vector = useVector ? await this.vectorLeg(tx, input, useText) : null;
    const row = vector?.row ?? (await this.query(tx, input, null, useText));
    const textRow =
      row.textMatchesCut && isFiltered(input.filter) ? await this.query(tx, input, null, true, 'scan') : row;
    const media = fuse(input, row, textRow, useVector);
    return {
      media: media.slice(0, MAX_RANKED_MEDIA),
      isCapped:
        media.length > MAX_RANKED_MEDIA ||
        row.vectorIds.length > MAX_RANKED_MEDIA ||
        textRow.textIds.length > MAX_RANKED_MEDIA ||
        (vector?.isCut ?? false),
      plan: vector?.plan ?? 'none',
    };
  }

  /**
   * Exact for small libraries. Otherwise the cut is widened while one video fills it and farther candidates still fit.
   */
  private async vectorLeg(
    tx: Transaction,
    input: RankInput,
    useText: boolean,
  ): Promise<{ row: SearchRow; plan: SearchPlan; isCut: boolean }> {
    if (input.vector!.vectorCount <= MAX_EXACT_VECTORS) {
      const row = await this.query(tx, input, { plan: 'exact', candidates: 0 }, useText);
      return { row, plan: 'exact', isCut: false };
    }
    for (let candidates = FIRST_CANDIDATES; ; candidates *= CANDIDATE_GROWTH) {
      const row = await this.query(tx, input, { plan: 'two-stage', candidates }, useText);
      const isCut = row.vectorCandidates >= candidates && row.vectorTailFits;
      if (!isCut || row.vectorIds.length >= ENOUGH_MEDIA) return { row, plan: 'ann', isCut };
    }
  }

  private query(
    tx: Transaction,
    input: RankInput,
    vectorPlan: { plan: 'exact' | 'two-stage'; candidates: number } | null,
    useText: boolean,
    source: 'index' | 'scan' = 'index',
  ): Promise<SearchRow> {
    const { userId, vector } = input;
    return this.repository.search(tx, {
      restriction: restrictionOf(userId, input.filter, vectorPlan ? input.excludedTerms : null),
      vector:
        vectorPlan && vector
          ? {
              ...vectorPlan,
              userId,
              modelId: vector.modelId,
              vector: vector.halfvec,
              floor: relevanceFloor(vector.model),
              segmentTypes: segmentTypesOf(input.zones),
              maxMedia: MAX_RANKED_MEDIA,
            }
          : null,
      text: useText
        ? { userId, terms: input.terms, source, zones: input.zones, maxMedia: MAX_RANKED_MEDIA }
        : null,
    });
  }
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

function fuse(input: RankInput, row: SearchRow, textRow: SearchRow, hasVector: boolean): RankedMedia[] {
  const similarities = new Map(row.vectorIds.map((id, index) => [id, row.vectorSimilarities[index]!]));
  const ranks = new Map(textRow.textIds.map((id, index) => [id, textRow.textRanks[index]!]));
  const toMedia = (id: string, score: number): RankedMedia => ({
    id,
    score: Math.min(1, Math.max(0, score)),
    vectorSimilarity: similarities.get(id) ?? null,
    textRank: ranks.get(id) ?? null,
  });
  if (input.mode === 'semantic') return row.vectorIds.map((id) => toMedia(id, similarities.get(id)!));
  if (input.mode === 'text') return textRow.textIds.map((id) => toMedia(id, ranks.get(id)!));
  // Without a vector leg (provider down) words have all the weight, whatever alpha says.
  const alpha = hasVector ? input.alpha : 0;
  return reciprocalRankFusion(row.vectorIds, textRow.textIds, alpha).map((hit) => toMedia(hit.id, hit.score));
}
