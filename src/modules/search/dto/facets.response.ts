import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { FacetCounts, Facets, FacetValue } from '../facets.js';
import { DURATION_BUCKETS, SIZE_BUCKETS } from '../sql/facets.sql.js';

export class FacetValueResponse implements FacetValue {
  @ApiProperty({ example: 'beach' })
  value!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Files with this value, each counted once' })
  count!: number;
}

export class FacetResponse implements FacetCounts {
  @ApiProperty({ type: [FacetValueResponse], description: 'Most files first; equal counts by value' })
  values!: FacetValueResponse[];

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Distinct values that are not listed' })
  more!: number;
}

const FacetProperty = (description: string): PropertyDecorator =>
  ApiPropertyOptional({ type: FacetResponse, description });

const names = (buckets: typeof DURATION_BUCKETS): string => buckets.map(({ value }) => value).join(', ');

/** Counts over all files that fit, on whatever page; only the facets asked for are there. */
export class FacetsResponse implements Facets {
  @FacetProperty('image, video')
  fileType?: FacetResponse;

  @FacetProperty('Status of the file')
  status?: FacetResponse;

  @FacetProperty('Year (UTC) in which it was taken, or uploaded where that is not known')
  year?: FacetResponse;

  @FacetProperty('The same by month, YYYY-MM')
  month?: FacetResponse;

  @FacetProperty('Tags as you spell them')
  tags?: FacetResponse;

  @FacetProperty('Categories, your own and built-in ones')
  categories?: FacetResponse;

  @FacetProperty('Labels that were detected, at any confidence')
  labels?: FacetResponse;

  @FacetProperty('Names of dominant colours')
  colors?: FacetResponse;

  @FacetProperty('landscape, portrait, square: width and height of the upright picture')
  orientation?: FacetResponse;

  @FacetProperty('POSITIVE, NEGATIVE, NEUTRAL, MIXED')
  sentiment?: FacetResponse;

  @FacetProperty('true, false: something was said or came with subtitles')
  hasTranscript?: FacetResponse;

  @FacetProperty('true, false: text was read in the picture')
  hasText?: FacetResponse;

  @FacetProperty(`Length of videos, lower bounds inclusive: ${names(DURATION_BUCKETS)}`)
  durationBucket?: FacetResponse;

  @FacetProperty(`Size of the file, lower bounds inclusive, 1 MB = 1,000,000 bytes: ${names(SIZE_BUCKETS)}`)
  sizeBucket?: FacetResponse;
}
