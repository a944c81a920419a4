import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { nearDuplicateBits } from './near-duplicates.js';
import { byMeaning, MAX_EXACT_VECTORS, Ranker, type QueryVector, type SearchPlan } from './ranker.js';
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
  limit: number;
}

export interface SimilarFound {
  page: Awaited<ReturnType<SimilarPageReader['read']>>;
  /** Files found, near duplicates and others. */
  total: number;
  plan: SearchPlan | 'none';
}

/** Files that look the same or mean nearly the same as a picture, stored or not. */
@Injectable()
export class SimilarFinder {
  constructor(
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(Ranker) private readonly ranker: Ranker,
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
    const { target, mediaFileId, includePrivate, limit } = input;
    const duplicates = await this.nearDuplicates(tx, userId, input);
    const ranking =
      target === null ? null : await this.ranker.rank(tx, byMeaning(userId, target, { includePrivate }));
    const ranked = (ranking?.media ?? []).filter((hit) => hit.id !== mediaFileId);
    return {
      page: await this.pages.read(tx, userId, { duplicates, ranked, target, limit }),
      total: new Set([...duplicates.map((row) => row.mediaFileId), ...ranked.map((hit) => hit.id)]).size,
      plan: ranking?.plan ?? 'none',
    };
  }

  private async nearDuplicates(tx: Transaction, userId: string, input: SimilarInput) {
    const { perceptualHash, fileHash, mediaFileId, includePrivate, limit } = input;
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
      limit,
    });
  }
}
