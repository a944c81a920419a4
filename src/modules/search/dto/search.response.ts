import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { MediaResponse } from '../../media/dto/media.response.js';
import { REASON_CODES, type MatchReason, type ReasonCode } from '../match-reasons.js';
import type { MomentPair } from '../moment-pairs.js';
import { FacetsResponse } from './facets.response.js';

export class MomentResponse {
  @ApiProperty({ description: 'Seconds from the start of the video', example: 12.5 })
  startSeconds!: number;

  @ApiProperty({ example: 15.25 })
  endSeconds!: number;

  @ApiProperty({ enum: ['speech', 'visual'] })
  kind!: 'speech' | 'visual';

  @ApiProperty({
    minimum: 0,
    maximum: 1,
    description: "Share of the query's words found here, or similarity in meaning",
  })
  score!: number;

  @ApiProperty({ description: 'What is said or seen there; plain text' })
  text!: string;
}

export class HighlightResponse {
  @ApiProperty({ enum: ['title', 'labels', 'summary', 'text'] })
  field!: 'title' | 'labels' | 'summary' | 'text';

  @ApiProperty({
    description: 'HTML: escaped text with the words found in <mark>',
    example: 'A <mark>dog</mark> &amp; a cat',
  })
  html!: string;
}

export class MatchReasonResponse implements MatchReason {
  @ApiProperty({ enum: REASON_CODES })
  code!: ReasonCode;

  @ApiPropertyOptional({ description: 'The tag, category or label' })
  value?: string;

  @ApiPropertyOptional({ description: 'Seconds from the start of the video' })
  atSeconds?: number;

  @ApiProperty({ description: 'Short form, plain text', example: 'speech@42.0s' })
  text!: string;
}

export class MomentPairResponse implements MomentPair {
  @ApiProperty()
  startSeconds!: number;

  @ApiProperty()
  endSeconds!: number;

  @ApiProperty({
    minimum: 0,
    maximum: 1,
    description: 'Geometric mean of both scores, less when far apart',
  })
  score!: number;

  @ApiProperty({ type: MomentResponse, description: 'What answers `query`' })
  first!: MomentResponse;

  @ApiProperty({ type: MomentResponse, description: 'What answers `within.query`' })
  second!: MomentResponse;
}

export class ReplacedWordResponse {
  @ApiProperty({ example: 'sunste' })
  from!: string;

  @ApiProperty({ example: 'sunset' })
  to!: string;
}

export class CorrectionResponse {
  @ApiProperty({ description: 'The query that was searched for', example: 'sunset beach' })
  query!: string;

  @ApiProperty({ type: [ReplacedWordResponse] })
  replaced!: ReplacedWordResponse[];
}

export class ExclusionResponse {
  @ApiProperty({ description: 'The query as it was read', example: 'beach -people' })
  query!: string;

  @ApiProperty({ type: [String], description: 'What was left out', example: ['people'] })
  words!: string[];
}

export class ScorePartsResponse {
  @ApiProperty({ type: 'number', nullable: true, description: 'Cosine similarity of the best segment' })
  vector!: number | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'Rank of the full-text search, 0..1' })
  text!: number | null;
}

export const MATCHED_IN = ['title', 'visual', 'text', 'speech', 'meaning'] as const;

export class SearchHitResponse {
  @ApiProperty({ type: MediaResponse })
  media!: MediaResponse;

  @ApiProperty({
    minimum: 0,
    maximum: 1,
    description:
      'hybrid: reciprocal rank fusion, 1 = first in both lists; semantic: cosine similarity; text: full-text rank',
  })
  score!: number;

  @ApiProperty({ type: ScorePartsResponse })
  parts!: ScorePartsResponse;

  @ApiProperty({ enum: MATCHED_IN, isArray: true })
  matchedIn!: (typeof MATCHED_IN)[number][];

  @ApiProperty({ type: [HighlightResponse] })
  highlights!: HighlightResponse[];

  @ApiProperty({ type: [MomentResponse], description: 'Videos: up to three, best first' })
  moments!: MomentResponse[];

  @ApiProperty({ type: [MatchReasonResponse], description: 'Why it is here, weightiest first; up to 12' })
  reasons!: MatchReasonResponse[];

  @ApiPropertyOptional({
    type: [MomentPairResponse],
    description: 'With `within`: up to three windows in which both queries happen, best first',
  })
  pairs?: MomentPairResponse[];
}

export class SearchResponse {
  @ApiProperty({ format: 'uuid', description: 'Names this search in the history and for clicks' })
  searchId!: string;

  @ApiProperty({ type: [SearchHitResponse] })
  items!: SearchHitResponse[];

  @ApiProperty({ type: 'integer', description: 'Files that fit, over all pages' })
  total!: number;

  @ApiProperty({ description: 'true: more files may fit than `total`; narrow the search to see them' })
  totalIsCapped!: boolean;

  @ApiPropertyOptional({ type: FacetsResponse })
  facets?: FacetsResponse;

  @ApiPropertyOptional({
    type: CorrectionResponse,
    description:
      'The query as it was typed found nothing: this one of your own words was searched for instead',
  })
  correction?: CorrectionResponse;

  @ApiPropertyOptional({
    type: ExclusionResponse,
    description:
      'The query says "without X" or "but not X", which was read as "-X". Mode "text" takes a query literally',
  })
  exclusion?: ExclusionResponse;

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;

  @ApiProperty({ type: 'integer' })
  tookMs!: number;

  @ApiProperty({
    enum: ['exact', 'ann', 'none'],
    description:
      'How vectors were compared: all of them, the nearest by a coarse first stage, or not at all (words only)',
  })
  plan!: 'exact' | 'ann' | 'none';

  @ApiProperty({ type: String, nullable: true, description: 'Embedding model; null when none was used' })
  model!: string | null;

  @ApiPropertyOptional({
    enum: ['semantic-unavailable'],
    description: 'Only words were searched, because the query could not be embedded',
  })
  degraded?: 'semantic-unavailable';

  @ApiPropertyOptional({ enum: ['provider', 'budget', 'model'] })
  degradedReason?: 'provider' | 'budget' | 'model';
}

export class SuggestionResponse {
  @ApiProperty({ example: 'beach' })
  text!: string;

  @ApiProperty({ enum: ['query', 'tag', 'label', 'title'] })
  kind!: 'query' | 'tag' | 'label' | 'title';
}

export class SuggestionsResponse {
  @ApiProperty({ type: [SuggestionResponse] })
  items!: SuggestionResponse[];
}
