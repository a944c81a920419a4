import { Controller, Get, Headers, HttpCode, Inject, Post, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { CurrentPrincipal, type Principal } from '../../infrastructure/http/principal.js';
import { RequireScope } from '../../infrastructure/http/route-access.js';
import { UuidParam } from '../../infrastructure/http/uuid-param.js';
import { JobListQuery, JobPage, JobResponse } from './dto/job.dto.js';
import { JobEventsService } from './job-events.service.js';
import { JobsService } from './jobs.service.js';

const ID = { name: 'id', format: 'uuid' };

@ApiTags('jobs')
@Controller('v1')
export class JobsController {
  constructor(
    @Inject(JobsService) private readonly jobs: JobsService,
    @Inject(JobEventsService) private readonly events: JobEventsService,
  ) {}

  @Get('jobs')
  @RequireScope('jobs:read')
  @ApiOperation({ summary: 'Your jobs, newest first' })
  @ApiOkResponse({ type: JobPage })
  list(@Query() query: JobListQuery): Promise<JobPage> {
    return this.jobs.list(query);
  }

  @Get('jobs/:id')
  @RequireScope('jobs:read')
  @ApiOperation({ summary: 'One job' })
  @ApiParam(ID)
  @ApiOkResponse({ type: JobResponse })
  @ApiNotFoundResponse({ description: 'There is no such job' })
  get(@UuidParam('id') id: string): Promise<JobResponse> {
    return this.jobs.get(id);
  }

  @Post('jobs/:id/retry')
  @RequireScope('jobs:write')
  @ApiOperation({
    summary: 'Repeat a failed or cancelled job in a new one, and after it what was built on its result',
  })
  @ApiParam(ID)
  @ApiCreatedResponse({ type: JobResponse, description: 'The new job; `retryOf` names the old one' })
  @ApiNotFoundResponse({ description: 'There is no such job' })
  @ApiConflictResponse({
    description: 'The job has not failed, was repeated already, or its file is in the trash',
  })
  retry(@UuidParam('id') id: string): Promise<JobResponse> {
    return this.jobs.retry(id);
  }

  @Post('jobs/:id/cancel')
  @HttpCode(200)
  @RequireScope('jobs:write')
  @ApiOperation({ summary: 'Cancel a job; one that runs stops within seconds' })
  @ApiParam(ID)
  @ApiOkResponse({ type: JobResponse })
  @ApiNotFoundResponse({ description: 'There is no such job' })
  @ApiConflictResponse({ description: 'The job has completed or failed already' })
  cancel(@UuidParam('id') id: string): Promise<JobResponse> {
    return this.jobs.cancel(id);
  }

  @Get('events')
  @RequireScope('jobs:read')
  @ApiOperation({
    summary: 'Changes of your jobs as server-sent events',
    description:
      'Each event `job` holds the whole job. A new stream begins with the jobs that have not ended. With ' +
      '`Last-Event-ID` it goes on where the last one ended; the last seconds may be told twice.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The id of the last event received' })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' }, description: 'An endless stream of events' })
  stream(
    @CurrentPrincipal() principal: Principal,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    return this.events.stream(principal.userId, lastEventId, response);
  }
}
