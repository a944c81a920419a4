import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import {
  MOMENTS_PAIRED,
  pairMoments,
  rankPairs,
  type MediaPairs,
  type MomentPair,
  type PairWindow,
} from './moment-pairs.js';
import { allMoments, type Moment } from './moments.js';
import { relevanceFloor } from './relevance-floor.js';
import { SearchRepository } from './search.repository.js';
import { SEGMENTS_PER_MEDIA, type MomentRow } from './sql/page-details.sql.js';
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

export interface PairsFound {
  /** Each video once, best first. */
  media: MediaPairs[];
  /** Some video holds more moments than were looked at, or there were too many videos. */
  isCapped: boolean;
}

/** Videos whose moments are paired; they are taken in the order of the first query. */
const MAX_PAIRED_VIDEOS = 1_000;
/**
 * Moments of one kind that are read for each query. The fewer videos share them, the more of each are read: in a handful of
 * long films all, so that a word said every minute is found beside one said once.
 */
const MOMENTS_READ = 8_000;

/** Finds the videos in which two queries happen within one stretch of time. */
@Injectable()
export class MomentPairSearch {
  constructor(@Inject(SearchRepository) private readonly repository: SearchRepository) {}

  /**
   * Four short statements at most, over the files that both queries found: what only one of them found cannot hold
   * both. Files are not looked at again: trash, private files and filters are the matter of the two searches.
   * Pictures have no moments and are never found.
   */
  async find(
    tx: Transaction,
    userId: string,
    queries: { first: PairQuery; second: PairQuery },
    window: PairWindow,
  ): Promise<PairsFound> {
    const inSecond = new Set(queries.second.mediaFileIds);
    const common = [...new Set(queries.first.mediaFileIds)].filter((id) => inSecond.has(id));
    const first = await this.moments(tx, userId, common.slice(0, MAX_PAIRED_VIDEOS), queries.first);
    const second = await this.moments(tx, userId, [...first.of.keys()], queries.second);
    const pairs = new Map<string, MomentPair[]>();
    for (const [id, moments] of second.of)
      pairs.set(id, pairMoments(first.of.get(id) ?? [], moments, window));
    return {
      media: rankPairs(pairs),
      isCapped: common.length > MAX_PAIRED_VIDEOS || first.isCut || second.isCut,
    };
  }

  /** The moments of one query by file; files without any are absent. */
  private async moments(
    tx: Transaction,
    userId: string,
    mediaFileIds: string[],
    query: PairQuery,
  ): Promise<{ of: Map<string, Moment[]>; isCut: boolean }> {
    if (mediaFileIds.length === 0) return { of: new Map(), isCut: false };
    const { terms, vector, zones } = query;
    const share = Math.floor(MOMENTS_READ / mediaFileIds.length);
    const perMedia = Math.min(MOMENTS_PAIRED, Math.max(SEGMENTS_PER_MEDIA, share));
    const words =
      terms === '' ? [] : await this.repository.wordMoments(tx, { userId, mediaFileIds, terms, perMedia });
    const near =
      vector === null
        ? []
        : await this.repository.vectorMoments(tx, {
            userId,
            mediaFileIds,
            modelId: vector.modelId,
            vector: vector.halfvec,
            floor: vector.floor ?? relevanceFloor(vector.model),
            perMedia,
          });
    const isWanted = (moment: MomentRow): boolean => isInZones(moment.kind, zones);
    const wordsOf = Map.groupBy(words.filter(isWanted), (row) => row.mediaFileId);
    const nearOf = Map.groupBy(near.filter(isWanted), (row) => row.mediaFileId);
    const found = mediaFileIds.filter((id) => wordsOf.has(id) || nearOf.has(id));
    return {
      of: new Map(found.map((id) => [id, allMoments(wordsOf.get(id) ?? [], nearOf.get(id) ?? [])])),
      isCut: isFull(words, perMedia) || isFull(near, perMedia),
    };
  }
}

/** Whether as many moments came of some file as were asked for: it may have more. */
function isFull(rows: MomentRow[], perMedia: number): boolean {
  const counts = new Map<string, number>();
  for (const { mediaFileId, kind } of rows) {
    const key = `${mediaFileId} ${kind}`;
    const count = (counts.get(key) ?? 0) + 1;
    if (count >= perMedia) return true;
    counts.set(key, count);
  }
  return false;
}

/** Text in the picture is part of what a key frame shows. */
export function isInZones(kind: Moment['kind'], zones: readonly Zone[] | null): boolean {
  return zones === null || zones.includes(kind) || (kind === 'visual' && zones.includes('text'));
}
