import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type, type TransformFnParams } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsNumber, IsOptional, Max, Min, ValidateIf } from 'class-validator';
import { PageQuery } from '../../../infrastructure/http/pagination.dto.js';
import { ParsedBy } from '../../../infrastructure/http/validation.js';
import { MAX_FILTER_CHARACTERS, parseMediaFilterText } from '../filter/media-filter.parser.js';
import type { MediaFilter } from '../filter/media-filter.types.js';
import { toUtcByDefault } from '../filter/timestamps.js';
import { MEDIA_SORTS, type MediaSort, type SortOrder } from '../sql/media-list.sql.js';
import {
  faultOfCustomMetadata,
  faultOfLine,
  faultOfNames,
  FollowsRule,
  MAX_CATEGORIES,
  MAX_LABEL_LENGTH,
  MAX_TAGS,
  MAX_TITLE_LENGTH,
  normalizeLine,
  normalizeNames,
} from '../text-rules.js';
import { FILE_TYPES, MEDIA_STATUSES } from './media.response.js';

const toLine = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? normalizeLine(value) : value;
const toNames = ({ value }: TransformFnParams): unknown =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') ? normalizeNames(value) : value;
/** Query values are text; anything but the two words is left for the validator to refuse. */
const toBoolean = ({ value }: TransformFnParams): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;
const toList = (parameters: TransformFnParams): unknown =>
  toNames({
    ...parameters,
    value: typeof parameters.value === 'string' ? [parameters.value] : parameters.value,
  });

/** UTC; what is no time is left for the rule to refuse. */
const toTime = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? (toUtcByDefault(value) ?? value) : value;
const faultOfTime = (value: unknown): string | null =>
  typeof value === 'string' && toUtcByDefault(value) !== null
    ? null
    : 'must be a date such as 2026-11-21 or a time such as 2026-11-21T10:00:00Z';

/** Absent is fine, null is not: unlike IsOptional, which lets both pass. */
const IfPresent = (): PropertyDecorator => ValidateIf((_request, value) => value !== undefined);

const lineRule = (maxLength: number) => (value: unknown) => faultOfLine(value, maxLength);
const namesRule = (maxCount: number) => (value: unknown) => faultOfNames(value, maxCount);

/** Query of `GET /v1/media`. */
export class MediaListQuery extends PageQuery {
  @ApiPropertyOptional({ enum: FILE_TYPES })
  @IsOptional()
  @IsIn(FILE_TYPES)
  fileType?: (typeof FILE_TYPES)[number];

  @ApiPropertyOptional({ enum: MEDIA_STATUSES })
  @IsOptional()
  @IsIn(MEDIA_STATUSES)
  status?: (typeof MEDIA_STATUSES)[number];

  @ApiPropertyOptional({ type: [String], description: 'May be repeated: the file must have all of them' })
  @IsOptional()
  @Transform(toList)
  @FollowsRule(namesRule(10))
  tag?: string[];

  @ApiPropertyOptional({ description: 'Name of a category' })
  @IsOptional()
  @Transform(toLine)
  @FollowsRule(lineRule(MAX_LABEL_LENGTH))
  category?: string;

  @ApiPropertyOptional({ description: 'Name of a detected label' })
  @IsOptional()
  @Transform(toLine)
  @FollowsRule(lineRule(MAX_LABEL_LENGTH))
  label?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  isPrivate?: boolean;

  @ApiPropertyOptional({ format: 'date-time', description: 'Uploaded at or after' })
  @IsOptional()
  @Transform(toTime)
  @FollowsRule(faultOfTime)
  uploadedFrom?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Uploaded before' })
  @IsOptional()
  @Transform(toTime)
  @FollowsRule(faultOfTime)
  uploadedTo?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Taken at or after' })
  @IsOptional()
  @Transform(toTime)
  @FollowsRule(faultOfTime)
  takenFrom?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Taken before' })
  @IsOptional()
  @Transform(toTime)
  @FollowsRule(faultOfTime)
  takenTo?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_FILTER_CHARACTERS,
    description:
      'MediaFilterRequest as JSON, URL-encoded: the filter of POST /v1/search. It must hold as well as the parameters',
    example: '{"or":[{"tags":{"any":["sea"]}},{"durationSeconds":{"max":30}}]}',
  })
  @IsOptional()
  @ParsedBy(parseMediaFilterText)
  filter?: MediaFilter;

  @ApiPropertyOptional({ default: false, description: 'True lists the trash instead' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  deleted?: boolean;

  @ApiPropertyOptional({ enum: MEDIA_SORTS, default: 'uploadedAt' })
  @IsOptional()
  @IsIn(MEDIA_SORTS)
  sort: MediaSort = 'uploadedAt';

  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'desc' })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order: SortOrder = 'desc';
}

/** Body of `PATCH /v1/media/{id}`; what is absent stays as it is. */
export class UpdateMediaRequest {
  @ApiPropertyOptional({ maxLength: MAX_TITLE_LENGTH })
  @IfPresent()
  @Transform(toLine)
  @FollowsRule(lineRule(MAX_TITLE_LENGTH))
  title?: string;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_TAGS,
    description: 'The whole set; unknown tags are created',
  })
  @IfPresent()
  @Transform(toNames)
  @FollowsRule(namesRule(MAX_TAGS))
  tags?: string[];

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_CATEGORIES,
    description: 'The whole set; a name that neither you nor the system has becomes a category of yours',
  })
  @IfPresent()
  @Transform(toNames)
  @FollowsRule(namesRule(MAX_CATEGORIES))
  categories?: string[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'At most 16 KB of JSON; replaces the old',
  })
  @IfPresent()
  @FollowsRule(faultOfCustomMetadata)
  customMetadata?: Record<string, unknown>;

  @ApiPropertyOptional()
  @IfPresent()
  @IsBoolean()
  isPrivate?: boolean;
}

/** Query of `DELETE /v1/media/{id}`. */
export class DeleteMediaQuery {
  @ApiPropertyOptional({ default: false, description: 'True removes a file of the trash for good' })
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  permanent: boolean = false;
}

/** Query of `GET /v1/media/{id}/content`. */
export class ContentQuery {
  @ApiPropertyOptional({ enum: ['attachment', 'inline'], default: 'attachment' })
  @IsOptional()
  @IsIn(['attachment', 'inline'])
  disposition: 'attachment' | 'inline' = 'attachment';
}

/** Query of `GET /v1/media/{id}/clips`. */
export class ClipsQuery {
  @ApiPropertyOptional({ type: 'number', minimum: 0, maximum: 1, default: 0.7 })
  @IsOptional()
  @Type(() => Number)
  @IsNumber()
  @Min(0)
  @Max(1)
  minScore: number = 0.7;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 10 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 10;
}

/** The form of `POST /v1/media`, for the documentation; it is read as a stream, not through this class. */
export class UploadForm {
  @ApiProperty({
    type: 'string',
    format: 'binary',
    description: 'JPEG, PNG, WebP, GIF, AVIF, TIFF, HEIC, MP4, MOV, WebM, MKV or AVI',
  })
  file!: unknown;

  @ApiPropertyOptional({
    type: 'string',
    format: 'binary',
    description: 'A .srt or .vtt file for a video, at most 2 MB',
  })
  subtitles?: unknown;

  @ApiPropertyOptional({
    maxLength: MAX_TITLE_LENGTH,
    description: "Default: the file's name without its extension",
  })
  title?: string;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_TAGS,
    description: 'Repeat the field (`tags` or `tags[]`), or send a JSON array',
  })
  tags?: string[];

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_CATEGORIES,
    description: 'May be repeated, or a JSON array',
  })
  category?: string[];

  @ApiPropertyOptional({
    type: 'string',
    description: 'A JSON object of at most 16 KB',
    example: '{"camera":"old one"}',
  })
  customMetadata?: string;

  @ApiPropertyOptional({ type: 'string', enum: ['true', 'false'], default: 'false' })
  isPrivate?: string;
}
