import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import { RateLimit, RequireFeature, RequireScope } from '../../infrastructure/http/route-access.js';
import { SuggestionsQuery } from './dto/search.queries.js';
import { SearchRequest } from './dto/search.request.js';
import { SearchResponse, SuggestionsResponse } from './dto/search.response.js';
import { ExplainQuery, ExplainResponse } from './dto/explain.dto.js';
import { ExplainService } from './explain.service.js';
import { SearchService } from './search.service.js';
import { SuggestionsService } from './suggestions.service.js';

@ApiTags('search')
@Controller('v1')
export class SearchController {
  constructor(
    @Inject(SearchService) private readonly searches: SearchService,
    @Inject(ExplainService) private readonly explanations: ExplainService,
    @Inject(SuggestionsService) private readonly suggestions: SuggestionsService,
  ) {}

  @Post('search')
  @HttpCode(200)
  @RequireScope('search')
  @RequireFeature('basic_search')
  @RateLimit('search')
  @ApiOperation({ summary: 'Find your files by words and by meaning, videos down to the second' })
  @ApiOkResponse({ type: SearchResponse })
  search(@CurrentPrincipal() principal: Principal, @Body() request: SearchRequest): Promise<SearchResponse> {
    return this.searches.search(principal.userId, request);
  }

  @Get('search/:searchId/explain')
  @RequireScope('search')
  @RateLimit('search')
  @ApiOperation({ summary: 'Why a file is among the hits of one of your searches, or why it is not' })
  @ApiOkResponse({ type: ExplainResponse })
  explain(
    @CurrentPrincipal() principal: Principal,
    @UuidParam('searchId') searchId: string,
    @Query() query: ExplainQuery,
  ): Promise<ExplainResponse> {
    return this.explanations.explain(principal.userId, searchId, query.mediaId.toLowerCase());
  }

  @Get('search/suggestions')
  @RequireScope('search')
  @ApiOperation({
    summary: 'Complete what is being typed, from your own searches, tags, labels and the newest 2,000 titles',
  })
  @ApiOkResponse({ type: SuggestionsResponse })
  suggest(
    @CurrentPrincipal() principal: Principal,
    @Query() query: SuggestionsQuery,
  ): Promise<SuggestionsResponse> {
    return this.suggestions.suggest(principal.userId, query);
  }
}
