import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { RequireScope } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import { AnalyticsQuery, SearchAnalyticsResponse } from './dto/analytics.dto.js';
import {
  ClearedHistoryResponse,
  ClickRequest,
  ClickResponse,
  SearchHistoryResponse,
} from './dto/history.dto.js';
import { SearchAnalyticsService } from './search-analytics.service.js';
import { SearchHistoryService } from './search-history.service.js';

@ApiTags('search')
@Controller('v1/searches')
export class SearchHistoryController {
  constructor(
    @Inject(SearchHistoryService) private readonly history: SearchHistoryService,
    @Inject(SearchAnalyticsService) private readonly reports: SearchAnalyticsService,
  ) {}

  @Get()
  @RequireScope('search')
  @ApiOperation({ summary: 'Your searches, newest first' })
  @ApiOkResponse({ type: SearchHistoryResponse })
  list(@CurrentPrincipal() principal: Principal, @Query() page: PageQuery): Promise<SearchHistoryResponse> {
    return this.history.list(principal.userId, page);
  }

  @Delete()
  @RequireScope('account:write')
  @ApiOperation({ summary: 'Delete your search history' })
  @ApiOkResponse({ type: ClearedHistoryResponse })
  clear(@CurrentPrincipal() principal: Principal): Promise<ClearedHistoryResponse> {
    return this.history.clear(principal.userId);
  }

  @Get('analytics')
  @RequireScope('search')
  @ApiOperation({
    summary: 'How your searches went: by day, mode and query; nothing found, clicks, response times',
  })
  @ApiOkResponse({ type: SearchAnalyticsResponse })
  analytics(
    @CurrentPrincipal() principal: Principal,
    @Query() query: AnalyticsQuery,
  ): Promise<SearchAnalyticsResponse> {
    return this.reports.ofUser(principal.userId, query.days);
  }

  @Post(':id/clicks')
  @HttpCode(200)
  @RequireScope('search')
  @ApiOperation({ summary: "Note that a file was opened from a search's results" })
  @ApiOkResponse({ type: ClickResponse })
  click(
    @CurrentPrincipal() principal: Principal,
    @UuidParam('id') id: string,
    @Body() click: ClickRequest,
  ): Promise<ClickResponse> {
    return this.history.click(principal.userId, id, click);
  }
}
