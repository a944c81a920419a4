import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { SearchRecord } from '../../infrastructure/database/generated/client.js';
import { errors, type AppError } from '../../infrastructure/errors/app-error.js';
import { UsageService } from '../billing/usage.service.js';
import { decidesPrivacy } from '../media/filter/media-filter.sql.js';
import type { ExplainReasonResponse, ExplainResponse } from './dto/explain.dto.js';
import type { SearchRequest } from './dto/search.request.js';
import { toMediaFilter } from './media-filter.mapper.js';
import { isScoredEnough } from './outcome-finder.js';
import { round } from './page-reader.js';
import { segmentTypesOf, type QueryVector } from './ranker.js';
import { ResultFinder, type Found } from './result-finder.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { SearchRequestReader, type Search } from './search-request.reader.js';
import { SearchVectors, type EmbeddedSearch, type QueryEmbedding } from './search-vectors.js';
import { SearchRepository } from './search.repository.js';
import type { ExplainFactsRow, ExplainVectorRow } from './sql/explain.sql.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';
import { toSearchRequest } from './stored-search.js';

interface Evidence {
  facts: ExplainFactsRow;
  found: Found;
  vector: QueryVector | null;
  vectorFacts: ExplainVectorRow | null;
  isUnavailable: boolean;
  /** It belongs among the hits, but a search that does not compare every vector leaves it out. */
  isMissed: boolean;
}

/** Says why a file is among the hits of a search, or why it is not. */
@Injectable()
export class ExplainService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchHistoryRepository) private readonly history: SearchHistoryRepository,
    @Inject(SearchRequestReader) private readonly requests: SearchRequestReader,
    @Inject(SearchVectors) private readonly vectors: SearchVectors,
    @Inject(ResultFinder) private readonly finder: ResultFinder,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(UsageService) private readonly usage: UsageService,
  ) {}

  /**
   * Runs a search of the history again, against the library as it is now, and looks at one file. Nothing is charged but
   * what the provider asks for the query's vector.
   * @throws AppError 404 for a search or a file that the user does not have; 409 `search-not-explainable` for a search
   *   by picture, a composed one, one whose query is not kept any more, and one that is not valid any more
   */
  async explain(userId: string, searchId: string, mediaFileId: string): Promise<ExplainResponse> {
    const record = await this.database.run((tx) => this.history.find(tx, userId, searchId));
    if (record === null) throw errors.notFound('search');
    const request = await requestOf(record);
    const search = this.requests.read(userId, request);
    const facts = await this.database.run((tx) => this.facts(tx, userId, mediaFileId, search), {
      readOnly: true,
    });
    // Before anything is paid for.
    if (facts === null) throw errors.notFound('media file');
    const { mode, alpha } = search;
    const how = { mode, alpha, zones: request.in ?? null, isCharged: false };
    const first = await this.embed({ ...how, meaning: search.query.meaning });
    const second = search.within && (await this.embed({ ...how, meaning: search.within.query.meaning }));
    const evidence = await this.database.run(
      async (tx): Promise<Evidence> => {
        const options = { mode, cutoff: request.cutoff };
        const { vector, unavailable } = await this.vectors.resolve(tx, userId, first, options);
        const other = second && (await this.vectors.resolve(tx, userId, second, options));
        const vectors = { first: vector, second: other?.vector ?? null };
        const found = await this.finder.find(tx, userId, search, vectors, null);
        const place = found.media.findIndex((media) => media.id === mediaFileId);
        // As far as the page reaches on which it should be; pairs, and what is sorted otherwise, compare everything anyway.
        const nearest =
          vector !== null && place >= 0 && search.sort === 'relevance' && search.within === null
            ? await this.finder.find(tx, userId, search, vectors, place + 1 + search.limit)
            : null;
        return {
          facts,
          found,
          vector,
          vectorFacts: vector && (await this.vectorFacts(tx, userId, mediaFileId, search, vector)),
          isUnavailable: unavailable !== null,
          isMissed: nearest?.plan === 'ann' && !nearest.media.some((media) => media.id === mediaFileId),
        };
      },
      { settings: SEARCH_SETTINGS },
    );
    return toExplanation(searchId, mediaFileId, record.shownResults.includes(mediaFileId), search, evidence);
  }

  /** Also what the provider was paid for: in a transaction of its own, so that it stays whatever comes of the rest. */
  private async embed(search: EmbeddedSearch): Promise<QueryEmbedding> {
    const embedding = await this.vectors.embed(search);
    const { usage } = embedding;
    if (usage) await this.database.run((tx) => this.usage.recordCost(tx, usage, { referenceId: uuidv7() }));
    return embedding;
  }

  private facts(
    tx: Transaction,
    userId: string,
    mediaFileId: string,
    { query, request }: Search,
  ): Promise<ExplainFactsRow | null> {
    return this.repository.explainFacts(tx, {
      userId,
      mediaFileId,
      filter: toMediaFilter(request.filter),
      excludedTerms: query.excludedTerms,
      wantedWords: [...new Set(query.meaning.split(' '))].filter((word) => word !== ''),
    });
  }

  private vectorFacts(
    tx: Transaction,
    userId: string,
    mediaFileId: string,
    { request }: Search,
    vector: QueryVector,
  ): Promise<ExplainVectorRow> {
    return this.repository.explainVector(tx, {
      userId,
      mediaFileId,
      modelId: vector.modelId,
      vector: vector.halfvec,
      segmentTypes: segmentTypesOf(request.in ?? null),
    });
  }
}

/** A query that found nothing as typed was searched for as corrected. */
function requestOf({ anonymizedAt, filters, queryText, mode }: SearchRecord): Promise<SearchRequest> {
  const { kind, correctedQuery, ...rest } = filters as Record<string, unknown>;
  if (anonymizedAt !== null || kind !== undefined) {
    throw notExplainable(
      'Only a search in words can be explained, as long as its query is kept. Search again.',
    );
  }
  return toSearchRequest({ ...rest, query: correctedQuery ?? queryText, mode }, () =>
    notExplainable('This search was made under earlier rules and is not valid any more. Search again.'),
  );
}

const notExplainable = (detail: string): AppError => errors.conflict('search-not-explainable', detail);

function toExplanation(
  searchId: string,
  mediaFileId: string,
  wasShown: boolean,
  search: Search,
  evidence: Evidence,
): ExplainResponse {
  const { facts, found, vector, vectorFacts } = evidence;
  const index = found.media.findIndex((media) => media.id === mediaFileId);
  const hit = found.media[index];
  const fits = hit !== undefined && isScoredEnough(hit, search.request);
  const isFound = fits && !evidence.isMissed;
  const total = found.media.filter((media) => isScoredEnough(media, search.request)).length;
  const asksWords = search.mode !== 'semantic';
  return {
    searchId,
    mediaFileId,
    isFound,
    wasShown,
    position: isFound ? index + 1 : null,
    score: hit ? round(hit.score) : null,
    vector: vector && {
      similarity: vectorFacts && vectorFacts.similarity !== null ? round(vectorFacts.similarity) : null,
      cutoff: round(vector.floor ?? -1),
    },
    text: asksWords
      ? {
          missingWords: facts.missingWords,
          rank: hit && hit.textRank !== null ? round(hit.textRank) : null,
        }
      : null,
    reasons: isFound
      ? [{ code: 'found', detail: `It is number ${index + 1} of ${total}.` }]
      : fits
        ? [missedAt(index + 1)]
        : reasonsAgainst(search, evidence, hit !== undefined),
  };
}

const missedAt = (place: number): ExplainReasonResponse => ({
  code: 'missed-by-approximation',
  detail:
    `It would be number ${place}, but so large a library is first gone through by a coarse measure, which left it out. ` +
    'Ask for facets or another order: then every file is compared.',
});

/** Every reason that holds: what keeps a file out whatever is asked comes first. */
function reasonsAgainst(search: Search, evidence: Evidence, isRanked: boolean): ExplainReasonResponse[] {
  const { facts, vector, vectorFacts } = evidence;
  const filter = toMediaFilter(search.request.filter);
  const reasons: ExplainReasonResponse[] = [];
  const add = (holds: boolean, reason: ExplainReasonResponse): void => {
    if (holds) reasons.push(reason);
  };
  add(facts.deletedAt !== null, { code: 'deleted', detail: 'It is in the trash. Restore it to find it.' });
  add(facts.isPrivate && !decidesPrivacy(filter), {
    code: 'private',
    detail: 'It is private. Searches leave private files out unless filter.includePrivate is true.',
  });
  for (const clause of facts.failedClauses) {
    const pointer = `/filter${clause}`;
    add(true, { code: 'filtered-out', pointer, detail: `It does not pass ${pointer} of the search.` });
  }
  add(facts.isExcluded, {
    code: 'excluded-word',
    pointer: '/query',
    detail: 'It holds a word that the query excludes.',
  });
  add(isRanked, { code: 'below-min-score', pointer: '/minScore', detail: 'Its score is below minScore.' });
  if (isRanked) return reasons;
  add(evidence.found.isUnsure, {
    code: 'nothing-sure',
    pointer: '/query',
    detail:
      'No file holds enough of the words and none is surely near in meaning, so the search answers nothing.',
  });
  const asksWords = search.mode !== 'semantic';
  add(asksWords && facts.missingWords.length > 0, {
    code: 'words-missing',
    pointer: '/query',
    detail: `It does not hold: ${facts.missingWords.join(', ')}.`,
  });
  const isReady = facts.status === 'completed';
  add(!isReady, {
    code: 'not-processed',
    detail: `Its analysis has not been completed: it is ${facts.statusReason ?? facts.status}.`,
  });
  add(vector !== null && vectorFacts?.vectorCount === 0, {
    code: 'not-embedded',
    detail: isReady
      ? 'It has no vector of the active model in the places asked.'
      : 'It has no vector yet; it gets one at the end of its analysis.',
  });
  const similarity = vectorFacts?.similarity ?? null;
  add(vector !== null && similarity !== null && similarity < (vector.floor ?? -1), {
    code: 'below-cutoff',
    detail: 'It is farther from the query in meaning than the cut-off allows.',
  });
  add(evidence.isUnavailable, {
    code: 'semantic-unavailable',
    detail: 'Meaning cannot be compared at the moment; words alone were.',
  });
  add(reasons.length === 0 && search.within !== null, {
    code: 'no-moment-within',
    pointer: '/within',
    detail: 'It has no two moments of these queries so near to each other.',
  });
  add(reasons.length === 0, {
    code: 'not-in-these-places',
    pointer: search.request.in ? '/in' : '/query',
    detail: 'It holds the words, but not together in the places or the order that the query asks for.',
  });
  return reasons;
}
