import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { ProviderError, type EmbeddingModel, type TextEmbedder } from '../../infrastructure/ai/ai.types.js';
import {
  decodeHalfvecText,
  encodeHalfvecText,
  l2Normalize,
  toStoredVector,
} from '../../infrastructure/ai/vectors.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { errors, type AppError } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import { DEFAULT_PAGE_SIZE } from '../../infrastructure/http/pagination.dto.js';
import { UsageService } from '../billing/usage.service.js';
import { composeTarget } from './composition.js';
import { cancelOut, checkSources, queryTextOf, readParts, type Part } from './composed-parts.js';
import type { ComposedSimilarRequest } from './dto/similar.request.js';
import type { ComposedHitResponse, ComposedSimilarResponse } from './dto/similar.response.js';
import { toMediaFilter } from './media-filter.mapper.js';
import { MAX_NEAR_DUPLICATES, nearDuplicateBits } from './near-duplicates.js';
import { behindShown, NearestFiles } from './nearest-files.js';
import { PaidQueryCalls } from './paid-query-calls.js';
import { modelLabel, QueryEmbedder, SemanticUnavailableError } from './query-embedder.js';
import { byMeaning, MAX_EXACT_VECTORS, type QueryVector, type RankedMedia } from './ranker.js';
import {
  digestOf,
  readRepeatedSearchCursor,
  type RepeatedSearchCursor,
  type SimilarSearchCursor,
} from './search-cursor.js';
import { SearchHistoryService, type NewSearchRecord } from './search-history.service.js';
import { SearchRepository } from './search.repository.js';
import { NOTHING_SHOWN, ShownPages, type Shown } from './shown-pages.js';
import { round, SimilarPageReader } from './similar-page.reader.js';
import { SimilarRepository } from './similar.repository.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';
import type { NearDuplicateRow } from './sql/similar.sql.js';

/** A person waits for the answer. */
const EMBEDDING_TIMEOUT_MS = 8_000;
const CURSOR_KIND = 'composed';

type ComposedCursor = RepeatedSearchCursor & SimilarSearchCursor;

type Found = Omit<ComposedSimilarResponse, 'searchId' | 'nextCursor' | 'tookMs' | 'model'> & {
  hasMore: boolean;
};

type PartWithVector = Part & { vector: Float32Array };

/** A named file: its vector of unit length, and its perceptual hash if it has one. */
interface PartSource {
  vector: Float32Array;
  perceptualHash: string | null;
}

/**
 * Searches composed of texts and files, wanted and not: "this, but at night". Read the files' vectors -> embed the texts in
 * one call (no transaction) -> one vector -> in one transaction rank, read, charge if there were any texts, and write the
 * history row: a search that fails is not charged.
 */
@Injectable()
export class ComposedService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly searches: SearchRepository,
    @Inject(SimilarRepository) private readonly repository: SimilarRepository,
    @Inject(NearestFiles) private readonly nearest: NearestFiles,
    @Inject(SimilarPageReader) private readonly pages: SimilarPageReader,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(PaidQueryCalls) private readonly calls: PaidQueryCalls,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
    @Inject(ShownPages) private readonly shownPages: ShownPages,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /**
   * `POST /v1/search/similar`
   * @throws AppError 400 for parts that are not valid or cancel each other out, 404 for a file that the user does not
   *   have, 409 `not-embedded` for one without a vector, each with a pointer to the part; 402 when the plan's searches
   *   or its budget are used up; 503 `semantic-unavailable` when the texts cannot be embedded
   */
  async search(userId: string, request: ComposedSimilarRequest): Promise<ComposedSimilarResponse> {
    const started = performance.now();
    const requested = readParts(request);
    const digest = digestOf([whatIsAsked(request)]);
    const continues = request.cursor
      ? readRepeatedSearchCursor<ComposedCursor>(this.cursors, CURSOR_KIND, userId, request.cursor, {
          ...{ digest, inWords: 'parts and filters' },
        })
      : null;
    const now = { searchId: uuidv7(), searchedAt: new Date().toISOString() };
    const { searchId, searchedAt } = continues ?? now;
    const limit = request.limit ?? DEFAULT_PAGE_SIZE;
    // One embedder for all parts: files and texts are compared under one model, also while it is switched.
    const embedder = await this.embedder.activeEmbedder();
    if (embedder === null) throw unavailable(new SemanticUnavailableError('model'));
    const { model } = embedder;
    const { sources, shown } = await this.database.run(async (tx) => ({
      shown: continues ? await this.shownPages.read(tx, userId, continues) : NOTHING_SHOWN,
      sources: await this.sourcesOf(tx, userId, model, requested),
    }));
    // Each page has provider calls of its own in the ledger.
    const ofTexts = await this.vectorsOfTexts(now.searchId, embedder, requested, !continues);
    const parts = requested.map((part): PartWithVector => {
      const vector = part.text === null ? sources.get(part.mediaFileId!)?.vector : ofTexts.get(part.text);
      if (vector === undefined) throw new Error(`no vector for the part ${part.pointer}`);
      return { ...part, vector };
    });
    const vector = composeTarget(parts);
    if (vector === null) throw cancelOut();
    const recordOf = ({ nearDuplicates, items, total }: Found): NewSearchRecord => ({
      id: searchId,
      searchedAt: new Date(searchedAt),
      query: queryTextOf(requested),
      mode: 'semantic',
      filters: { kind: 'composed', ...whatIsAsked(request) },
      limit,
      resultsCount: nearDuplicates.length + total,
      shownResults: idsOf({ nearDuplicates, items }),
      responseTimeMs: Math.round(performance.now() - started),
      sessionId: null,
    });
    const isCharged = ofTexts.size > 0 && !continues;
    const { found, isSettled } = await this.database.run(
      async (tx) => {
        const input = { request, parts, sources, model, vector, limit, continues, shown };
        const found = await this.find(tx, userId, input);
        if (isCharged)
          return { found, isSettled: await this.history.settle(tx, userId, recordOf(found), []) };
        if (continues) await this.shownPages.note(tx, userId, continues, idsOf(found));
        else await this.history.record(tx, userId, recordOf(found));
        return { found, isSettled: true };
      },
      { settings: SEARCH_SETTINGS },
    );
    if (!isSettled) await this.history.settleAnew(userId, recordOf(found));
    const { hasMore, ...lists } = found;
    const next = (): ComposedCursor => ({
      ...{ searchId, searchedAt, nearTotal: found.nearDuplicatesTotal },
      near: continues?.near ?? found.nearDuplicates.length,
      shown: shown.before.length + idsOf(found).length,
      digest,
    });
    return {
      searchId,
      ...lists,
      nextCursor: hasMore ? this.cursors.encode(CURSOR_KIND, userId, next()) : null,
      tookMs: Math.round(performance.now() - started),
      model: modelLabel(model),
    };
  }

  /** The named files by their ids. @throws AppError 404 and 409, see `search` */
  private async sourcesOf(
    tx: Transaction,
    userId: string,
    model: EmbeddingModel,
    parts: Part[],
  ): Promise<Map<string, PartSource>> {
    const { modelId } = await this.planFacts(tx, userId, model);
    const ids = [...new Set(parts.flatMap(({ mediaFileId }) => mediaFileId ?? []))];
    if (ids.length === 0) return new Map();
    const rows = await this.repository.partSources(tx, { userId, mediaFileIds: ids, modelId });
    const sources = new Map(rows.map((row) => [row.mediaFileId, row]));
    checkSources(parts, sources);
    return new Map(
      rows.map(({ mediaFileId, perceptualHash, vector }) => [
        mediaFileId,
        { perceptualHash, vector: unitVector(decodeHalfvecText(vector!)) },
      ]),
    );
  }

  /** Vectors by text, of unit length and as long as stored ones. */
  private async vectorsOfTexts(
    searchId: string,
    textEmbedder: TextEmbedder,
    parts: Part[],
    forSearch: boolean,
  ): Promise<Map<string, Float32Array>> {
    const texts = [...new Set(parts.flatMap(({ text }) => text ?? []))];
    if (texts.length === 0) return new Map();
    try {
      const { vectors } = await this.calls.make(
        searchId,
        textEmbedder.estimate(texts),
        () => textEmbedder.embed(texts, AbortSignal.timeout(EMBEDDING_TIMEOUT_MS)),
        { forSearch },
      );
      if (vectors.length !== texts.length) throw new SemanticUnavailableError('provider');
      return new Map(texts.map((text, index) => [text, unitVector(toStoredVector(vectors[index]!))]));
    } catch (error) {
      throw await this.translate(error);
    }
  }

  private async translate(error: unknown): Promise<unknown> {
    if (error instanceof ProviderError && error.code === 'provider-bad-input') {
      return errors.badRequest('empty-query', 'A text holds nothing that could be searched for.', '/include');
    }
    if (error instanceof SemanticUnavailableError && error.reason === 'budget') {
      const { maxMonthlyCost } = await this.usage.planLimits();
      return errors.quotaExceeded('cost', maxMonthlyCost ?? 0, null);
    }
    if (error instanceof ProviderError || error instanceof SemanticUnavailableError)
      return unavailable(error);
    return error;
  }

  private async find(
    tx: Transaction,
    userId: string,
    input: {
      request: ComposedSimilarRequest;
      parts: PartWithVector[];
      sources: Map<string, PartSource>;
      model: EmbeddingModel;
      vector: Float32Array;
      limit: number;
      continues: ComposedCursor | null;
      shown: Shown;
    },
  ): Promise<Found> {
    const { request, parts, model, limit, continues, shown } = input;
    const facts = await this.planFacts(tx, userId, model);
    const target: QueryVector = {
      halfvec: encodeHalfvecText(input.vector),
      model,
      ...facts,
    };
    const filter = toMediaFilter(request.filter);
    const includePrivate = request.includePrivate ?? filter.includePrivate;
    const named = new Set(parts.flatMap(({ mediaFileId }) => mediaFileId ?? []));
    const copies = continues ? [] : await this.copies(tx, userId, input);
    // What the request leaves out, private files too, is not among the ranked ones.
    const duplicatesAmong = (ranked: RankedMedia[]): NearDuplicateRow[] => {
      const isFound = new Set(ranked.flatMap(({ id }) => (named.has(id) ? [] : id)));
      return copies.filter((row) => isFound.has(row.mediaFileId));
    };
    const apart = (ranked: RankedMedia[]): string[] =>
      continues
        ? shown.before.slice(0, continues.near)
        : duplicatesAmong(ranked)
            .slice(0, limit)
            .map((row) => row.mediaFileId);
    // Files that are named in the request are left out of what is found, and copies of them are shown apart.
    const nearest = await this.nearest.page(tx, byMeaning(userId, target, { ...filter, includePrivate }), {
      ...behindShown(shown, limit, (ranked) => new Set([...named, ...apart(ranked)])),
      passed: shown.before.length + named.size,
    });
    const duplicates = duplicatesAmong(nearest.ranked);
    const page = await this.pages.read(tx, userId, {
      duplicates: duplicates.slice(0, limit),
      items: nearest.page,
      ranked: nearest.ranked,
      target,
    });
    const rows = await this.repository.partSimilarities(tx, {
      userId,
      modelId: facts.modelId,
      mediaFileIds: page.items.map(({ media }) => media.id),
      vector: target.halfvec,
      parts: parts.map((part) => encodeHalfvecText(part.vector)),
    });
    const similaritiesOf = new Map(rows.map((row) => [row.mediaFileId, row.similarities]));
    const items = page.items.map((hit): ComposedHitResponse => ({
      ...hit,
      parts: (similaritiesOf.get(hit.media.id) ?? []).map((similarity, index) => ({
        part: parts[index]!.pointer,
        similarity: round(similarity),
      })),
    }));
    const { total, totalIsCapped, hasMore, plan } = nearest;
    return {
      nearDuplicates: page.nearDuplicates,
      nearDuplicatesTotal: continues?.nearTotal ?? duplicates.length,
      ...{ items, total, totalIsCapped, hasMore, plan },
    };
  }

  /** Copies of the wanted files, the nearest first: as near to them as they are themselves, and never what "but ..." asks for. */
  private async copies(
    tx: Transaction,
    userId: string,
    { parts, sources }: { parts: Part[]; sources: Map<string, PartSource> },
  ): Promise<NearDuplicateRow[]> {
    const nearest = new Map<string, NearDuplicateRow>();
    const wanted = new Set(parts.flatMap((part) => (part.isExcluded ? [] : (part.mediaFileId ?? []))));
    for (const mediaFileId of wanted) {
      const perceptualHash = sources.get(mediaFileId)?.perceptualHash ?? null;
      const maxDistance = perceptualHash === null ? null : nearDuplicateBits(perceptualHash);
      if (maxDistance === null) continue;
      const rows = await this.searches.nearDuplicates(tx, {
        userId,
        mediaFileId,
        perceptualHash,
        maxDistance,
        fileHash: null,
        includePrivate: true,
        limit: MAX_NEAR_DUPLICATES,
      });
      for (const row of rows) {
        const known = nearest.get(row.mediaFileId);
        if (known === undefined || row.distance < known.distance) nearest.set(row.mediaFileId, row);
      }
    }
    return [...nearest.values()].sort(
      (a, b) => a.distance - b.distance || (a.mediaFileId < b.mediaFileId ? -1 : 1),
    );
  }

  /** @throws AppError 503 when the model is the active one no more */
  private async planFacts(tx: Transaction, userId: string, model: EmbeddingModel) {
    const facts = await this.searches.planFacts(tx, { userId, model, countUpTo: MAX_EXACT_VECTORS + 1 });
    if (facts === null) throw unavailable(new SemanticUnavailableError('model'));
    return facts;
  }
}

function unitVector(vector: Float32Array): Float32Array {
  const unit = l2Normalize(vector);
  if (unit === null) throw new Error('a vector without a direction');
  return unit;
}

function unavailable(cause: unknown): AppError {
  return errors.unavailable(
    'semantic-unavailable',
    'The texts cannot be turned into vectors at the moment. Try again.',
    cause,
  );
}

const idsOf = ({ nearDuplicates, items }: Pick<Found, 'nearDuplicates' | 'items'>): string[] =>
  [...nearDuplicates, ...items].map(({ media }) => media.id);

/** As plain JSON, so that no class instance or undefined field reaches the JSONB column. */
function whatIsAsked(request: ComposedSimilarRequest): Record<string, unknown> {
  const { include, exclude, filter, includePrivate } = request;
  return JSON.parse(JSON.stringify({ include, exclude, filter, includePrivate })) as Record<string, unknown>;
}
