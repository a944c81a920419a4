import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { MediaSummaryReader } from '../media/media-summary.reader.js';
import type { SearchHitResponse } from './dto/search.response.js';
import { highlightsOf, matchedInOf } from './highlights.js';
import { matchReasons } from './match-reasons.js';
import { isInZones } from './moment-pair-search.js';
import { bestMoments } from './moments.js';
import type { RankedMedia } from './ranker.js';
import { relevanceFloor } from './relevance-floor.js';
import { SearchRepository } from './search.repository.js';
import type { MatchedPartsRow } from './sql/match-reasons.sql.js';
import type { MomentRow } from './sql/page-details.sql.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';
import type { Zone } from './sql/text-leg.sql.js';

export interface PageContext {
  /** The wanted words; '' when words were not searched. */
  terms: string;
  zones: Zone[] | null;
  vector: { halfvec: HalfvecParameter; model: EmbeddingModel; modelId: number; floor?: number } | null;
}

/** Reads what is shown of the files of one page: the files themselves, why they are there, and the moments. */
@Injectable()
export class PageReader {
  constructor(
    @Inject(SearchRepository) private readonly repository: SearchRepository,
    @Inject(MediaSummaryReader) private readonly media: MediaSummaryReader,
  ) {}

  /** In the order given; a file that went to the trash a moment ago is left out. */
  async read(
    tx: Transaction,
    userId: string,
    ranked: RankedMedia[],
    context: PageContext,
  ): Promise<SearchHitResponse[]> {
    if (ranked.length === 0) return [];
    const ids = ranked.map((hit) => hit.id);
    const words = { userId, terms: context.terms, mediaFileIds: ids };
    const hasWords = context.terms !== '';
    // None needs another's answer: together they cost one round trip. Pictures have no moments, and cost nothing there.
    const [files, wordHits, wordMoments, parts, vectorMoments] = await Promise.all([
      this.media.readMany(tx, ids),
      hasWords ? this.repository.wordHits(tx, words) : [],
      hasWords ? this.repository.wordMoments(tx, words) : [],
      hasWords ? this.repository.matchedParts(tx, words) : [],
      this.vectorMoments(tx, userId, ids, context),
    ]);
    const hitsOf = new Map(wordHits.map((row) => [row.mediaFileId, row]));
    const partsOf = new Map(parts.map((row) => [row.mediaFileId, inZones(row, context.zones)]));
    const isWanted = (moment: MomentRow): boolean => isInZones(moment.kind, context.zones);
    const wordMomentsOf = Map.groupBy(wordMoments.filter(isWanted), (row) => row.mediaFileId);
    const vectorMomentsOf = Map.groupBy(vectorMoments.filter(isWanted), (row) => row.mediaFileId);
    return ranked.flatMap((hit) => {
      const media = files.get(hit.id);
      if (media === undefined) return [];
      const spoken = wordMomentsOf.get(hit.id) ?? [];
      const near = vectorMomentsOf.get(hit.id) ?? [];
      return [
        {
          media,
          score: round(hit.score),
          parts: { vector: roundOrNull(hit.vectorSimilarity), text: roundOrNull(hit.textRank) },
          matchedIn: matchedInOf(hitsOf.get(hit.id), spoken, near, hit.vectorSimilarity !== null),
          highlights: highlightsOf(hitsOf.get(hit.id)),
          moments: bestMoments(spoken, near).map((moment) => ({ ...moment, score: round(moment.score) })),
          reasons: matchReasons({
            parts: partsOf.get(hit.id) ?? null,
            wordMoments: spoken,
            vectorMoments: near,
            isVectorHit: hit.vectorSimilarity !== null,
          }),
        },
      ];
    });
  }

  private async vectorMoments(
    tx: Transaction,
    userId: string,
    mediaFileIds: string[],
    { vector }: PageContext,
  ): Promise<MomentRow[]> {
    if (vector === null) return [];
    return this.repository.vectorMoments(tx, {
      userId,
      mediaFileIds,
      modelId: vector.modelId,
      vector: vector.halfvec,
      floor: vector.floor ?? relevanceFloor(vector.model),
    });
  }
}

/** What was found in the zones that were asked; the rest of the file may hold the words as well. */
function inZones(row: MatchedPartsRow, zones: Zone[] | null): MatchedPartsRow {
  if (zones === null) return row;
  const [isTitle, isVisual] = [zones.includes('title'), zones.includes('visual')];
  return {
    mediaFileId: row.mediaFileId,
    inTitle: isTitle && row.inTitle,
    inFileName: isTitle && row.inFileName,
    tags: isVisual ? row.tags : [],
    categories: isVisual ? row.categories : [],
    labels: isVisual ? row.labels : [],
    inSummary: isVisual && row.inSummary,
    inFileDetails: isVisual && row.inFileDetails,
    inText: zones.includes('text') && row.inText,
    inSpeech: zones.includes('speech') && row.inSpeech,
  };
}

/** Six decimals: what comes after is noise of half-precision vectors. */
export function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : round(value);
}
