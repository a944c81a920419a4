import { Controller, Get, Header, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RequireScope } from '../../../infrastructure/http/route-access.js';
import { UuidParam } from '../../../infrastructure/http/uuid-param.js';
import {
  AnalysisListResponse,
  ClipListResponse,
  KeyframeListResponse,
  TranscriptResponse,
} from '../dto/insights.response.js';
import { ClipsQuery, ContentQuery } from '../dto/media.requests.js';
import { MediaInsightsService } from '../media-insights.service.js';
import { MediaContentService } from './media-content.service.js';
import { sendFile } from './send-object.js';

const BINARY = { schema: { type: 'string' as const, format: 'binary' } };

@ApiTags('media')
@Controller('v1/media/:id')
export class MediaContentController {
  constructor(
    private readonly content: MediaContentService,
    private readonly insights: MediaInsightsService,
  ) {}

  @Get('content')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'The original file, whole or one byte range' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse(BINARY)
  @ApiResponse({ status: 206, description: 'One byte range', ...BINARY })
  @ApiResponse({ status: 304, description: 'Not changed since If-None-Match or If-Modified-Since' })
  @ApiResponse({ status: 416, description: 'The range lies outside of the file' })
  async original(
    @UuidParam('id') id: string,
    @Query() query: ContentQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await sendFile(request, response, await this.content.original(id, query.disposition));
  }

  @Get('thumbnail')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'A WebP picture of at most 512 pixels a side' })
  @ApiProduces('image/webp')
  @ApiOkResponse(BINARY)
  async thumbnail(
    @UuidParam('id') id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await sendFile(request, response, await this.content.thumbnail(id));
  }

  @Get('keyframes')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'Still pictures of a video, in the order of time' })
  @ApiOkResponse({ type: KeyframeListResponse })
  keyframes(@UuidParam('id') id: string): Promise<KeyframeListResponse> {
    return this.insights.keyframes(id);
  }

  @Get('keyframes/:keyframeId/image')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'The picture of one key frame' })
  @ApiProduces('image/jpeg', 'image/webp')
  @ApiOkResponse(BINARY)
  async keyframeImage(
    @UuidParam('id') id: string,
    @UuidParam('keyframeId') keyframeId: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await sendFile(request, response, await this.content.keyframe(id, keyframeId));
  }

  @Get('analyses')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'What the analysis found, every version, newest first' })
  @ApiOkResponse({ type: AnalysisListResponse })
  analyses(@UuidParam('id') id: string): Promise<AnalysisListResponse> {
    return this.insights.analyses(id);
  }

  @Get('clips')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'The best moments of a video, best first' })
  @ApiOkResponse({ type: ClipListResponse })
  clips(@UuidParam('id') id: string, @Query() query: ClipsQuery): Promise<ClipListResponse> {
    return this.insights.clips(id, query);
  }

  @Get('transcript')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'What is said, line by line with its seconds' })
  @ApiOkResponse({ type: TranscriptResponse })
  transcript(@UuidParam('id') id: string): Promise<TranscriptResponse> {
    return this.insights.transcript(id);
  }

  @Get('transcript.vtt')
  @Header('Content-Type', 'text/vtt; charset=utf-8')
  @RequireScope('media:read')
  @ApiOperation({ summary: 'The same as WebVTT, for a player' })
  @ApiProduces('text/vtt')
  @ApiOkResponse({ schema: { type: 'string' } })
  transcriptAsWebVtt(@UuidParam('id') id: string): Promise<string> {
    return this.insights.transcriptAsWebVtt(id);
  }
}
