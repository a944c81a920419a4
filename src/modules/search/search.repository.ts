import { Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import {
  explainFactsQuery,
  explainVectorQuery,
  type ExplainFactsRow,
  type ExplainVectorRow,
} from './sql/explain.sql.js';
import { facetsQuery, type FacetRow } from './sql/facets.sql.js';
import { matchedPartsQuery, type MatchedPartsRow } from './sql/match-reasons.sql.js';
import {
  vectorMomentsQuery,
  wordHitsQuery,
  wordMomentsQuery,
  type MomentRow,
  type WordHitsRow,
} from './sql/page-details.sql.js';
import {
  planFactsQuery,
  readSearchRow,
  searchQuery,
  type PlanFactsRow,
  type RawSearchRow,
  type SearchQueryInput,
  type SearchRow,
} from './sql/search.sql.js';
import {
  nearDuplicatesQuery,
  similarSourceQuery,
  type NearDuplicateRow,
  type SimilarSourceRow,
} from './sql/similar.sql.js';
import { similaritySampleQuery, vectorRangeQuery, type VectorRangeRow } from './sql/similarity-sample.sql.js';
import { sortedMediaQuery } from './sql/sorted-media.sql.js';
import { suggestionsQuery, type SuggestionRow } from './sql/suggestions.sql.js';

/** Runs the search module's reading statements. What each one means stands beside its SQL. */
@Injectable()
export class SearchRepository {
  /** Null when the model neither is the active one nor was a moment ago: its vectors must not be compared. */
  async planFacts(
    tx: Transaction,
    input: { userId: string; model: EmbeddingModel; countUpTo: number },
  ): Promise<PlanFactsRow | null> {
    const rows = await tx.$queryRaw<PlanFactsRow[]>(planFactsQuery(input));
    return rows[0] ?? null;
  }

  async search(tx: Transaction, input: SearchQueryInput): Promise<SearchRow> {
    const rows = await tx.$queryRaw<RawSearchRow[]>(searchQuery(input));
    if (rows[0] === undefined) throw new Error('the search query gave no row');
    return readSearchRow(rows[0]);
  }

  /** Null when the user has no vector of the model. */
  async vectorRange(
    tx: Transaction,
    input: Parameters<typeof vectorRangeQuery>[0],
  ): Promise<VectorRangeRow | null> {
    const rows = await tx.$queryRaw<VectorRangeRow[]>(vectorRangeQuery(input));
    return rows[0] ?? null;
  }

  /** Cosine similarities of the query to a sample of the user's vectors. */
  async similaritySample(
    tx: Transaction,
    input: Parameters<typeof similaritySampleQuery>[0],
  ): Promise<number[]> {
    const rows = await tx.$queryRaw<{ similarity: number }[]>(similaritySampleQuery(input));
    return rows.map((row) => row.similarity);
  }

  /** The first of the files found, in the order of a column. */
  async sorted(tx: Transaction, input: Parameters<typeof sortedMediaQuery>[0]): Promise<string[]> {
    const rows = await tx.$queryRaw<{ id: string }[]>(sortedMediaQuery(input));
    return rows.map((row) => row.id);
  }

  /** Null when the user has no such file. */
  async explainFacts(
    tx: Transaction,
    input: Parameters<typeof explainFactsQuery>[0],
  ): Promise<ExplainFactsRow | null> {
    const rows = await tx.$queryRaw<ExplainFactsRow[]>(explainFactsQuery(input));
    return rows[0] ?? null;
  }

  async explainVector(
    tx: Transaction,
    input: Parameters<typeof explainVectorQuery>[0],
  ): Promise<ExplainVectorRow> {
    const rows = await tx.$queryRaw<ExplainVectorRow[]>(explainVectorQuery(input));
    return rows[0] ?? { vectorCount: 0, similarity: null };
  }

  /** Counts of the files found, by facet. */
  facets(tx: Transaction, input: Parameters<typeof facetsQuery>[0]): Promise<FacetRow[]> {
    return tx.$queryRaw<FacetRow[]>(facetsQuery(input));
  }

  matchedParts(tx: Transaction, input: Parameters<typeof matchedPartsQuery>[0]): Promise<MatchedPartsRow[]> {
    return tx.$queryRaw<MatchedPartsRow[]>(matchedPartsQuery(input));
  }

  wordHits(tx: Transaction, input: Parameters<typeof wordHitsQuery>[0]): Promise<WordHitsRow[]> {
    return tx.$queryRaw<WordHitsRow[]>(wordHitsQuery(input));
  }

  wordMoments(tx: Transaction, input: Parameters<typeof wordMomentsQuery>[0]): Promise<MomentRow[]> {
    return tx.$queryRaw<MomentRow[]>(wordMomentsQuery(input));
  }

  vectorMoments(tx: Transaction, input: Parameters<typeof vectorMomentsQuery>[0]): Promise<MomentRow[]> {
    return tx.$queryRaw<MomentRow[]>(vectorMomentsQuery(input));
  }

  /** Null when there is no such file (any more). */
  async similarSource(
    tx: Transaction,
    input: Parameters<typeof similarSourceQuery>[0],
  ): Promise<SimilarSourceRow | null> {
    const rows = await tx.$queryRaw<SimilarSourceRow[]>(similarSourceQuery(input));
    return rows[0] ?? null;
  }

  nearDuplicates(
    tx: Transaction,
    input: Parameters<typeof nearDuplicatesQuery>[0],
  ): Promise<NearDuplicateRow[]> {
    return tx.$queryRaw<NearDuplicateRow[]>(nearDuplicatesQuery(input));
  }

  suggestions(tx: Transaction, input: Parameters<typeof suggestionsQuery>[0]): Promise<SuggestionRow[]> {
    return tx.$queryRaw<SuggestionRow[]>(suggestionsQuery(input));
  }
}
