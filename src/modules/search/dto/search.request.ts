import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
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
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../../infrastructure/http/pagination.dto.js';
import { ZONES, type Zone } from '../sql/text-leg.sql.js';
import type { SearchMode } from '../ranker.js';
import { SEARCH_SORTS, type SearchSort } from '../sql/sorted-media.sql.js';
import { IsCleanText, IsTimestamp, TrimText } from './clean-text.decorator.js';

export const MAX_QUERY_CHARACTERS = 1_000;
export const SEARCH_MODES = ['hybrid', 'semantic', 'text'] as const;
/** As long as a stored name can be. */
const MAX_NAME_CHARACTERS = 100;
/** Each name is a condition of the query. */
const MAX_NAMES = 50;

export class TagFilter {
  @ApiPropertyOptional({ type: [String], maxItems: MAX_NAMES, description: 'At least one of these' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @IsCleanText(MAX_NAME_CHARACTERS, { each: true })
  any?: string[];

  @ApiPropertyOptional({ type: [String], maxItems: MAX_NAMES, description: 'Every one of these' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @IsCleanText(MAX_NAME_CHARACTERS, { each: true })
  all?: string[];

  @ApiPropertyOptional({ type: [String], maxItems: MAX_NAMES, description: 'None of these' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @IsCleanText(MAX_NAME_CHARACTERS, { each: true })
  none?: string[];
}

export class LabelFilter {
  @ApiProperty({ example: 'beach', maxLength: MAX_NAME_CHARACTERS })
  @IsCleanText(MAX_NAME_CHARACTERS)
  name!: string;

  @ApiPropertyOptional({ minimum: 0, maximum: 1, default: 0 })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  minConfidence?: number;
}

export class SearchFilter {
  @ApiPropertyOptional({ enum: ['image', 'video'] })
  @IsOptional()
  @IsIn(['image', 'video'])
  fileType?: 'image' | 'video';

  @ApiPropertyOptional({ description: 'Uploaded at or after', example: '2026-01-01' })
  @IsOptional()
  @IsTimestamp()
  uploadedFrom?: string;

  @ApiPropertyOptional({ description: 'Uploaded before', example: '2026-02-01T00:00:00Z' })
  @IsOptional()
  @IsTimestamp()
  uploadedTo?: string;

  @ApiPropertyOptional({ description: 'Taken at or after (EXIF or container)' })
  @IsOptional()
  @IsTimestamp()
  takenFrom?: string;

  @ApiPropertyOptional({ description: 'Taken before' })
  @IsOptional()
  @IsTimestamp()
  takenTo?: string;

  @ApiPropertyOptional({ type: TagFilter, description: 'Names in any case' })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TagFilter)
  tags?: TagFilter;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_NAMES,
    description: 'At least one of these, in any case',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_NAMES)
  @IsCleanText(MAX_NAME_CHARACTERS, { each: true })
  categories?: string[];

  @ApiPropertyOptional({ type: [LabelFilter], maxItems: 20, description: 'Every one of these' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => LabelFilter)
  labels?: LabelFilter[];

  @ApiPropertyOptional({ description: 'true: private files only; false: none of them' })
  @IsOptional()
  @IsBoolean()
  isPrivate?: boolean;

  @ApiPropertyOptional({
    default: false,
    description: 'Private files are left out unless this is true or isPrivate is given',
  })
  @IsOptional()
  @IsBoolean()
  includePrivate?: boolean;
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

  @ApiPropertyOptional({ type: SearchFilter })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => SearchFilter)
  filter?: SearchFilter;

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
  @MaxLength(4096)
  cursor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Groups the searches of one visit in the history' })
  @IsOptional()
  @IsUUID()
  sessionId?: string;
}
