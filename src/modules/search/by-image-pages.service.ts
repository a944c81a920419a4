import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import { decodeHalfvecText, encodeHalfvecBinary } from '../../infrastructure/ai/vectors.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { CursorCodec, unusableCursor } from '../../infrastructure/http/cursor.js';
import { DEFAULT_PAGE_SIZE } from '../../infrastructure/http/pagination.dto.js';
import type { ByImagePageRequest } from './dto/similar.request.js';
import type { ByImageResponse } from './dto/similar.response.js';
import { behindShown, NearestFiles } from './nearest-files.js';
import { modelLabel } from './query-embedder.js';
import { byMeaning } from './ranker.js';
import type { SimilarSearchCursor } from './search-cursor.js';
import { ShownPages } from './shown-pages.js';
import { SimilarFinder } from './similar-finder.js';
import { SimilarPageReader } from './similar-page.reader.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

const CURSOR_KIND = 'by-image';

/**
 * The picture is not stored, and nothing of it is: what further pages need is with the client, signed. That is its vector, so
 * that no provider has to look at it again.
 */
interface PictureCursor extends SimilarSearchCursor {
  includePrivate: boolean;
  /** halfvec in its binary form, base64. */
  vector: string;
  model: Pick<EmbeddingModel, 'provider' | 'name' | 'version'>;
}

/** Further pages of searches by picture. Nothing is embedded, nothing charged. */
@Injectable()
export class ByImagePagesService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
    @Inject(ShownPages) private readonly shownPages: ShownPages,
    @Inject(SimilarFinder) private readonly finder: SimilarFinder,
    @Inject(NearestFiles) private readonly nearest: NearestFiles,
    @Inject(SimilarPageReader) private readonly pages: SimilarPageReader,
  ) {}

  /** @param page.vector halfvec in its text form */
  firstCursor(userId: string, page: Omit<PictureCursor, 'vector' | 'model'> & PictureVector): string {
    const vector = encodeHalfvecBinary(decodeHalfvecText(page.vector)).toString('base64');
    return this.encode(userId, { ...page, vector });
  }

  /**
   * `POST /v1/search/by-image/next`
   * @throws AppError 400 `invalid-cursor`: changed, somebody else's, of a search that is not in the history any more, or of
   *   a model that is not in use any more
   */
  async next(userId: string, request: ByImagePageRequest): Promise<ByImageResponse> {
    const started = performance.now();
    const cursor = this.cursors.decode<PictureCursor>(CURSOR_KIND, userId, request.cursor, '/cursor');
    const limit = request.limit ?? DEFAULT_PAGE_SIZE;
    const { items, shown, hasMore, ...found } = await this.database.run(
      (tx) => this.find(tx, userId, cursor, limit),
      { settings: SEARCH_SETTINGS },
    );
    return {
      searchId: cursor.searchId,
      nearDuplicates: [],
      nearDuplicatesTotal: cursor.nearTotal,
      items,
      ...found,
      nextCursor: hasMore ? this.encode(userId, { ...cursor, shown }) : null,
      tookMs: Math.round(performance.now() - started),
    };
  }

  private async find(tx: Transaction, userId: string, cursor: PictureCursor, limit: number) {
    const { includePrivate, near } = cursor;
    const model = cursor.model as EmbeddingModel;
    const facts = await this.finder.planFacts(tx, userId, model);
    if (facts === null) {
      throw unusableCursor(
        'Files are compared by another model now. Search with the picture again.',
        '/cursor',
      );
    }
    const shown = await this.shownPages.read(tx, userId, cursor);
    const apart = new Set(shown.before.slice(0, near));
    const target = { halfvec: Buffer.from(cursor.vector, 'base64'), model, ...facts };
    const { page, ranked, total, totalIsCapped, hasMore, plan } = await this.nearest.page(
      tx,
      byMeaning(userId, target, { includePrivate }),
      behindShown(shown, limit, () => apart),
    );
    const { items } = await this.pages.read(tx, userId, { duplicates: [], items: page, ranked, target });
    const ids = items.map(({ media }) => media.id);
    await this.shownPages.note(tx, userId, cursor, ids);
    return {
      ...{ items, total, totalIsCapped, hasMore, plan },
      shown: shown.before.length + ids.length,
      model: modelLabel(model),
    };
  }

  private encode(userId: string, cursor: PictureCursor): string {
    const { provider, name, version } = cursor.model;
    return this.cursors.encode(CURSOR_KIND, userId, { ...cursor, model: { provider, name, version } });
  }
}

type PictureVector = Pick<PictureCursor, 'vector' | 'model'>;
