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
import { AppError, errors, type FieldFault } from '../../infrastructure/errors/app-error.js';
import { DEFAULT_PAGE_SIZE } from '../../infrastructure/http/pagination.dto.js';
import { UsageService } from '../billing/usage.service.js';
import { composeTarget } from './composition.js';
import { MAX_PARTS, type ComposedSimilarRequest, type SimilarPart } from './dto/similar.request.js';
import type { ComposedHitResponse, ComposedSimilarResponse } from './dto/similar.response.js';
import { toMediaFilter } from './media-filter.mapper.js';
import { nearDuplicateBits } from './near-duplicates.js';
import { PaidQueryCalls } from './paid-query-calls.js';
import { modelLabel, QueryEmbedder, SemanticUnavailableError } from './query-embedder.js';
import { byMeaning, MAX_EXACT_VECTORS, Ranker, type QueryVector } from './ranker.js';
import { SearchHistoryService } from './search-history.service.js';
import { SearchRepository } from './search.repository.js';
import { round, SimilarPageReader } from './similar-page.reader.js';
import { SimilarRepository } from './similar.repository.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';
import type { NearDuplicateRow } from './sql/similar.sql.js';

/** A person waits for the answer. */
const EMBEDDING_TIMEOUT_MS = 8_000;
const DEFAULT_WEIGHT = 1;
/** Of all included files together: a picture with more copies than this is a rare library. */
const MAX_NEAR_DUPLICATES = 1_000;

/** A part of the request with its place in it. */
interface Part {
  /** JSON pointer. */
  pointer: string;
  text: string | null;
  mediaFileId: string | null;
  weight: number;
  isExcluded: boolean;
}

type PartWithVector = Part & { vector: Float32Array };

/** A named file: its vector of unit length, and its perceptual hash if it has one. */
interface PartSource {
  vector: Float32Array;
  perceptualHash: string | null;
}

/**
 * Searches composed of texts and files, wanted and not: "this, but at night". Read the files' vectors -> embed the
 * texts in one call (no transaction) -> charge, if there were any -> one vector -> rank and read -> write the history row.
 */
@Injectable()
export class ComposedService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly searches: SearchRepository,
    @Inject(SimilarRepository) private readonly repository: SimilarRepository,
    @Inject(Ranker) private readonly ranker: Ranker,
    @Inject(SimilarPageReader) private readonly pages: SimilarPageReader,
    @Inject(QueryEmbedder) private readonly embedder: QueryEmbedder,
    @Inject(PaidQueryCalls) private readonly calls: PaidQueryCalls,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
  ) {}

  /**
   * `POST /v1/search/similar`
   * @throws AppError 400 for parts that are not valid or cancel each other out, 404 for a file that the user does not
   *   have, 409 `not-embedded` for one without a vector, each with a pointer to the part; 402 when the plan's searches
   *   or its budget are used up; 503 `semantic-unavailable` when the texts cannot be embedded
   */
  async search(userId: string, request: ComposedSimilarRequest): Promise<ComposedSimilarResponse> {
    const started = performance.now();
    const search = { id: uuidv7(), searchedAt: new Date() };
    const limit = request.limit ?? DEFAULT_PAGE_SIZE;
    const requested = readParts(request);
    // One embedder for all parts: files and texts are compared under one model, also while it is switched.
    const embedder = await this.embedder.activeEmbedder();
    if (embedder === null) throw unavailable(new SemanticUnavailableError('model'));
    const { model } = embedder;
    const ofFiles = await this.database.run((tx) => this.sourcesOf(tx, userId, model, requested));
    const ofTexts = await this.vectorsOfTexts(search.id, embedder, requested);
    const parts = requested.map((part): PartWithVector => {
      const vector = part.text === null ? ofFiles.get(part.mediaFileId!)?.vector : ofTexts.get(part.text);
      if (vector === undefined) throw new Error(`no vector for the part ${part.pointer}`);
      return { ...part, vector };
    });
    const target = composeTarget(parts);
    if (target === null) throw cancelOut();
    if (ofTexts.size > 0) await this.usage.chargeSearch();
    const found = await this.database.run(
      (tx) => this.find(tx, userId, { request, parts, sources: ofFiles, model, vector: target, limit }),
      {
        settings: SEARCH_SETTINGS,
      },
    );
    const tookMs = Math.round(performance.now() - started);
    await this.database.run((tx) =>
      this.history.record(tx, userId, {
        ...search,
        query: queryTextOf(requested),
        mode: 'semantic',
        // As plain JSON, so that no class instance or undefined field reaches the JSONB column.
        filters: JSON.parse(
          JSON.stringify({
            kind: 'composed',
            include: request.include,
            exclude: request.exclude,
            filter: request.filter,
            includePrivate: request.includePrivate,
          }),
        ) as Record<string, unknown>,
        limit,
        resultsCount: found.total,
        shownResults: [...found.nearDuplicates, ...found.items].map(({ media }) => media.id),
        responseTimeMs: tookMs,
        sessionId: null,
      }),
    );
    return {
      searchId: search.id,
      nearDuplicates: found.nearDuplicates,
      items: found.items,
      tookMs,
      plan: found.plan,
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
    const faultsOf = (isFaulty: (id: string) => boolean, detail: string): FieldFault[] =>
      parts.flatMap(({ mediaFileId, pointer }) =>
        mediaFileId !== null && isFaulty(mediaFileId) ? [{ pointer: `${pointer}/mediaFileId`, detail }] : [],
      );
    const unknown = faultsOf((id) => !sources.has(id), 'There is no such media file.');
    if (unknown.length > 0) throw unknownFiles(unknown);
    const pending = faultsOf(
      (id) => sources.get(id)!.vector === null,
      'This file has no vector of the active model yet.',
    );
    if (pending.length > 0) throw notEmbedded(pending);
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
  ): Promise<Map<string, Float32Array>> {
    const texts = [...new Set(parts.flatMap(({ text }) => text ?? []))];
    if (texts.length === 0) return new Map();
    try {
      const { vectors } = await this.calls.make(searchId, textEmbedder.estimate(texts), () =>
        textEmbedder.embed(texts, AbortSignal.timeout(EMBEDDING_TIMEOUT_MS)),
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
    },
  ) {
    const { request, parts, model, limit } = input;
    const facts = await this.planFacts(tx, userId, model);
    const target: QueryVector = {
      halfvec: encodeHalfvecText(input.vector),
      model,
      ...facts,
    };
    const filter = toMediaFilter(request.filter);
    const includePrivate = request.includePrivate ?? filter.includePrivate;
    const ranking = await this.ranker.rank(tx, {
      ...byMeaning(userId, target, { ...filter, includePrivate }),
      // Files that are named in the request are left out of what is found.
      wanted: limit + MAX_PARTS,
    });
    const named = new Set(parts.map(({ mediaFileId }) => mediaFileId));
    const others = ranking.media.filter((hit) => !named.has(hit.id));
    const duplicates = await this.nearDuplicates(tx, userId, input, new Set(others.map(({ id }) => id)));
    const page = await this.pages.read(tx, userId, { duplicates, ranked: others, target, limit });
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
    return { nearDuplicates: page.nearDuplicates, items, total: others.length, plan: ranking.plan };
  }

  /** Copies of the wanted files: as near to them as they are themselves, and never what "but ..." asks for. */
  private async nearDuplicates(
    tx: Transaction,
    userId: string,
    { parts, sources }: { parts: Part[]; sources: Map<string, PartSource> },
    isRanked: Set<string>,
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
        // What the request leaves out, private files too, is not among the ranked ones.
        includePrivate: true,
        limit: MAX_NEAR_DUPLICATES,
      });
      for (const row of rows) {
        const known = nearest.get(row.mediaFileId);
        if (isRanked.has(row.mediaFileId) && (known === undefined || row.distance < known.distance)) {
          nearest.set(row.mediaFileId, row);
        }
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

/** @throws AppError 400 with every fault at once */
function readParts(request: ComposedSimilarRequest): Part[] {
  const faults: FieldFault[] = [];
  const read = (list: 'include' | 'exclude', parts: readonly SimilarPart[]): Part[] =>
    parts.map((part, index) => {
      const pointer = `/${list}/${index}`;
      const text = part.text ?? null;
      const mediaFileId = part.mediaFileId?.toLowerCase() ?? null;
      if ((text === null) === (mediaFileId === null)) {
        faults.push({ pointer, detail: 'a part is either a text or a mediaFileId' });
      }
      return {
        pointer,
        text,
        mediaFileId,
        weight: part.weight ?? DEFAULT_WEIGHT,
        isExcluded: list === 'exclude',
      };
    });
  const parts = [...read('include', request.include), ...read('exclude', request.exclude ?? [])];
  if (parts.length > MAX_PARTS) {
    faults.push({
      pointer: '/exclude',
      detail: `include and exclude hold at most ${MAX_PARTS} parts together`,
    });
  }
  if (faults.length > 0) throw errors.validation(faults);
  return parts;
}

/** What the history shows: the words, excluded ones with a minus; files have none. */
function queryTextOf(parts: Part[]): string {
  const words = parts.map(({ text, isExcluded }) => `${isExcluded ? '- ' : '+ '}${text ?? '(file)'}`);
  return words.join(' ');
}

function unitVector(vector: Float32Array): Float32Array {
  const unit = l2Normalize(vector);
  if (unit === null) throw new Error('a vector without a direction');
  return unit;
}

function cancelOut(): AppError {
  return errors.badRequest(
    'parts-cancel-out',
    'What is excluded takes away all of what is included. Change the parts or their weights.',
    '/exclude',
  );
}

/** The same for a file that does not exist, one in the trash, and somebody else's. */
function unknownFiles(faults: FieldFault[]): AppError {
  return new AppError(404, 'not-found', 'Not found', 'There is no such media file.', { errors: faults });
}

function notEmbedded(faults: FieldFault[]): AppError {
  return new AppError(
    409,
    'not-embedded',
    'File not ready',
    'A file has no vector yet. Wait until its jobs are completed, or have it analysed again.',
    { errors: faults },
  );
}

function unavailable(cause: unknown): AppError {
  return errors.unavailable(
    'semantic-unavailable',
    'The texts cannot be turned into vectors at the moment. Try again.',
    cause,
  );
}
