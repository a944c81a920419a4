import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BillingModule } from '../billing/billing.module.js';
import { EmbeddingModelsModule } from '../media/embedding-models/embedding-models.module.js';
import { MediaModule } from '../media/media.module.js';
import { ByImagePagesService } from './by-image-pages.service.js';
import { ByImageService } from './by-image.service.js';
import { ComposedService } from './composed.service.js';
import { AdminSearchesController } from './admin-searches.controller.js';
import { ExplainService } from './explain.service.js';
import { MomentPairSearch } from './moment-pair-search.js';
import { OutcomeFinder } from './outcome-finder.js';
import { NearestFiles } from './nearest-files.js';
import { PageReader } from './page-reader.js';
import { PaidQueryCalls } from './paid-query-calls.js';
import { PlanFactsMemory } from './plan-facts-memory.js';
import { QueryEmbedder } from './query-embedder.js';
import { QueryVectorsService } from './query-vectors.service.js';
import { Ranker } from './ranker.js';
import { RecallMonitor } from './recall-monitor.js';
import { ResultFinder } from './result-finder.js';
import { SavedSearchesController } from './saved-searches.controller.js';
import { SavedSearchesRepository } from './saved-searches.repository.js';
import { SavedSearchesService } from './saved-searches.service.js';
import { SearchAnalyticsService } from './search-analytics.service.js';
import { SearchHistoryController } from './search-history.controller.js';
import { SearchHistoryRepository } from './search-history.repository.js';
import { SearchHistoryService } from './search-history.service.js';
import { SearchWordsService } from './search-words.service.js';
import { SearchRetentionService } from './search-retention.service.js';
import { SearchController } from './search.controller.js';
import { SearchRepository } from './search.repository.js';
import { SearchRequestReader } from './search-request.reader.js';
import { SearchService } from './search.service.js';
import { SearchVectors } from './search-vectors.js';
import { SimilarController } from './similar.controller.js';
import { ShownPages } from './shown-pages.js';
import { SimilarFinder } from './similar-finder.js';
import { SimilarPageReader } from './similar-page.reader.js';
import { SimilarRepository } from './similar.repository.js';
import { SimilarService } from './similar.service.js';
import { SpellingService } from './spelling.service.js';
import { SuggestionsService } from './suggestions.service.js';

/**
 * Search by words and by meaning, similar files (by file, by picture, composed), history and reports, saved searches and
 * suggestions.
 */
@Module({
  imports: [AuditModule, BillingModule, EmbeddingModelsModule, MediaModule],
  controllers: [
    SearchController,
    SearchHistoryController,
    SimilarController,
    SavedSearchesController,
    AdminSearchesController,
  ],
  providers: [
    ByImagePagesService,
    ByImageService,
    ComposedService,
    ExplainService,
    MomentPairSearch,
    OutcomeFinder,
    NearestFiles,
    PageReader,
    PaidQueryCalls,
    PlanFactsMemory,
    QueryEmbedder,
    QueryVectorsService,
    Ranker,
    RecallMonitor,
    ResultFinder,
    SavedSearchesRepository,
    SavedSearchesService,
    SearchAnalyticsService,
    SearchHistoryRepository,
    SearchHistoryService,
    SearchRepository,
    SearchRequestReader,
    SearchRetentionService,
    SearchService,
    SearchVectors,
    SearchWordsService,
    ShownPages,
    SimilarFinder,
    SimilarPageReader,
    SimilarRepository,
    SimilarService,
    SpellingService,
    SuggestionsService,
  ],
  exports: [SearchRetentionService, SearchWordsService],
})
export class SearchModule {}
