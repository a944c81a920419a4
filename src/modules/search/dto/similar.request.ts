import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { MAX_CURSOR_LENGTH, MAX_VECTOR_CURSOR_LENGTH } from '../../../infrastructure/http/cursor.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../../infrastructure/http/pagination.dto.js';
import { IsCleanText, TrimText } from './clean-text.decorator.js';
import { MediaFilterField } from '../../media/filter/media-filter.request.js';
import type { MediaFilter } from '../../media/filter/media-filter.types.js';
import { MAX_QUERY_CHARACTERS } from './search.request.js';

/** Included and excluded parts together: more cannot be weighed against each other by a person. */
export const MAX_PARTS = 8;
const MAX_WEIGHT = 10;

export class SimilarPart {
  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_QUERY_CHARACTERS,
    description: 'Either this or `mediaFileId`. Plain words: no "phrases", no -exclusions',
    example: 'at night',
  })
  @IsOptional()
  @TrimText()
  @IsCleanText(MAX_QUERY_CHARACTERS)
  text?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'One of your files' })
  @IsOptional()
  @IsUUID()
  mediaFileId?: string;

  @ApiPropertyOptional({ minimum: 0, maximum: MAX_WEIGHT, default: 1, description: 'Above 0' })
  @IsOptional()
  @IsNumber()
  @IsPositive()
  @Max(MAX_WEIGHT)
  weight?: number;
}

export class ComposedSimilarRequest {
  @ApiProperty({
    type: [SimilarPart],
    minItems: 1,
    maxItems: MAX_PARTS,
    description: 'What the files shall be like',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_PARTS)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => SimilarPart)
  include!: SimilarPart[];

  @ApiPropertyOptional({
    type: [SimilarPart],
    maxItems: MAX_PARTS - 1,
    description: `What they shall be unlike; ${MAX_PARTS} parts in all`,
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_PARTS - 1)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => SimilarPart)
  exclude?: SimilarPart[];

  @MediaFilterField()
  filter?: MediaFilter;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_SIZE)
  limit?: number;

  @ApiPropertyOptional({ default: false, description: 'Private files as well' })
  @IsOptional()
  @IsBoolean()
  includePrivate?: boolean;

  @ApiPropertyOptional({
    description: '`nextCursor` of the page before, with everything else as it was there. Not charged again',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_CURSOR_LENGTH)
  cursor?: string;
}

export class ByImagePageRequest {
  @ApiProperty({
    description:
      '`nextCursor` of the page before. It holds what was seen in the picture, in numbers; the picture is not sent again',
  })
  @IsString()
  @MaxLength(MAX_VECTOR_CURSOR_LENGTH)
  cursor!: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_SIZE)
  limit?: number;
}

/** `near-duplicates` compares hashes alone and calls no provider. */
export const BY_IMAGE_MODES = ['all', 'near-duplicates'] as const;
export type ByImageMode = (typeof BY_IMAGE_MODES)[number];

export class ByImageForm {
  @ApiProperty({
    type: 'string',
    format: 'binary',
    description: 'JPEG, PNG, WebP, GIF, AVIF, TIFF or HEIC. It is not stored',
  })
  file!: unknown;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE })
  limit?: number;

  @ApiPropertyOptional({ default: false, description: 'Private files as well' })
  includePrivate?: boolean;

  @ApiPropertyOptional({
    enum: BY_IMAGE_MODES,
    default: 'all',
    description: 'near-duplicates: only files that look nearly the same, without any AI call',
  })
  mode?: ByImageMode;
}
