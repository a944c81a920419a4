import { Module } from '@nestjs/common';
import { BillingModule } from '../billing/billing.module.js';
import { MediaModule } from '../media/media.module.js';
import { SearchModule } from '../search/search.module.js';
import { MaintenanceService } from './maintenance.service.js';

/** Housekeeping that runs beside the product. */
@Module({
  imports: [BillingModule, MediaModule, SearchModule],
  providers: [MaintenanceService],
  exports: [MaintenanceService],
})
export class MaintenanceModule {}
