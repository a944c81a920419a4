import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { MAX_CURSOR_LENGTH } from '../../../infrastructure/http/cursor.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../../infrastructure/http/pagination.dto.js';
import { MediaFilterField } from '../../media/filter/media-filter.request.js';
import type { MediaFilter } from '../../media/filter/media-filter.types.js';
import { ZONES, type Zone } from '../sql/text-leg.sql.js';
import { PAIR_ORDERS, type PairOrder } from '../moment-pairs.js';
import type { SearchMode } from '../ranker.js';
import { FACETS, type Facet } from '../sql/facets.sql.js';
import { SEARCH_SORTS, type SearchSort } from '../sql/sorted-media.sql.js';
import { IsCleanText, TrimText } from './clean-text.decorator.js';

export const MAX_QUERY_CHARACTERS = 1_000;
/** Ten minutes apart is no longer one event. */
const MAX_WITHIN_SECONDS = 600;
export const SEARCH_MODES = ['hybrid', 'semantic', 'text'] as const;
export class WithinQuery {
  @ApiProperty({ minLength: 1, maxLength: MAX_QUERY_CHARACTERS, example: 'applause' })
  @TrimText()
  @IsCleanText(MAX_QUERY_CHARACTERS)
  query!: string;

  @ApiProperty({
    minimum: 0,
    maximum: MAX_WITHIN_SECONDS,
    description: 'Most seconds between the two moments; 0: they touch or overlap',
  })
  @IsNumber()
  @Min(0)
  @Max(MAX_WITHIN_SECONDS)
  seconds!: number;

  @ApiPropertyOptional({
    enum: PAIR_ORDERS,
    default: 'any',
    description: 'before: the moment of `query` starts before that of `within.query`',
  })
  @IsOptional()
  @IsIn(PAIR_ORDERS)
  order?: PairOrder;
}

export class SearchRequest {
  @ApiProperty({
    minLength: 1,
    maxLength: MAX_QUERY_CHARACTERS,
    description: 'Words, "phrases", -not this, this or that',
    example: 'dog on the beach -sunset',
  })
  @TrimText()
  @IsCleanText(MAX_QUERY_CHARACTERS)
  query!: string;

  @ApiPropertyOptional({ enum: SEARCH_MODES, default: 'hybrid' })
  @IsOptional()
  @IsIn(SEARCH_MODES)
  mode?: SearchMode;

  @ApiPropertyOptional({
    minimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'Weight of meaning against words in hybrid mode: 0 = words alone, 1 = meaning alone',
  })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  alpha?: number;

  @MediaFilterField()
  filter?: MediaFilter;

  @ApiPropertyOptional({
    enum: ZONES,
    isArray: true,
    description:
      'Where to look; everywhere by default. title: title and file name; visual: tags, categories, labels, summary ' +
      'and what the picture means; text: text read in the picture; speech: speech and subtitles. ' +
      'title and text are searched in words only.',
  })
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(ZONES.length)
  @ArrayUnique()
  @IsIn(ZONES, { each: true })
  in?: Zone[];

  @ApiPropertyOptional({
    type: WithinQuery,
    description:
      'A second query: finds the videos in which both happen within some seconds, each with its `pairs` of moments',
  })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => WithinQuery)
  within?: WithinQuery;

  @ApiPropertyOptional({
    enum: FACETS,
    isArray: true,
    description: 'What all files that fit are counted by; each facet answers its 20 most frequent values',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(FACETS.length)
  @ArrayUnique()
  @IsIn(FACETS, { each: true })
  facets?: Facet[];

  @ApiPropertyOptional({
    enum: SEARCH_SORTS,
    default: 'relevance',
    description: 'Order of the files found, after the cut-off. Files without a value come last.',
  })
  @IsOptional()
  @IsIn(SEARCH_SORTS)
  sort?: SearchSort;

  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'desc', description: 'Not for relevance' })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  @ApiPropertyOptional({
    enum: ['auto'],
    description:
      "auto: what is no nearer in meaning than chance, measured against a sample of your own files, is left out, so that a query about nothing in your library answers nothing. Without it the embedding model's fixed floor counts.",
  })
  @IsOptional()
  @IsIn(['auto'])
  cutoff?: 'auto';

  @ApiPropertyOptional({ minimum: 0, maximum: 1, description: 'Leave out what scores less' })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  minScore?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_SIZE)
  limit?: number;

  @ApiPropertyOptional({
    description:
      '`nextCursor` of the page before, sent with the same search. Further pages are neither charged nor recorded as searches.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_CURSOR_LENGTH)
  cursor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Groups the searches of one visit in the history' })
  @IsOptional()
  @IsUUID()
  sessionId?: string;
}
