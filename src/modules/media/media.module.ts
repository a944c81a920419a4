import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BillingModule } from '../billing/billing.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { MediaRepository } from './media.repository.js';
import { MediaSummaryReader } from './media-summary.reader.js';

@Module({
  imports: [AuditModule, BillingModule, JobsModule],
  providers: [MediaRepository, MediaSummaryReader],
  exports: [MediaSummaryReader],
})
export class MediaModule {}
