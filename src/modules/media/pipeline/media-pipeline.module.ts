import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { BillingModule } from '../../billing/billing.module.js';
import { JobRegistry } from '../../jobs/job-registry.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import type { JobHandler } from '../../jobs/jobs.types.js';
import { EmbeddingModelsModule } from '../embedding-models/embedding-models.module.js';
import { AnalysesRepository } from './analyses.repository.js';
import { CategorySuggestionsRepository } from './category-suggestions.repository.js';
import { DetectedLabelsRepository } from './detected-labels.repository.js';
import { DocumentSource } from './document-source.js';
import { EmbeddingsRepository } from './embeddings.repository.js';
import { ClipScoringHandler } from './handlers/clip-scoring.handler.js';
import { EmbeddingGenerationHandler } from './handlers/embedding-generation.handler.js';
import { ImageAnalysisHandler } from './handlers/image-analysis.handler.js';
import { MediaProbeHandler } from './handlers/media-probe.handler.js';
import { ReindexHandler } from './handlers/reindex.handler.js';
import { TextAnalysisHandler } from './handlers/text-analysis.handler.js';
import { ThumbnailHandler } from './handlers/thumbnail.handler.js';
import { TranscriptionHandler } from './handlers/transcription.handler.js';
import { VideoAnalysisHandler } from './handlers/video-analysis.handler.js';
import { withJobFailures } from './job-failures.js';
import { KeyframeSweeper } from './keyframe-sweeper.js';
import { KeyframesRepository } from './keyframes.repository.js';
import { MediaSource } from './media-source.js';
import { TranscriptsRepository } from './transcripts.repository.js';

const HANDLERS = [
  MediaProbeHandler,
  ThumbnailHandler,
  ImageAnalysisHandler,
  VideoAnalysisHandler,
  TranscriptionHandler,
  ClipScoringHandler,
  TextAnalysisHandler,
  EmbeddingGenerationHandler,
  ReindexHandler,
];
/** Injection token of all handlers of the pipeline (JobHandler[]). */
export const PIPELINE_HANDLERS = Symbol('PIPELINE_HANDLERS');

/** The jobs that turn an uploaded file into something that can be found (design section 6). */
@Module({
  imports: [BillingModule, EmbeddingModelsModule, JobsModule],
  providers: [
    MediaSource,
    AnalysesRepository,
    CategorySuggestionsRepository,
    DetectedLabelsRepository,
    DocumentSource,
    EmbeddingsRepository,
    KeyframesRepository,
    KeyframeSweeper,
    TranscriptsRepository,
    ...HANDLERS,
    {
      provide: PIPELINE_HANDLERS,
      inject: HANDLERS,
      useFactory: (...handlers: JobHandler[]): JobHandler[] => handlers.map(withJobFailures),
    },
  ],
  exports: [PIPELINE_HANDLERS],
})
export class MediaPipelineModule implements OnModuleInit {
  constructor(
    @Inject(JobRegistry) private readonly registry: JobRegistry,
    @Inject(PIPELINE_HANDLERS) private readonly handlers: JobHandler[],
  ) {}

  onModuleInit(): void {
    for (const handler of this.handlers) this.registry.register(handler);
  }
}
