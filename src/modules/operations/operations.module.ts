import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { HealthService } from './health.service.js';
import { OperationsController } from './operations.controller.js';

/** Health and figures for whoever runs the product. */
@Module({ imports: [JobsModule], controllers: [OperationsController], providers: [HealthService] })
export class OperationsModule {}
