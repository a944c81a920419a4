import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { pairMoments, rankPairs, type MediaPairs, type MomentPair, type PairWindow } from './moment-pairs.js';
import { allMoments, type Moment } from './moments.js';
import { relevanceFloor } from './relevance-floor.js';
import { SearchRepository } from './search.repository.js';
import type { MomentRow } from './sql/page-details.sql.js';
import type { Zone } from './sql/text-leg.sql.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

/** One of the two queries and the files that it found. */
export interface PairQuery {
  mediaFileIds: readonly string[];
  /** The wanted words; '' when words are not searched. */
  terms: string;
  /** Where it may happen; null = anywhere. */
  zones: readonly Zone[] | null;
  vector: { halfvec: HalfvecParameter; model: EmbeddingModel; modelId: number; floor?: number } | null;
}

/** Finds the videos in which two queries happen within one stretch of time. */
@Injectable()
export class MomentPairSearch {
  constructor(@Inject(SearchRepository) private readonly repository: SearchRepository) {}

  /**
   * Four short statements at most, over the files that both queries found: what only one of them found cannot hold
   * both. Files are not looked at again: trash, private files and filters are the matter of the two searches.
   * @returns each video once, best first; pictures have no moments and are never among them
   */
  async find(
    tx: Transaction,
    userId: string,
    queries: { first: PairQuery; second: PairQuery },
    window: PairWindow,
  ): Promise<MediaPairs[]> {
    const inSecond = new Set(queries.second.mediaFileIds);
    const mediaFileIds = [...new Set(queries.first.mediaFileIds)].filter((id) => inSecond.has(id));
    const first = await this.moments(tx, userId, mediaFileIds, queries.first);
    const second = await this.moments(tx, userId, [...first.keys()], queries.second);
    const pairs = new Map<string, MomentPair[]>();
    for (const [id, moments] of second) pairs.set(id, pairMoments(first.get(id) ?? [], moments, window));
    return rankPairs(pairs);
  }

  /** The moments of one query by file; files without any are absent. */
  private async moments(
    tx: Transaction,
    userId: string,
    mediaFileIds: string[],
    query: PairQuery,
  ): Promise<Map<string, Moment[]>> {
    if (mediaFileIds.length === 0) return new Map();
    const { terms, vector, zones } = query;
    const words = terms === '' ? [] : await this.repository.wordMoments(tx, { userId, mediaFileIds, terms });
    const near =
      vector === null
        ? []
        : await this.repository.vectorMoments(tx, {
            userId,
            mediaFileIds,
            modelId: vector.modelId,
            vector: vector.halfvec,
            floor: vector.floor ?? relevanceFloor(vector.model),
          });
    const isWanted = (moment: MomentRow): boolean => isInZones(moment.kind, zones);
    const wordsOf = Map.groupBy(words.filter(isWanted), (row) => row.mediaFileId);
    const nearOf = Map.groupBy(near.filter(isWanted), (row) => row.mediaFileId);
    const found = mediaFileIds.filter((id) => wordsOf.has(id) || nearOf.has(id));
    return new Map(found.map((id) => [id, allMoments(wordsOf.get(id) ?? [], nearOf.get(id) ?? [])]));
  }
}

/** Text in the picture is part of what a key frame shows. */
export function isInZones(kind: Moment['kind'], zones: readonly Zone[] | null): boolean {
  return zones === null || zones.includes(kind) || (kind === 'visual' && zones.includes('text'));
}
