import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { RateLimit, RequireFeature, RequireScope } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import { ByImagePagesService } from './by-image-pages.service.js';
import { ByImageService } from './by-image.service.js';
import { ComposedService } from './composed.service.js';
import { SimilarQuery } from './dto/search.queries.js';
import { ByImageForm, ByImagePageRequest, ComposedSimilarRequest } from './dto/similar.request.js';
import { ByImageResponse, ComposedSimilarResponse, SimilarResponse } from './dto/similar.response.js';
import { SimilarService } from './similar.service.js';

@ApiTags('search')
@Controller('v1')
export class SimilarController {
  constructor(
    @Inject(SimilarService) private readonly similarFiles: SimilarService,
    @Inject(ByImageService) private readonly picturesSearched: ByImageService,
    @Inject(ByImagePagesService) private readonly picturePages: ByImagePagesService,
    @Inject(ComposedService) private readonly compositions: ComposedService,
  ) {}

  @Get('media/:id/similar')
  @RequireScope('search')
  @RateLimit('search')
  @ApiOperation({
    summary: 'Your files that look nearly the same as this one, and those that mean nearly the same',
  })
  @ApiOkResponse({ type: SimilarResponse })
  similar(
    @CurrentPrincipal() principal: Principal,
    @UuidParam('id') id: string,
    @Query() query: SimilarQuery,
  ): Promise<SimilarResponse> {
    return this.similarFiles.similar(principal.userId, id, query);
  }

  @Post('search/by-image')
  @HttpCode(200)
  @RequireScope('search')
  @RequireFeature('basic_search')
  @RateLimit('search')
  @ApiOperation({ summary: 'Your files that are like a picture, which is not stored' })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: ByImageForm })
  @ApiOkResponse({ type: ByImageResponse })
  byImage(
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ByImageResponse> {
    return this.picturesSearched.search(principal.userId, request, response);
  }

  @Post('search/by-image/next')
  @HttpCode(200)
  @RequireScope('search')
  @RequireFeature('basic_search')
  @RateLimit('search')
  @ApiOperation({ summary: 'A further page of the files that are like a picture. Not charged again' })
  @ApiOkResponse({ type: ByImageResponse })
  byImageNext(
    @CurrentPrincipal() principal: Principal,
    @Body() request: ByImagePageRequest,
  ): Promise<ByImageResponse> {
    return this.picturePages.next(principal.userId, request);
  }

  @Post('search/similar')
  @HttpCode(200)
  @RequireScope('search')
  @RequireFeature('advanced_search')
  @RateLimit('search')
  @ApiOperation({
    summary: '"This, but at night": your files that are like some texts and files and unlike others',
  })
  @ApiOkResponse({ type: ComposedSimilarResponse })
  composed(
    @CurrentPrincipal() principal: Principal,
    @Body() request: ComposedSimilarRequest,
  ): Promise<ComposedSimilarResponse> {
    return this.compositions.search(principal.userId, request);
  }
}
