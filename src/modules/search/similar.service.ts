import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { MediaSummaryReader } from '../media/media-summary.reader.js';
import type { SimilarQuery } from './dto/search.queries.js';
import type { SimilarHitResponse, SimilarResponse } from './dto/search.response.js';
import { modelLabel, QueryEmbedder } from './query-embedder.js';
import { MAX_EXACT_VECTORS, Ranker, type Ranking } from './ranker.js';
import { SearchRepository } from './search.repository.js';
import type { NearDuplicateRow } from './sql/similar.sql.js';

/**
 * Bits of a 64-bit difference hash up to which two pictures count as the same one, rescaled, re-encoded or slightly
 * retouched: 0 to 10 after Neal Krawetz, who described the hash ("Kind of Like That", 2013).
 */
export const NEAR_DUPLICATE_BITS = 10;

/** Files that look or mean nearly the same as one of the user's. No text is embedded, so nothing is charged. */
@Injectable()
export class SimilarService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(Ranker) private readonly ranker: Ranker,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(MediaSummaryReader) private readonly media: MediaSummaryReader,
  ) {}

  /** @throws AppError 404 when the user has no such file */
  similar(userId: string, mediaFileId: string, query: SimilarQuery): Promise<SimilarResponse> {
    return this.database.run(async (tx) => {
      const model = await this.embedder.activeModel(tx);
      const facts =
        model && (await this.repository.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 }));
      const modelId = facts?.modelId ?? NO_MODEL;
      const source = await this.repository.similarSource(tx, { userId, mediaFileId, modelId });
      if (source === null) throw errors.notFound('media file');
      const duplicates = source.perceptualHash
        ? await this.repository.nearDuplicates(tx, {
            userId,
            mediaFileId,
            perceptualHash: source.perceptualHash,
            maxDistance: NEAR_DUPLICATE_BITS,
            includePrivate: query.includePrivate,
            limit: query.limit,
          })
        : [];
      const ranking =
        source.vector === null || facts === null || model === null
          ? null
          : await this.ranker.rank(tx, {
              userId,
              mode: 'semantic',
              alpha: 1,
              terms: '',
              excludedTerms: null,
              filter: { includePrivate: query.includePrivate },
              zones: null,
              vector: { halfvec: source.vector, model, ...facts },
            });
      return {
        items: await this.hits(tx, mediaFileId, query.limit, duplicates, ranking),
        status: source.vector === null ? 'pending' : 'ready',
        plan: ranking?.plan ?? 'none',
        model: ranking === null || model === null ? null : modelLabel(model),
      };
    });
  }

  private async hits(
    tx: Transaction,
    mediaFileId: string,
    limit: number,
    duplicates: NearDuplicateRow[],
    ranking: Ranking | null,
  ): Promise<SimilarHitResponse[]> {
    const similarities = new Map(ranking?.media.map((hit) => [hit.id, hit.vectorSimilarity]) ?? []);
    const distances = new Map(duplicates.map((row) => [row.mediaFileId, row.distance]));
    const ids = [...new Set([...distances.keys(), ...similarities.keys()])]
      .filter((id) => id !== mediaFileId)
      .slice(0, limit);
    const files = await this.media.readMany(tx, ids);
    return ids.flatMap((id) => {
      const media = files.get(id);
      if (media === undefined) return [];
      const hashDistance = distances.get(id) ?? null;
      return [
        { media, score: similarities.get(id) ?? null, nearDuplicate: hashDistance !== null, hashDistance },
      ];
    });
  }
}

/** No row of embedding_models has it: identities start at 1. */
const NO_MODEL = 0;
