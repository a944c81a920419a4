import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, IsUUID, Max, Min } from 'class-validator';

export class ClickRequest {
  @ApiProperty({ format: 'uuid', description: 'A file that this search has shown' })
  @IsUUID()
  mediaFileId!: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100_000,
    description: 'Place in the list as it was shown, from 1; by default the place that the search gave it',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100_000)
  position?: number;
}

export class ClickResponse {
  @ApiProperty({ format: 'uuid' })
  searchId!: string;

  @ApiProperty({ format: 'uuid' })
  mediaFileId!: string;

  @ApiProperty({
    minimum: 0,
    maximum: 1,
    description: 'Share of the files shown by this search that were clicked',
  })
  clickThroughRate!: number;
}

export class SearchRecordResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty()
  query!: string;

  @ApiProperty({ enum: ['hybrid', 'semantic', 'text'] })
  mode!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'filter, in, alpha and minScore as sent',
  })
  filters!: Record<string, unknown>;

  @ApiProperty({ type: 'integer' })
  resultsCount!: number;

  @ApiProperty({ type: 'integer', description: 'Files shown so far, over all pages' })
  shownCount!: number;

  @ApiProperty({ type: [String], description: 'Ids of the files that were clicked' })
  clickedResults!: string[];

  @ApiProperty({ type: 'number', nullable: true, minimum: 0, maximum: 1 })
  clickThroughRate!: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'Milliseconds until it was known which files fit; to read what is shown of them is not in it',
  })
  responseTimeMs!: number | null;

  @ApiProperty({ description: "The query's vector was kept from an earlier search" })
  cacheHit!: boolean;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  sessionId!: string | null;

  @ApiProperty({ format: 'date-time' })
  searchedAt!: string;
}

export class SearchHistoryResponse {
  @ApiProperty({ type: [SearchRecordResponse] })
  items!: SearchRecordResponse[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

export class ClearedHistoryResponse {
  @ApiProperty({ type: 'integer' })
  deleted!: number;
}
