import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { ActiveEmbeddingModelReader } from './active-embedding-model.reader.js';
import { EmbeddingModelsController } from './embedding-models.controller.js';
import { EmbeddingModelsRepository } from './embedding-models.repository.js';
import { EmbeddingModelsService } from './embedding-models.service.js';
import { ReindexFeeder } from './reindex-feeder.js';
import { ReindexService } from './reindex.service.js';

/** The registry of embedding models, and the change from one to another. */
@Module({
  imports: [AuditModule, JobsModule],
  controllers: [EmbeddingModelsController],
  providers: [
    ActiveEmbeddingModelReader,
    EmbeddingModelsRepository,
    EmbeddingModelsService,
    ReindexFeeder,
    ReindexService,
  ],
  exports: [ActiveEmbeddingModelReader, EmbeddingModelsRepository, ReindexService],
})
export class EmbeddingModelsModule {}
