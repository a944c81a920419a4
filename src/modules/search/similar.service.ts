import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec, unusableCursor } from '../../infrastructure/http/cursor.js';
import type { SimilarQuery } from './dto/search.queries.js';
import type { SimilarResponse } from './dto/similar.response.js';
import type { Walk } from './nearest-files.js';
import { modelLabel, QueryEmbedder } from './query-embedder.js';
import { SearchRepository } from './search.repository.js';
import { SimilarFinder } from './similar-finder.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

const CURSOR_KIND = 'similar';

/**
 * Behind which file the next page begins. How similar two files are does not change while both are there, so files that come
 * and go meanwhile neither repeat one nor hide one.
 */
interface SimilarCursor {
  mediaFileId: string;
  includePrivate: boolean;
  modelId: number;
  /** Near duplicates that the first page showed apart. */
  nearLimit: number;
  passed: number;
  after: { similarity: number; id: string };
}

/** Files that look or mean nearly the same as one of the user's. No text is embedded, so nothing is charged. */
@Injectable()
export class SimilarService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(SimilarFinder) private readonly finder: SimilarFinder,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /** @throws AppError 404 when the user has no such file, 400 for a cursor of another list */
  similar(userId: string, mediaFileId: string, query: SimilarQuery): Promise<SimilarResponse> {
    const { includePrivate, limit } = query;
    const cursor = query.cursor
      ? this.cursors.decode<SimilarCursor>(CURSOR_KIND, userId, query.cursor)
      : null;
    if (cursor && (cursor.mediaFileId !== mediaFileId || cursor.includePrivate !== includePrivate)) {
      throw unusableCursor(
        'The cursor belongs to another list. Send it with the file it came from.',
        '?cursor',
      );
    }
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
      if (cursor && cursor.modelId !== modelId) {
        throw unusableCursor(
          'Files are compared by another model now. Start again without a cursor.',
          '?cursor',
        );
      }
      const { perceptualHash } = source;
      const nearLimit = cursor?.nearLimit ?? limit;
      const { page, last, hasMore, plan, ...totals } = await this.finder.find(tx, userId, {
        ...{ target, perceptualHash, fileHash: null, mediaFileId, includePrivate, limit, nearLimit },
        continues: cursor && { passed: cursor.passed, isAhead: isBehind(cursor.after) },
      });
      const next = (): SimilarCursor => ({
        ...{ mediaFileId, includePrivate, modelId, nearLimit },
        passed: (cursor?.passed ?? 0) + limit,
        after: { similarity: last!.vectorSimilarity!, id: last!.id },
      });
      return {
        ...page,
        ...totals,
        nextCursor: hasMore ? this.cursors.encode(CURSOR_KIND, userId, next()) : null,
        status: source.vector === null ? 'pending' : 'ready',
        plan,
        model: plan === 'none' || model === null ? null : modelLabel(model),
      };
    };
    return this.database.run(search, { settings: SEARCH_SETTINGS });
  }
}

/** In the ranker's order: by similarity, and by id where it is the same. */
function isBehind({ similarity, id }: SimilarCursor['after']): Walk['isAhead'] {
  return (hit) => {
    const own = hit.vectorSimilarity!;
    return own < similarity || (own === similarity && hit.id > id);
  };
}

/** No row of embedding_models has it: identities start at 1. */
const NO_MODEL = 0;
