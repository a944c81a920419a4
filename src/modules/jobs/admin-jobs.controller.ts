import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../infrastructure/http/route-access.js';
import { AdminJobListQuery, AdminJobPage, QueueReport } from './dto/job.dto.js';
import { JobsService } from './jobs.service.js';

@ApiTags('admin')
@AdminOnly()
@Controller('v1/admin')
export class AdminJobsController {
  constructor(@Inject(JobsService) private readonly jobs: JobsService) {}

  @Get('jobs')
  @ApiOperation({ summary: 'Jobs of all users, newest first' })
  @ApiOkResponse({ type: AdminJobPage })
  list(@Query() query: AdminJobListQuery): Promise<AdminJobPage> {
    return this.jobs.listForAdmin(query);
  }

  @Get('queues')
  @ApiOperation({ summary: 'How many jobs wait and run, and whether the transport works' })
  @ApiOkResponse({ type: QueueReport })
  queues(): Promise<QueueReport> {
    return this.jobs.queueReport();
  }
}
