import { Controller, Get, Header, Inject, Res, UseGuards } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Public, RateLimit } from '../../infrastructure/http/route-access.js';
import { Metrics } from '../../infrastructure/observability/metrics.js';
import { LivenessResponse, ReadinessResponse } from './dto/operations.dto.js';
import { HealthService } from './health.service.js';
import { MetricsGuard } from './metrics.guard.js';

@ApiTags('operations')
@Controller()
export class OperationsController {
  constructor(
    @Inject(HealthService) private readonly health: HealthService,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  @Public()
  @RateLimit('none')
  @ApiOperation({ summary: 'The process runs' })
  @ApiOkResponse({ type: LivenessResponse })
  live(): LivenessResponse {
    return { status: 'ok' };
  }

  @Get('health/ready')
  @Public()
  @RateLimit('none')
  @ApiOperation({ summary: 'Everything that is needed answers; names the part that does not' })
  @ApiOkResponse({ type: ReadinessResponse })
  @ApiServiceUnavailableResponse({ type: ReadinessResponse })
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadinessResponse> {
    const readiness = await this.health.readiness();
    if (readiness.status === 'unavailable') response.status(503);
    return readiness;
  }

  // Public in that it asks for no account; MetricsGuard asks for the operator's token.
  @Get('metrics')
  @Public()
  @UseGuards(MetricsGuard)
  @RateLimit('none')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Figures of this process for Prometheus, which sends METRICS_TOKEN as its bearer token',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  async figures(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}
