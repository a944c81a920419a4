import { ApiProperty, ApiPropertyOptional, OmitType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsObject, IsOptional, ValidateIf, ValidateNested } from 'class-validator';
import { HoldsParsedFields } from '../../../infrastructure/http/validation.js';
import { MAX_RUN_MEDIA } from '../saved-search-news.js';
import { IsCleanText, TrimText } from './clean-text.decorator.js';
import { SearchRequest } from './search.request.js';
import { SearchHitResponse, SearchResponse } from './search.response.js';

const MAX_NAME_CHARACTERS = 100;

export class CreateSavedSearchRequest {
  @ApiProperty({ minLength: 1, maxLength: MAX_NAME_CHARACTERS, description: 'Unique whatever its case' })
  @TrimText()
  @IsCleanText(MAX_NAME_CHARACTERS)
  name!: string;

  @ApiProperty({
    type: SearchRequest,
    description: 'As POST /v1/search takes it; limit, cursor and sessionId are not kept',
  })
  @IsObject()
  @ValidateNested()
  @Type(() => SearchRequest)
  @HoldsParsedFields(() => SearchRequest)
  search!: SearchRequest;
}

/** What is absent stays as it is. */
export class UpdateSavedSearchRequest {
  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_NAME_CHARACTERS,
    description: 'Unique whatever its case',
  })
  @ValidateIf((_request, value) => value !== undefined)
  @TrimText()
  @IsCleanText(MAX_NAME_CHARACTERS)
  name?: string;

  @ApiPropertyOptional({
    type: SearchRequest,
    description: 'The whole search anew. When it differs, the next run is a first run again',
  })
  @ValidateIf((_request, value) => value !== undefined)
  @IsObject()
  @ValidateNested()
  @Type(() => SearchRequest)
  @HoldsParsedFields(() => SearchRequest)
  search?: SearchRequest;
}

export class RunSavedSearchRequest extends PickType(SearchRequest, ['limit', 'cursor'] as const) {
  @ApiPropertyOptional({
    default: true,
    description: 'false: look without marking as seen; the next run reports the same files as new',
  })
  @IsOptional()
  @IsBoolean()
  markSeen?: boolean;
}

export class SavedSearchResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'As it was sent, without limit, cursor and sessionId',
  })
  search!: Record<string, unknown>;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The run that the next one is compared with',
  })
  lastRunAt!: string | null;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

export class SavedSearchListResponse {
  @ApiProperty({ type: [SavedSearchResponse] })
  items!: SavedSearchResponse[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

export class SavedSearchHitResponse extends SearchHitResponse {
  @ApiProperty({
    type: Boolean,
    nullable: true,
    description: 'Was not in the result of the last run; null when newSinceLastRun is',
  })
  isNew!: boolean | null;
}

export class NewSinceLastRunResponse {
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The run before; null: this is the first one, and nothing is new',
  })
  since!: string | null;

  @ApiProperty({ type: 'integer', description: 'Over all pages' })
  count!: number;

  @ApiProperty({
    type: [String],
    format: 'uuid',
    description:
      'In the order of the result. A file that fits now and did not at the last run is new as well',
  })
  mediaFileIds!: string[];

  @ApiProperty({
    description:
      `true: this run or the last one found more than the ${MAX_RUN_MEDIA} best files that are compared, ` +
      'so that a file beyond them may be missed, or be new only because it was beyond them',
  })
  isCapped!: boolean;
}

export class SavedSearchRunResponse extends OmitType(SearchResponse, ['items'] as const) {
  @ApiProperty({ format: 'uuid' })
  savedSearchId!: string;

  @ApiProperty({ type: [SavedSearchHitResponse] })
  items!: SavedSearchHitResponse[];

  @ApiProperty({
    type: NewSinceLastRunResponse,
    nullable: true,
    description:
      'null on a further page when another run has begun since its first page, and when the search was changed or ' +
      'deleted while it ran. Of runs at the same time, one reports a new file',
  })
  newSinceLastRun!: NewSinceLastRunResponse | null;
}
