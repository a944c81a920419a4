import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { EmbeddingModelsModule } from '../media/embedding-models/embedding-models.module.js';
import { HealthService } from './health.service.js';
import { OperationsController } from './operations.controller.js';

/** Health and figures for whoever runs the product. */
@Module({
  imports: [EmbeddingModelsModule, JobsModule],
  controllers: [OperationsController],
  providers: [HealthService],
})
export class OperationsModule {}
