import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { RateLimit, RequireFeature, RequireScope } from '../../infrastructure/http/route-access.js';
import { SuggestionsQuery } from './dto/search.queries.js';
import { SearchRequest } from './dto/search.request.js';
import { SearchResponse, SuggestionsResponse } from './dto/search.response.js';
import { SearchService } from './search.service.js';
import { SuggestionsService } from './suggestions.service.js';

@ApiTags('search')
@Controller('v1')
export class SearchController {
  constructor(
    @Inject(SearchService) private readonly searches: SearchService,
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
