import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

/** How far back the reports reach; searches are counted for as long. */
export const MAX_ANALYTICS_DAYS = 365;

export class AnalyticsQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_ANALYTICS_DAYS,
    default: 30,
    description: 'Days in UTC, today included',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_ANALYTICS_DAYS)
  days: number = 30;
}

export class SearchDayResponse {
  @ApiProperty({ format: 'date', example: '2026-11-21' })
  day!: string;

  @ApiProperty({ type: 'integer' })
  searchCount!: number;

  @ApiProperty({ type: 'number', nullable: true })
  averageResponseTimeMs!: number | null;

  @ApiProperty({ type: 'number', nullable: true, minimum: 0, maximum: 1 })
  averageClickThroughRate!: number | null;
}

export class SearchTotalsResponse {
  @ApiProperty({ type: 'integer' })
  searchCount!: number;

  @ApiProperty({ type: 'integer', description: 'Searches that found nothing' })
  zeroResultCount!: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    minimum: 0,
    maximum: 1,
    description: 'Share of all searches',
  })
  zeroResultRate!: number | null;

  @ApiProperty({
    type: 'integer',
    description: 'Searches whose query was not embedded again, because its vector was kept',
  })
  cacheHitCount!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Different files that were clicked, summed over the searches',
  })
  clickCount!: number;

  @ApiProperty({ type: 'integer', description: 'Searches with at least one click' })
  clickedSearchCount!: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    minimum: 0,
    maximum: 1,
    description: 'Searches with at least one click, as a share of those that showed something',
  })
  clickedSearchRate!: number | null;

  @ApiProperty({
    type: 'number',
    nullable: true,
    minimum: 0,
    maximum: 1,
    description:
      'Mean over the searches that showed something of the share of shown files that were clicked, as in `days`',
  })
  averageClickThroughRate!: number | null;

  @ApiProperty({
    type: 'number',
    nullable: true,
    minimum: 1,
    description: 'Mean place of the clicks, from 1',
  })
  meanClickPosition!: number | null;

  @ApiProperty({
    type: 'number',
    nullable: true,
    minimum: 0,
    maximum: 1,
    description:
      'Mean over the searches with a click of 1 / place of its highest click; 1 = always the first',
  })
  meanReciprocalRank!: number | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'Median' })
  responseTimeP50Ms!: number | null;

  @ApiProperty({ type: 'number', nullable: true, description: '95th percentile, interpolated' })
  responseTimeP95Ms!: number | null;
}

export class SearchModeFiguresResponse {
  @ApiProperty({ enum: ['hybrid', 'semantic', 'text'] })
  mode!: string;

  @ApiProperty({ type: 'integer' })
  searchCount!: number;

  @ApiProperty({ type: 'integer' })
  zeroResultCount!: number;

  @ApiProperty({ type: 'number', nullable: true })
  responseTimeP50Ms!: number | null;

  @ApiProperty({ type: 'number', nullable: true })
  responseTimeP95Ms!: number | null;
}

export class QueryFiguresResponse {
  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'In lower case, white space collapsed; null when the searches are so old that the text was removed from them',
  })
  query!: string | null;

  @ApiProperty({ type: 'integer', description: 'Whatever their case and spacing' })
  searchCount!: number;

  @ApiProperty({ type: 'integer' })
  zeroResultCount!: number;

  @ApiProperty({ type: 'integer', description: 'Searches with at least one click' })
  clickedSearchCount!: number;

  @ApiProperty({ format: 'date-time' })
  lastSearchedAt!: string;
}

export class SearchAnalyticsResponse {
  @ApiProperty({
    type: [SearchDayResponse],
    description: 'Oldest first, UTC; days without a search included',
  })
  days!: SearchDayResponse[];

  @ApiProperty({ type: SearchTotalsResponse })
  totals!: SearchTotalsResponse;

  @ApiProperty({ type: [SearchModeFiguresResponse], description: 'Modes that were used, most used first' })
  modes!: SearchModeFiguresResponse[];

  @ApiProperty({ type: [QueryFiguresResponse], description: 'The ten queries that were sent most often' })
  busiestQueries!: QueryFiguresResponse[];

  @ApiProperty({
    type: [QueryFiguresResponse],
    description: 'The ten queries that most often found nothing',
  })
  zeroResultQueries!: QueryFiguresResponse[];
}

export class AdminSearchTotalsResponse extends SearchTotalsResponse {
  @ApiProperty({ type: 'integer', description: 'Users who searched' })
  userCount!: number;
}

export class AdminSearchAnalyticsResponse {
  @ApiProperty({ type: [SearchDayResponse], description: 'As for one user, over all users' })
  days!: SearchDayResponse[];

  @ApiProperty({ type: AdminSearchTotalsResponse })
  totals!: AdminSearchTotalsResponse;

  @ApiProperty({ type: [SearchModeFiguresResponse] })
  modes!: SearchModeFiguresResponse[];
}
