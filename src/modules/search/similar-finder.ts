import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { MAX_NEAR_DUPLICATES, nearDuplicateBits } from './near-duplicates.js';
import { NearestFiles, type Walk } from './nearest-files.js';
import {
  byMeaning,
  MAX_EXACT_VECTORS,
  type QueryVector,
  type RankedMedia,
  type SearchPlan,
} from './ranker.js';
import { SearchRepository } from './search.repository.js';
import { SimilarPageReader } from './similar-page.reader.js';
import type { PlanFactsRow } from './sql/search.sql.js';

export interface SimilarInput {
  /** null: only hashes are compared. */
  target: QueryVector | null;
  perceptualHash: string | null;
  /** SHA-256 of the bytes; null where they are not compared. */
  fileHash: string | null;
  /** The user's own file that others are compared with; null for a picture that is not stored. */
  mediaFileId: string | null;
  includePrivate: boolean;
  /** Items of the page. */
  limit: number;
  /** Near duplicates that are shown apart, on the first page. */
  nearLimit: number;
  /** null on the first page. */
  continues: Pick<Walk, 'passed' | 'isAhead'> | null;
}

export interface SimilarFound {
  /** Near duplicates on the first page alone. */
  page: Awaited<ReturnType<SimilarPageReader['read']>>;
  nearDuplicatesTotal: number;
  /** Items of all pages. */
  total: number;
  totalIsCapped: boolean;
  hasMore: boolean;
  /** Where the next page begins. */
  last: RankedMedia | null;
  plan: SearchPlan;
}

/** Files that look the same or mean nearly the same as a picture, stored or not. */
@Injectable()
export class SimilarFinder {
  constructor(
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(NearestFiles) private readonly nearest: NearestFiles,
    @Inject(SimilarPageReader) private readonly pages: SimilarPageReader,
  ) {}

  /** What chooses the plan for a vector of this model; null when there is none, or it is not in use. */
  async planFacts(
    tx: Transaction,
    userId: string,
    model: EmbeddingModel | null,
  ): Promise<PlanFactsRow | null> {
    return model && this.repository.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 });
  }

  async find(tx: Transaction, userId: string, input: SimilarInput): Promise<SimilarFound> {
    const { target, mediaFileId, includePrivate, limit, nearLimit, continues } = input;
    const duplicates = await this.nearDuplicates(tx, userId, input);
    const apart = duplicates.slice(0, nearLimit);
    const leftOut = new Set([...apart.map((row) => row.mediaFileId), mediaFileId ?? '']);
    const walk: Walk = { limit, passed: 0, isAhead: () => true, ...continues, leftOut: () => leftOut };
    const nearest =
      target && (await this.nearest.page(tx, byMeaning(userId, target, { includePrivate }), walk));
    return {
      page: await this.pages.read(tx, userId, {
        duplicates: continues ? [] : apart,
        items: nearest?.page ?? [],
        ranked: nearest?.ranked ?? [],
        target,
      }),
      nearDuplicatesTotal: duplicates.length,
      total: nearest?.total ?? 0,
      totalIsCapped: nearest?.totalIsCapped ?? false,
      hasMore: nearest?.hasMore ?? false,
      last: nearest?.page.at(-1) ?? null,
      plan: nearest?.plan ?? 'none',
    };
  }

  private async nearDuplicates(tx: Transaction, userId: string, input: SimilarInput) {
    const { perceptualHash, fileHash, mediaFileId, includePrivate } = input;
    // A hash that says nothing is not compared; the bytes still are.
    const maxDistance = perceptualHash === null ? null : nearDuplicateBits(perceptualHash);
    if (maxDistance === null && fileHash === null) return [];
    return this.repository.nearDuplicates(tx, {
      userId,
      mediaFileId,
      perceptualHash: maxDistance === null ? null : perceptualHash,
      maxDistance: maxDistance ?? 0,
      fileHash,
      includePrivate,
      limit: MAX_NEAR_DUPLICATES,
    });
  }
}
