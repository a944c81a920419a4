import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BillingModule } from '../billing/billing.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { EmbeddingModelsModule } from './embedding-models/embedding-models.module.js';
import { MediaContentController } from './content/media-content.controller.js';
import { MediaContentService } from './content/media-content.service.js';
import { CategoriesController, TagsController } from './labels.controller.js';
import { LabelsRepository } from './labels.repository.js';
import { LabelsService } from './labels.service.js';
import { MediaController } from './media.controller.js';
import { MediaInsightsService } from './media-insights.service.js';
import { MediaPurger } from './media-purger.js';
import { MediaRepository } from './media.repository.js';
import { MediaService } from './media.service.js';
import { MediaSummaryReader } from './media-summary.reader.js';
import { QueryPictureService } from './query-picture/query-picture.service.js';
import { TrashPurger } from './trash-purger.js';
import { StagingArea } from './upload/staging-area.js';
import { UploadService } from './upload/upload.service.js';
import { UploadSweeper } from './upload/upload-sweeper.js';

/** Files: taking them in, showing, changing and removing them, their tags and categories. */
@Module({
  imports: [AuditModule, BillingModule, EmbeddingModelsModule, JobsModule],
  controllers: [MediaController, MediaContentController, TagsController, CategoriesController],
  providers: [
    LabelsRepository,
    LabelsService,
    MediaContentService,
    MediaInsightsService,
    MediaPurger,
    MediaRepository,
    MediaService,
    MediaSummaryReader,
    QueryPictureService,
    StagingArea,
    TrashPurger,
    UploadService,
    UploadSweeper,
  ],
  exports: [MediaSummaryReader, QueryPictureService, TrashPurger, UploadSweeper],
})
export class MediaModule {}
