import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BillingModule } from '../billing/billing.module.js';
import { EmbeddingModelsModule } from '../media/embedding-models/embedding-models.module.js';
import { MediaModule } from '../media/media.module.js';
import { PageReader } from './page-reader.js';
import { QueryEmbedder } from './query-embedder.js';
import { Ranker } from './ranker.js';
import { SearchHistoryController } from './search-history.controller.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { SearchHistoryService } from './search-history.service.js';
import { SearchController } from './search.controller.js';
import { SearchRepository } from './search.repository.js';
import { SearchService } from './search.service.js';
import { SimilarService } from './similar.service.js';
import { SuggestionsService } from './suggestions.service.js';

/** Search by words and by meaning, similar files, history and suggestions. */
@Module({
  imports: [AuditModule, BillingModule, EmbeddingModelsModule, MediaModule],
  controllers: [SearchController, SearchHistoryController],
  providers: [
    PageReader,
    QueryEmbedder,
    Ranker,
    SearchHistoryRepository,
    SearchHistoryService,
    SearchRepository,
    SearchService,
    SimilarService,
    SuggestionsService,
  ],
})
export class SearchModule {}
