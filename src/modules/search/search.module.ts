import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BillingModule } from '../billing/billing.module.js';
import { MediaModule } from '../media/media.module.js';
import { AdminSearchesController } from './admin-searches.controller.js';
import { PageReader } from './page-reader.js';
import { QueryEmbedder } from './query-embedder.js';
import { QueryVectorsService } from './query-vectors.service.js';
import { Ranker } from './ranker.js';
import { SavedSearchesController } from './saved-searches.controller.js';
import { SavedSearchesRepository } from './saved-searches.repository.js';
import { SavedSearchesService } from './saved-searches.service.js';
import { SearchAnalyticsService } from './search-analytics.service.js';
import { SearchHistoryController } from './search-history.controller.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { SearchHistoryService } from './search-history.service.js';
import { SearchRetentionService } from './search-retention.service.js';
import { SearchController } from './search.controller.js';
import { SearchRepository } from './search.repository.js';
import { SearchService } from './search.service.js';
import { SimilarService } from './similar.service.js';
import { SuggestionsService } from './suggestions.service.js';

/** Search by words and by meaning, similar files, history and reports, saved searches and suggestions. */
@Module({
  imports: [AuditModule, BillingModule, MediaModule],
  controllers: [SearchController, SearchHistoryController, SavedSearchesController, AdminSearchesController],
  providers: [
    PageReader,
    QueryEmbedder,
    QueryVectorsService,
    Ranker,
    SavedSearchesRepository,
    SavedSearchesService,
    SearchAnalyticsService,
    SearchHistoryRepository,
    SearchHistoryService,
    SearchRepository,
    SearchRetentionService,
    SearchService,
    SimilarService,
    SuggestionsService,
  ],
  exports: [SearchRetentionService],
})
export class SearchModule {}
