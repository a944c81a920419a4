import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import { toMediaFilter } from './media-filter.mapper.js';
import { MomentPairSearch } from './moment-pair-search.js';
import type { MomentPair } from './moment-pairs.js';
import type { ParsedQuery } from './query-text.js';
import {
  Ranker,
  type QueryVector,
  type RankedMedia,
  type RankInput,
  type Ranking,
  type SearchPlan,
} from './ranker.js';
import type { Search } from './search-request.reader.js';

export interface Found {
  /** Best first. */
  media: RankedMedia[];
  total: number;
  isCapped: boolean;
  plan: SearchPlan;
  /** Files in which all wanted words of the query were found. */
  fullMatches: number;
  /** Something was near, but nothing near enough to be an answer (hybrid mode). */
  isUnsure: boolean;
  /** With `within`: the windows of each file. */
  pairs: ReadonlyMap<string, MomentPair[]>;
}

export interface SearchVectorPair {
  first: QueryVector | null;
  /** Of the second query of `within`. */
  second: QueryVector | null;
}

/** Finds what fits a search: files for one query, or videos in which two queries happen within one stretch of time. */
@Injectable()
export class ResultFinder {
  constructor(
    @Inject(Ranker) private readonly ranker: Ranker,
    @Inject(MomentPairSearch) private readonly pairs: MomentPairSearch,
  ) {}

  /** @param wanted how many of the best files; null = all that fit */
  async find(
    tx: Transaction,
    userId: string,
    search: Search,
    vectors: SearchVectorPair,
    wanted: number | null,
  ): Promise<Found> {
    if (search.within !== null) return this.findPairs(tx, userId, search, search.within, vectors);
    const ranking = await this.ranker.rank(tx, {
      ...rankInput(userId, search, search.query, vectors.first),
      wanted,
    });
    return { ...ranking, pairs: new Map() };
  }

  private async findPairs(
    tx: Transaction,
    userId: string,
    search: Search,
    within: NonNullable<Search['within']>,
    vectors: SearchVectorPair,
  ): Promise<Found> {
    const rank = (query: ParsedQuery, vector: QueryVector | null): Promise<Ranking> =>
      this.ranker.rank(tx, {
        ...rankInput(userId, search, query, vector),
        filter: { and: [toMediaFilter(search.request.filter), { fileType: 'video' }] },
        wanted: null,
      });
    const first = await rank(search.query, vectors.first);
    const second = await rank(within.query, vectors.second);
    const pairQuery = (ranking: Ranking, query: ParsedQuery, vector: QueryVector | null) => ({
      mediaFileIds: ranking.media.map((media) => media.id),
      terms: search.mode === 'semantic' ? '' : query.wantedTerms,
      zones: search.request.in ?? null,
      vector,
    });
    const found = await this.pairs.find(
      tx,
      userId,
      {
        first: pairQuery(first, search.query, vectors.first),
        second: pairQuery(second, within.query, vectors.second),
      },
      { withinSeconds: within.seconds, order: within.order },
    );
    const hits = new Map(first.media.map((media) => [media.id, media]));
    return {
      media: found.media.map(({ mediaFileId, score }) => ({ ...hits.get(mediaFileId)!, score })),
      total: found.media.length,
      // What is left out is reported, never dropped in silence.
      isCapped: first.isCapped || second.isCapped || found.isCapped,
      plan: first.plan,
      fullMatches: first.fullMatches,
      isUnsure: first.isUnsure || second.isUnsure,
      pairs: new Map(found.media.map(({ mediaFileId, pairs }) => [mediaFileId, pairs])),
    };
  }
}

/** What the ranker needs of a search. */
export function rankInput(
  userId: string,
  search: Search,
  query: ParsedQuery,
  vector: QueryVector | null,
): RankInput {
  return {
    userId,
    mode: search.mode,
    alpha: search.alpha,
    terms: query.terms,
    excludedTerms: query.excludedTerms,
    words: query.words,
    demandedTerms: query.demandedTerms,
    filter: toMediaFilter(search.request.filter),
    zones: search.request.in ?? null,
    vector,
  };
}
