import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { COLOR_NAMES } from '../../../infrastructure/ai/local/colors.js';
import { ParsedBy } from '../../../infrastructure/http/validation.js';
import { FILE_TYPES, MEDIA_STATUSES, SENTIMENTS } from '../dto/media.response.js';
import { MAX_LABEL_LENGTH } from '../text-rules.js';
import { MAX_LABELS, MAX_NAMES, parseMediaFilter } from './media-filter.parser.js';
import { MAX_CONDITIONS, MAX_GROUP_DEPTH, ORIENTATIONS } from './media-filter.types.js';

// These classes describe the grammar in openapi.json; media-filter.parser.ts is what reads it. A test compares the two.

const oneOrMore = (words: readonly string[], description: string): object => ({
  oneOf: [
    { type: 'string', enum: [...words] },
    { type: 'array', items: { type: 'string', enum: [...words] }, maxItems: words.length },
  ],
  description,
});
const NAMES = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: MAX_LABEL_LENGTH },
  maxItems: MAX_NAMES,
} as const;
const DATE_OR_TIME = 'a date (midnight UTC) or a time with its zone, ISO 8601';

export class NumberRangeFilter {
  @ApiPropertyOptional({ type: 'number', minimum: 0, description: 'At least' })
  min?: number;

  @ApiPropertyOptional({ type: 'number', minimum: 0, description: 'At most' })
  max?: number;
}

export class NameSetsFilter {
  @ApiPropertyOptional({ ...NAMES, description: 'At least one of these' })
  any?: string[];

  @ApiPropertyOptional({ ...NAMES, description: 'Every one of these' })
  all?: string[];

  @ApiPropertyOptional({ ...NAMES, description: 'None of these' })
  none?: string[];
}

export class ContentWarningsFilter extends NameSetsFilter {
  @ApiPropertyOptional({ description: 'true: files without any warning; false: files with at least one' })
  isEmpty?: boolean;
}

export class LabelFilter {
  @ApiProperty({ example: 'beach', maxLength: MAX_LABEL_LENGTH })
  name!: string;

  @ApiPropertyOptional({ minimum: 0, maximum: 1, default: 0 })
  minConfidence?: number;
}

export class ColorFilter {
  @ApiProperty({ enum: COLOR_NAMES, example: 'blue' })
  name!: string;

  @ApiPropertyOptional({ minimum: 0, maximum: 1, default: 0, description: 'Share of the picture, at least' })
  minShare?: number;
}

export class MetadataRangeFilter {
  @ApiProperty({
    type: [String],
    minItems: 1,
    maxItems: 10,
    description: 'Keys from the outside to the inside',
    example: ['shoot', 'date'],
  })
  path!: string[];

  @ApiPropertyOptional({
    oneOf: [{ type: 'number' }, { type: 'string' }],
    description:
      'At least. Numbers are compared with numbers, ISO 8601 dates and times as moments, text as text',
  })
  min?: number | string;

  @ApiPropertyOptional({
    oneOf: [{ type: 'number' }, { type: 'string' }],
    description: 'At most, of the same kind as min; a date means the whole day',
  })
  max?: number | string;
}

export class CustomMetadataFilterRequest {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: "JSON that the file's own must contain",
    example: { client: 'Northwind' },
  })
  contains?: Record<string, unknown>;

  @ApiPropertyOptional({ type: [MetadataRangeFilter], maxItems: 20, description: 'Each must fit' })
  ranges?: MetadataRangeFilter[];

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 10 },
    maxItems: 20,
    description: 'Paths that must be there',
  })
  exists?: string[][];
}

/** All fields present must hold. What is not known of a file fits no condition on it. */
export class MediaFilterPart {
  @ApiPropertyOptional({ enum: FILE_TYPES })
  fileType?: string;

  @ApiPropertyOptional(oneOrMore(MEDIA_STATUSES, 'One of these'))
  status?: string | string[];

  @ApiPropertyOptional({
    type: String,
    description: `Uploaded at or after: ${DATE_OR_TIME}`,
    example: '2026-01-01',
  })
  uploadedFrom?: string;

  @ApiPropertyOptional({ type: String, description: 'Uploaded before', example: '2026-02-01T00:00:00Z' })
  uploadedTo?: string;

  @ApiPropertyOptional({ type: String, description: 'Taken at or after (EXIF or container)' })
  takenFrom?: string;

  @ApiPropertyOptional({ type: String, description: 'Taken before' })
  takenTo?: string;

  @ApiPropertyOptional({ type: NumberRangeFilter, description: 'Videos only' })
  durationSeconds?: NumberRangeFilter;

  @ApiPropertyOptional({ type: NumberRangeFilter })
  fileSizeBytes?: NumberRangeFilter;

  @ApiPropertyOptional({ type: NumberRangeFilter, description: 'Pixels of the upright picture' })
  width?: NumberRangeFilter;

  @ApiPropertyOptional({ type: NumberRangeFilter, description: 'Pixels of the upright picture' })
  height?: NumberRangeFilter;

  @ApiPropertyOptional({ type: NumberRangeFilter, description: 'Faces found' })
  facesCount?: NumberRangeFilter;

  @ApiPropertyOptional(oneOrMore(ORIENTATIONS, 'One of these; of the upright picture'))
  orientation?: string | string[];

  @ApiPropertyOptional({ type: NameSetsFilter, description: 'Names in any case' })
  tags?: NameSetsFilter;

  @ApiPropertyOptional({
    oneOf: [NAMES, { $ref: '#/components/schemas/NameSetsFilter' }],
    description: 'Names in any case; a list means at least one of these',
  })
  categories?: string[] | NameSetsFilter;

  @ApiPropertyOptional({ type: [LabelFilter], maxItems: MAX_LABELS, description: 'Every one of these' })
  labels?: LabelFilter[];

  @ApiPropertyOptional(oneOrMore(SENTIMENTS, 'One of these'))
  sentiment?: string | string[];

  @ApiPropertyOptional({ type: ContentWarningsFilter })
  contentWarnings?: ContentWarningsFilter;

  @ApiPropertyOptional({
    type: [ColorFilter],
    maxItems: COLOR_NAMES.length,
    description: 'Every one of these among the dominant colours, under exactly this name',
  })
  colors?: ColorFilter[];

  @ApiPropertyOptional({ description: 'true: private files only; false: none of them' })
  isPrivate?: boolean;

  @ApiPropertyOptional({ type: CustomMetadataFilterRequest, description: "The owner's own JSON" })
  customMetadata?: CustomMetadataFilterRequest;

  @ApiPropertyOptional({ description: 'Something is said, or subtitles came with it' })
  hasTranscript?: boolean;

  @ApiPropertyOptional({ description: 'Text was read in the picture' })
  hasText?: boolean;

  @ApiPropertyOptional({
    type: () => [MediaFilterPart],
    maxItems: MAX_CONDITIONS,
    description: 'Each must hold',
  })
  and?: MediaFilterPart[];

  @ApiPropertyOptional({
    type: () => [MediaFilterPart],
    maxItems: MAX_CONDITIONS,
    description: 'At least one must hold; an empty list filters nothing',
  })
  or?: MediaFilterPart[];

  @ApiPropertyOptional({
    type: () => MediaFilterPart,
    description: `Must not hold. Groups (and, or, not) go ${MAX_GROUP_DEPTH} levels deep; a filter holds at most ${MAX_CONDITIONS} conditions`,
  })
  not?: MediaFilterPart;
}

/** The filter of lists, searches and saved searches. */
export class MediaFilterRequest extends MediaFilterPart {
  @ApiPropertyOptional({
    description:
      'A search leaves private files out unless this is true or the filter names isPrivate; a list shows them unless this is false',
  })
  includePrivate?: boolean;
}

/** An optional filter in a JSON body. Its field is a checked MediaFilter behind the validation. */
export const MediaFilterField = (description?: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: MediaFilterRequest, ...(description ? { description } : {}) }),
    IsOptional(),
    ParsedBy(parseMediaFilter),
  );
