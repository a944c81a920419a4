import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../infrastructure/http/route-access.js';
import { AdminSearchAnalyticsResponse, AnalyticsQuery } from './dto/analytics.dto.js';
import { SearchAnalyticsService } from './search-analytics.service.js';

@ApiTags('admin')
@AdminOnly()
@Controller('v1/admin/searches')
export class AdminSearchesController {
  constructor(@Inject(SearchAnalyticsService) private readonly analytics: SearchAnalyticsService) {}

  @Get('analytics')
  @ApiOperation({ summary: 'Searches of all users by day and mode: figures alone, no query' })
  @ApiOkResponse({ type: AdminSearchAnalyticsResponse })
  report(@Query() query: AnalyticsQuery): Promise<AdminSearchAnalyticsResponse> {
    return this.analytics.ofEverybody(query.days);
  }
}
