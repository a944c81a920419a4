import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import { ProviderError, type EmbeddingModel, type TextEmbedder } from '../../infrastructure/ai/ai.types.js';
import { encodeHalfvecText, toStoredVector } from '../../infrastructure/ai/vectors.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { UsageService } from '../billing/usage.service.js';
import { QueryPictureService, type QueryPicture } from '../media/query-picture/query-picture.service.js';
import { ByImagePagesService } from './by-image-pages.service.js';
import { readByImageFields, type ByImageOptions } from './by-image-fields.js';
import type { ByImageResponse } from './dto/similar.response.js';
import { PaidQueryCalls } from './paid-query-calls.js';
import {
  modelLabel,
  QueryEmbedder,
  SemanticUnavailableError,
  type UnavailableReason,
} from './query-embedder.js';
import type { QueryVector } from './ranker.js';
import { SearchHistoryService } from './search-history.service.js';
import { SimilarFinder, type SimilarFound } from './similar-finder.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

/** A person waits: after this the answer holds near duplicates alone. Vision models take 2 to 10 s for a picture. */
const ANALYSIS_TIMEOUT_MS = 30_000;
/** What stands in the history for a picture: it has no words, and nothing of it is kept. */
export const BY_IMAGE_QUERY_TEXT = '(picture)';

/** What is known of the picture once its files are gone again. */
interface PictureFacts {
  sha256: string;
  perceptualHash: string | null;
  /** halfvec text; null when only hashes are compared. */
  vector: string | null;
  /** That made the vector. */
  model: EmbeddingModel | null;
  unavailable: UnavailableReason | null;
}

/**
 * Search by a picture that is not stored: take it in and check it -> charge -> look at it and embed what is seen -> its
 * files are removed -> rank, read and write the history row. A file that is refused is not charged; a search that fails once
 * the picture was looked at is given back.
 */
@Injectable()
export class ByImageService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(QueryPictureService) private readonly pictures: QueryPictureService,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(PaidQueryCalls) private readonly calls: PaidQueryCalls,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(SimilarFinder) private readonly finder: SimilarFinder,
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
    @Inject(ByImagePagesService) private readonly pages: ByImagePagesService,
  ) {}

  /**
   * `POST /v1/search/by-image`
   * @throws AppError 400 form not valid, 402 when the plan's searches are used up, 413 file too large;
   *   MediaRejectedError for a file that an upload would not take either, and for a video
   */
  async search(userId: string, request: Request, response: Response): Promise<ByImageResponse> {
    const started = performance.now();
    const search = { id: uuidv7(), searchedAt: new Date() };
    const { facts, options, chargedTo } = await this.pictures.withPicture(
      request,
      response,
      readByImageFields,
      async (picture, fields, signal) => {
        const chargedTo = await this.usage.chargeSearch();
        return { facts: await this.lookAt(search.id, picture, fields, signal), options: fields, chargedTo };
      },
    );
    const { mode, includePrivate, limit } = options;
    const findAndRecord = async (tx: Transaction) => {
      const found = await this.find(tx, userId, facts, options);
      const { nearDuplicates, items } = found.page;
      await this.history.record(tx, userId, {
        ...search,
        query: BY_IMAGE_QUERY_TEXT,
        mode: 'semantic',
        filters: { kind: 'by-image', mode, includePrivate },
        limit,
        resultsCount:
          mode === 'near-duplicates' ? found.nearDuplicatesTotal : nearDuplicates.length + found.total,
        shownResults: [...nearDuplicates, ...items].map(({ media }) => media.id),
        responseTimeMs: Math.round(performance.now() - started),
        sessionId: null,
      });
      return found;
    };
    const found = await this.database
      .run(findAndRecord, { settings: SEARCH_SETTINGS })
      .catch(async (error: unknown) => {
        // The caller got nothing and is not to blame.
        await this.usage.releaseSearch(chargedTo).catch(() => undefined);
        throw error;
      });
    return {
      searchId: search.id,
      ...found.page,
      nearDuplicatesTotal: found.nearDuplicatesTotal,
      total: found.total,
      totalIsCapped: found.totalIsCapped,
      nextCursor: found.hasMore ? this.cursorAfter(userId, search, found, facts, options) : null,
      tookMs: Math.round(performance.now() - started),
      plan: found.plan,
      model: found.plan === 'none' || !facts.model ? null : modelLabel(facts.model),
      ...(found.unavailable
        ? { degraded: 'semantic-unavailable' as const, degradedReason: found.unavailable }
        : {}),
    };
  }

  private cursorAfter(
    userId: string,
    { id, searchedAt }: { id: string; searchedAt: Date },
    { page, nearDuplicatesTotal }: SimilarFound,
    { vector, model }: PictureFacts,
    { includePrivate }: ByImageOptions,
  ): string {
    return this.pages.firstCursor(userId, {
      searchId: id,
      searchedAt: searchedAt.toISOString(),
      shown: page.nearDuplicates.length + page.items.length,
      near: page.nearDuplicates.length,
      nearTotal: nearDuplicatesTotal,
      includePrivate,
      vector: vector!,
      model: model!,
    });
  }

  private async lookAt(
    searchId: string,
    picture: QueryPicture,
    options: ByImageOptions,
    gone: AbortSignal,
  ): Promise<PictureFacts> {
    const { sha256 } = picture;
    const hashOnly = async (unavailable: UnavailableReason | null): Promise<PictureFacts> => ({
      sha256,
      perceptualHash: await this.pictures.hash(picture),
      vector: null,
      model: null,
      unavailable,
    });
    if (options.mode === 'near-duplicates') return hashOnly(null);
    // Asked first: without an embedder of the active model nothing is to be spent.
    const textEmbedder = await this.embedder.activeEmbedder();
    if (textEmbedder === null) return hashOnly('model');
    try {
      const embedded = await this.embed(searchId, picture, textEmbedder, gone);
      return { sha256, ...embedded, model: textEmbedder.model, unavailable: null };
    } catch (error) {
      gone.throwIfAborted();
      if (error instanceof SemanticUnavailableError) return hashOnly(error.reason);
      // The picture could be decoded here, so what the provider cannot read is no fault of the caller.
      if (error instanceof ProviderError) return hashOnly('provider');
      throw error;
    }
  }

  private async embed(
    searchId: string,
    picture: QueryPicture,
    textEmbedder: TextEmbedder,
    gone: AbortSignal,
  ): Promise<{ perceptualHash: string | null; vector: string }> {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(ANALYSIS_TIMEOUT_MS)]);
    const { perceptualHash, text } = await this.pictures.describe(
      picture,
      (estimate, call) => this.calls.make(`${searchId}:1`, estimate, call),
      signal,
    );
    const { vectors } = await this.calls.make(`${searchId}:2`, textEmbedder.estimate([text]), () =>
      textEmbedder.embed([text], signal),
    );
    if (vectors[0] === undefined) throw new SemanticUnavailableError('provider');
    return { perceptualHash, vector: encodeHalfvecText(toStoredVector(vectors[0])) };
  }

  private async find(tx: Transaction, userId: string, facts: PictureFacts, options: ByImageOptions) {
    const { vector, model, perceptualHash, sha256 } = facts;
    const planFacts = await this.finder.planFacts(tx, userId, model);
    const target: QueryVector | null =
      vector === null || model === null || planFacts === null
        ? null
        : { halfvec: vector, model, ...planFacts };
    const { includePrivate, limit } = options;
    return {
      ...(await this.finder.find(tx, userId, {
        ...{ target, perceptualHash, fileHash: sha256, mediaFileId: null, includePrivate, limit },
        ...{ nearLimit: limit, continues: null },
      })),
      // Another model became active while the picture was looked at.
      unavailable: facts.unavailable ?? (vector !== null && target === null ? ('model' as const) : null),
    };
  }
}
