import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import type { SimilarQuery } from './dto/search.queries.js';
import type { SimilarResponse } from './dto/similar.response.js';
import { modelLabel, QueryEmbedder } from './query-embedder.js';
import { SearchRepository } from './search.repository.js';
import { SimilarFinder } from './similar-finder.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

/** Files that look or mean nearly the same as one of the user's. No text is embedded, so nothing is charged. */
@Injectable()
export class SimilarService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(SimilarFinder) private readonly finder: SimilarFinder,
  ) {}

  /** @throws AppError 404 when the user has no such file */
  similar(userId: string, mediaFileId: string, query: SimilarQuery): Promise<SimilarResponse> {
    const search = async (tx: Transaction): Promise<SimilarResponse> => {
      const model = await this.embedder.activeModel(tx);
      const facts = await this.finder.planFacts(tx, userId, model);
      const modelId = facts?.modelId ?? NO_MODEL;
      const source = await this.repository.similarSource(tx, { userId, mediaFileId, modelId });
      if (source === null) throw errors.notFound('media file');
      const target =
        source.vector === null || facts === null || model === null
          ? null
          : { halfvec: source.vector, model, ...facts };
      const { perceptualHash } = source;
      const { includePrivate, limit } = query;
      const { page, plan } = await this.finder.find(tx, userId, {
        ...{ target, perceptualHash, fileHash: null, mediaFileId, includePrivate, limit },
      });
      return {
        ...page,
        status: source.vector === null ? 'pending' : 'ready',
        plan,
        model: plan === 'none' || model === null ? null : modelLabel(model),
      };
    };
    return this.database.run(search, { settings: SEARCH_SETTINGS });
  }
}

/** No row of embedding_models has it: identities start at 1. */
const NO_MODEL = 0;
