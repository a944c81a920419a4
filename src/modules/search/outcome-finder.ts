import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';
import type { Correction } from './corrections.js';
import type { FacetsResponse } from './dto/facets.response.js';
import type { SearchRequest } from './dto/search.request.js';
import { toFacets } from './facets.js';
import type { UnavailableReason } from './query-embedder.js';
import { parseQuery } from './query-text.js';
import type { QueryVectorUse } from './query-vectors.service.js';
import type { QueryVector, RankedMedia, RankInput, SearchPlan } from './ranker.js';
import { rankInput, ResultFinder, type Found } from './result-finder.js';
import type { Search } from './search-request.reader.js';
import { SearchVectors, type QueryEmbedding } from './search-vectors.js';
import { SearchRepository } from './search.repository.js';
import { NOTHING_SHOWN, shownAgain, ShownPages } from './shown-pages.js';
import { SpellingService } from './spelling.service.js';
import { DEFAULT_VALUES_PER_FACET } from './sql/facets.sql.js';

/** How much of the result is needed: one page, or the ids of all that fits. */
export type Extent = 'page' | 'whole';

/** What a search came to, before anything is read of the files that it shows. */
export interface Outcome {
  plan: SearchPlan;
  model: EmbeddingModel | null;
  page: RankedMedia[];
  pairs: Found['pairs'];
  total: number;
  totalIsCapped: boolean;
  hasMore: boolean;
  facets: FacetsResponse | null;
  /** Words of the query that were found anywhere, or vectors near it. */
  isEmpty: boolean;
  fullMatches: number;
  shownIds: string[];
  /** What fits, best first, as far as it was ranked. */
  fittingIds: string[];
  /** What the query could have meant, when its words are found nowhere. */
  correction: Correction | null;
  /** A search that did not compare every vector, for a look at what it missed. */
  approximate: (RankInput & { vector: QueryVector }) | null;
  /** The query's vector as it was compared. */
  vector: QueryVector | null;
  /** Where the query's vector is kept; absent when it is not. */
  kept?: QueryVectorUse;
  unavailable: UnavailableReason | null;
}

/** Finds what a search comes to: which files, in which order, how many, and what the query could have meant. Reads only. */
@Injectable()
export class OutcomeFinder {
  constructor(
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(SearchVectors) private readonly vectors: SearchVectors,
    @Inject(ResultFinder) private readonly finder: ResultFinder,
    @Inject(SpellingService) private readonly spelling: SpellingService,
    @Inject(ShownPages) private readonly shownPages: ShownPages,
  ) {}

  /**
   * To be called in a transaction with SEARCH_SETTINGS.
   * @throws AppError 400 for a cursor of a search that is gone, 503 `semantic-unavailable` in semantic mode when the
   *   vectors' model is not in use any more
   */
  async find(
    tx: Transaction,
    userId: string,
    search: Search,
    embeddings: { first: QueryEmbedding; second: QueryEmbedding | null },
    extent: Extent,
  ): Promise<Outcome> {
    const { request, query, mode } = search;
    const shown = search.continues ? await this.shownPages.read(tx, userId, search.continues) : NOTHING_SHOWN;
    const { cutoff } = request;
    const first = await this.vectors.resolve(tx, userId, embeddings.first, { mode, cutoff });
    const second =
      embeddings.second && (await this.vectors.resolve(tx, userId, embeddings.second, { mode, cutoff }));
    const needsAll = extent === 'whole' || search.sort !== 'relevance' || request.facets !== undefined;
    const vectors = { first: first.vector, second: second?.vector ?? null };
    const wanted = needsAll ? null : shown.before.length + shown.later.length + search.limit + 1;
    const result = await this.finder.find(tx, userId, search, vectors, wanted);
    const fitting = result.media.filter((media) => isScoredEnough(media, request));
    // Scores fall along the list: when the last one is below, no file further down can fit.
    const isWhole = fitting.length < result.media.length;
    // How many score enough of those that fit but were not ranked for this page is not known.
    const isOpen = !isWhole && (request.minScore ?? 0) > 0 && result.total > result.media.length;
    const isShown = new Set(shown.before);
    const open = fitting.filter((media) => !isShown.has(media.id));
    const page = await this.page(tx, userId, search, open, shown.later);
    return {
      plan: result.plan,
      model: embeddings.first.model,
      page,
      pairs: result.pairs,
      vector: first.vector,
      total: isWhole || isOpen ? fitting.length : result.total,
      totalIsCapped: isOpen || (!isWhole && result.isCapped),
      hasMore:
        open.length > page.length ||
        (!isWhole && !needsAll && (result.total > result.media.length || result.isCapped)),
      facets: await this.facets(tx, userId, search, fitting),
      isEmpty: result.media.length === 0,
      fullMatches: result.fullMatches,
      fittingIds: fitting.map((media) => media.id),
      shownIds: [...shown.before, ...page.map((media) => media.id)],
      correction: await this.correction(tx, userId, search, result),
      approximate:
        result.plan === 'ann' && first.vector !== null
          ? { ...rankInput(userId, search, query, first.vector), vector: first.vector }
          : null,
      kept: embeddings.first.kept,
      unavailable: first.unavailable ?? second?.unavailable ?? null,
    };
  }

  /**
   * Only where the words as typed are found together nowhere: a correction must never stand in the way of a right answer. In
   * semantic mode the corrected words must be found too: "skateboard tricks" is not about bricks.
   */
  private async correction(
    tx: Transaction,
    userId: string,
    search: Search,
    result: Found,
  ): Promise<Correction | null> {
    const isSemantic = search.mode === 'semantic';
    if (isSemantic ? result.media.length > 0 : result.fullMatches > 0) return null;
    const corrections = await this.spelling.correct(tx, search.query.terms);
    if (corrections.length <= 1 && !isSemantic) return corrections[0] ?? null;
    for (const correction of corrections) {
      const asText: Search = { ...search, mode: 'text', within: null, query: parseQuery(correction.terms) };
      const { fullMatches } = await this.finder.find(tx, userId, asText, { first: null, second: null }, 1);
      if (fullMatches > 0) return correction;
    }
    return null;
  }

  private async facets(
    tx: Transaction,
    userId: string,
    { request }: Search,
    fitting: RankedMedia[],
  ): Promise<FacetsResponse | null> {
    const { facets } = request;
    if (facets === undefined || facets.length === 0) return null;
    const ids = fitting.map((media) => media.id);
    const rows = await this.repository.facets(tx, {
      userId,
      facets,
      source: Prisma.sql`SELECT unnest(${ids}::uuid[]) AS media_file_id`,
      perFacet: DEFAULT_VALUES_PER_FACET,
    });
    return toFacets(facets, rows);
  }

  /** The first page of the files in the order asked, and one more. */
  private async inOrder(
    tx: Transaction,
    userId: string,
    search: Search,
    media: RankedMedia[],
  ): Promise<RankedMedia[]> {
    if (search.sort === 'relevance') return media;
    const byId = new Map(media.map((hit) => [hit.id, hit]));
    const ids = await this.repository.sorted(tx, {
      userId,
      mediaFileIds: [...byId.keys()],
      sort: search.sort,
      order: search.request.order ?? 'desc',
      limit: search.limit + 1,
    });
    return ids.map((id) => byId.get(id)!);
  }

  /**
   * What this page shows: when it was asked for before, the same files as then, as far as they still fit, so that an answer
   * that got lost is given again.
   */
  private async page(
    tx: Transaction,
    userId: string,
    search: Search,
    open: RankedMedia[],
    shownLater: string[],
  ): Promise<RankedMedia[]> {
    const again = shownAgain(open, shownLater, search.limit);
    if (again.length === search.limit) return again;
    const isAgain = new Set(again.map((media) => media.id));
    const others = open.filter((media) => !isAgain.has(media.id));
    return [...again, ...(await this.inOrder(tx, userId, search, others))].slice(0, search.limit);
  }
}

/** Whether `minScore` leaves a file in. */
export function isScoredEnough(
  { score }: RankedMedia,
  { minScore }: Pick<SearchRequest, 'minScore'>,
): boolean {
  return score >= (minScore ?? 0);
}
