import { Body, Controller, Delete, Get, HttpCode, Inject, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { RateLimit, RequireFeature, RequireScope } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import {
  CreateSavedSearchRequest,
  RunSavedSearchRequest,
  SavedSearchListResponse,
  SavedSearchResponse,
  SavedSearchRunResponse,
  UpdateSavedSearchRequest,
} from './dto/saved-searches.dto.js';
import { SavedSearchesService } from './saved-searches.service.js';

@ApiTags('search')
@RequireScope('search')
@Controller('v1/saved-searches')
export class SavedSearchesController {
  constructor(@Inject(SavedSearchesService) private readonly savedSearches: SavedSearchesService) {}

  @Post()
  @ApiOperation({ summary: 'Keep a search under a name' })
  @ApiCreatedResponse({ type: SavedSearchResponse })
  create(
    @CurrentPrincipal() principal: Principal,
    @Body() request: CreateSavedSearchRequest,
  ): Promise<SavedSearchResponse> {
    return this.savedSearches.create(principal.userId, request);
  }

  @Get()
  @ApiOperation({ summary: 'Your saved searches, newest first' })
  @ApiOkResponse({ type: SavedSearchListResponse })
  list(@CurrentPrincipal() principal: Principal, @Query() page: PageQuery): Promise<SavedSearchListResponse> {
    return this.savedSearches.list(principal.userId, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One saved search' })
  @ApiOkResponse({ type: SavedSearchResponse })
  get(@CurrentPrincipal() principal: Principal, @UuidParam('id') id: string): Promise<SavedSearchResponse> {
    return this.savedSearches.get(principal.userId, id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Rename a saved search, or search for something else' })
  @ApiOkResponse({ type: SavedSearchResponse })
  update(
    @CurrentPrincipal() principal: Principal,
    @UuidParam('id') id: string,
    @Body() request: UpdateSavedSearchRequest,
  ): Promise<SavedSearchResponse> {
    return this.savedSearches.update(principal.userId, id, request);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Forget a saved search' })
  @ApiNoContentResponse()
  delete(@CurrentPrincipal() principal: Principal, @UuidParam('id') id: string): Promise<void> {
    return this.savedSearches.delete(principal.userId, id);
  }

  @Post(':id/run')
  @HttpCode(200)
  @RequireFeature('basic_search')
  @RateLimit('search')
  @ApiOperation({
    summary:
      'Run a saved search and see what is new since the last run; charged and recorded like any search',
  })
  @ApiBody({ type: RunSavedSearchRequest, required: false })
  @ApiOkResponse({ type: SavedSearchRunResponse })
  run(
    @CurrentPrincipal() principal: Principal,
    @UuidParam('id') id: string,
    @Body() call: RunSavedSearchRequest,
  ): Promise<SavedSearchRunResponse> {
    return this.savedSearches.run(principal.userId, id, call);
  }
}
