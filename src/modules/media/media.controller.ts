import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RateLimit, RequireFeature, RequireScope } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import { ViewResponse } from './dto/insights.response.js';
import { DeleteMediaQuery, MediaListQuery, UpdateMediaRequest, UploadForm } from './dto/media.requests.js';
import { MediaDetailResponse, MediaListResponse } from './dto/media.response.js';
import { MediaService } from './media.service.js';
import { UploadService } from './upload/upload.service.js';

@ApiTags('media')
@Controller('v1/media')
export class MediaController {
  constructor(
    private readonly media: MediaService,
    private readonly uploads: UploadService,
  ) {}

  @Post()
  @RequireScope('media:write')
  @RateLimit('upload')
  @RequireFeature('basic_upload')
  @ApiOperation({
    summary: 'Upload one image or video; the same bytes again give the file that is there already (200)',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: UploadForm })
  @ApiCreatedResponse({ type: MediaDetailResponse, headers: { Location: { schema: { type: 'string' } } } })
  @ApiOkResponse({
    type: MediaDetailResponse,
    description: 'You have this file already; nothing was stored or charged',
  })
  async upload(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MediaDetailResponse> {
    const { media, created } = await this.uploads.uploadForm(request, response);
    response.status(created ? 201 : 200).location(`/v1/media/${media.id}`);
    return media;
  }

  @Get()
  @RequireScope('media:read')
  @ApiOperation({ summary: 'Your files, filtered and sorted; or your trash' })
  @ApiOkResponse({ type: MediaListResponse })
  list(@Query() query: MediaListQuery): Promise<MediaListResponse> {
    return this.media.list(query);
  }

  @Get(':id')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'One file with everything that is known of it' })
  @ApiOkResponse({ type: MediaDetailResponse })
  get(@UuidParam('id') id: string): Promise<MediaDetailResponse> {
    return this.media.get(id);
  }

  @Patch(':id')
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Change title, tags, categories, own metadata or privacy' })
  @ApiOkResponse({ type: MediaDetailResponse })
  update(@UuidParam('id') id: string, @Body() request: UpdateMediaRequest): Promise<MediaDetailResponse> {
    return this.media.update(id, request);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScope('media:write')
  @ApiOperation({
    summary: 'Move a file to the trash for 30 days; with permanent=true remove a file of the trash for good',
  })
  @ApiNoContentResponse()
  remove(@UuidParam('id') id: string, @Query() query: DeleteMediaQuery): Promise<void> {
    return query.permanent ? this.media.deletePermanently(id) : this.media.moveToTrash(id);
  }

  @Post(':id/restore')
  @HttpCode(200)
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Bring a file back from the trash' })
  @ApiOkResponse({ type: MediaDetailResponse })
  restore(@UuidParam('id') id: string): Promise<MediaDetailResponse> {
    return this.media.restore(id);
  }

  @Post(':id/reanalyze')
  @HttpCode(200)
  @RequireScope('media:write')
  @ApiOperation({ summary: 'Analyse a file again' })
  @ApiOkResponse({ type: MediaDetailResponse })
  reanalyze(@UuidParam('id') id: string): Promise<MediaDetailResponse> {
    return this.media.reanalyze(id);
  }

  @Post(':id/view')
  @HttpCode(200)
  @RequireScope('media:read')
  @ApiOperation({ summary: 'Count one look at a file' })
  @ApiOkResponse({ type: ViewResponse })
  view(@UuidParam('id') id: string): Promise<ViewResponse> {
    return this.media.countView(id);
  }
}
