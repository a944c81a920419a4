import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AdminUsageLimitsController, BillingController } from './billing.controller.js';
import { StorageCountersService } from './storage-counters.service.js';
import { UsageLimitsService } from './usage-limits.service.js';
import { UsageService } from './usage.service.js';

/** Plans and their limits, what each user has used, what provider calls cost. */
@Module({
  imports: [AuditModule],
  controllers: [BillingController, AdminUsageLimitsController],
  providers: [UsageService, UsageLimitsService, StorageCountersService],
  exports: [UsageService, StorageCountersService],
})
export class BillingModule {}
