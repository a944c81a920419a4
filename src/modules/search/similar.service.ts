import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import type { SimilarQuery } from './dto/search.queries.js';
import type { SimilarResponse } from './dto/similar.response.js';
import { nearDuplicateBits } from './near-duplicates.js';
import { modelLabel, QueryEmbedder } from './query-embedder.js';
import { byMeaning, MAX_EXACT_VECTORS, Ranker } from './ranker.js';
import { SearchRepository } from './search.repository.js';
import { SimilarPageReader } from './similar-page.reader.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

/** Files that look or mean nearly the same as one of the user's. No text is embedded, so nothing is charged. */
@Injectable()
export class SimilarService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(Ranker) private readonly ranker: Ranker,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(SimilarPageReader) private readonly pages: SimilarPageReader,
  ) {}

  /** @throws AppError 404 when the user has no such file */
  similar(userId: string, mediaFileId: string, query: SimilarQuery): Promise<SimilarResponse> {
    const search = async (tx: Transaction): Promise<SimilarResponse> => {
      const model = await this.embedder.activeModel(tx);
      const facts =
        model && (await this.repository.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 }));
      const modelId = facts?.modelId ?? NO_MODEL;
      const source = await this.repository.similarSource(tx, { userId, mediaFileId, modelId });
      if (source === null) throw errors.notFound('media file');
      const { perceptualHash } = source;
      const maxDistance = perceptualHash === null ? null : nearDuplicateBits(perceptualHash);
      const duplicates =
        maxDistance === null
          ? []
          : await this.repository.nearDuplicates(tx, {
              userId,
              mediaFileId,
              perceptualHash,
              maxDistance,
              fileHash: null,
              includePrivate: query.includePrivate,
              limit: query.limit,
            });
      const vector =
        source.vector === null || facts === null || model === null
          ? null
          : { halfvec: source.vector, model, ...facts };
      const ranking =
        vector === null
          ? null
          : await this.ranker.rank(tx, byMeaning(userId, vector, { includePrivate: query.includePrivate }));
      const page = await this.pages.read(tx, userId, {
        duplicates,
        ranked: (ranking?.media ?? []).filter((hit) => hit.id !== mediaFileId),
        target: vector,
        limit: query.limit,
      });
      return {
        ...page,
        status: source.vector === null ? 'pending' : 'ready',
        plan: ranking?.plan ?? 'none',
        model: ranking === null || model === null ? null : modelLabel(model),
      };
    };
    return this.database.run(search, { settings: SEARCH_SETTINGS });
  }
}

/** No row of embedding_models has it: identities start at 1. */
const NO_MODEL = 0;
