import { Body, Controller, Get, Inject, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly, Public, RequireScope } from '../../infrastructure/http/route-access.js';
import { UsageResponse } from './dto/usage.dto.js';
import { PlanList, UsageLimitsResponse, UsageLimitsUpdate } from './dto/usage-limits.dto.js';
import { UsageLimitsService } from './usage-limits.service.js';
import { UsageService } from './usage.service.js';

@ApiTags('billing')
@Controller('v1')
export class BillingController {
  constructor(
    @Inject(UsageService) private readonly usageService: UsageService,
    @Inject(UsageLimitsService) private readonly limits: UsageLimitsService,
  ) {}

  @Get('me/usage')
  @RequireScope('account:read')
  @ApiOperation({ summary: 'What you have used of your plan, and what is left' })
  @ApiOkResponse({ type: UsageResponse })
  usage(): Promise<UsageResponse> {
    return this.usageService.usage();
  }

  @Get('billing/plans')
  @Public()
  @ApiOperation({ summary: 'The plans and their limits' })
  @ApiOkResponse({ type: PlanList })
  plans(): Promise<PlanList> {
    return this.limits.listPlans();
  }
}

@ApiTags('admin')
@Controller('v1/admin/usage-limits')
export class AdminUsageLimitsController {
  constructor(@Inject(UsageLimitsService) private readonly limits: UsageLimitsService) {}

  @Get(':tier')
  @AdminOnly()
  @ApiOperation({ summary: 'Limits of a plan' })
  @ApiOkResponse({ type: UsageLimitsResponse })
  read(@Param('tier') tier: string): Promise<UsageLimitsResponse> {
    return this.limits.read(tier);
  }

  @Put(':tier')
  @AdminOnly()
  @ApiOperation({
    summary:
      'Replace the limits of a plan; they hold from now on, hourly limits and features within a second',
  })
  @ApiOkResponse({ type: UsageLimitsResponse })
  replace(@Param('tier') tier: string, @Body() update: UsageLimitsUpdate): Promise<UsageLimitsResponse> {
    return this.limits.replace(tier, update);
  }
}
