import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { Histogram } from 'prom-client';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { Database } from '../../infrastructure/database/database.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { APP_CONFIG, LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import { Metrics } from '../../infrastructure/observability/metrics.js';
import { Ranker, type QueryVector, type RankInput } from './ranker.js';
import { sampleRecall } from './recall.js';
import { SEARCH_SETTINGS } from './sql/search.sql.js';

/**
 * Compares a sample of the approximate searches with exact ones and reports their recall@20, so that an operator sees
 * when a library or a model loses files. After the answer, one at a time, under the user's own policies; no query and no
 * id goes into the metric.
 */
@Injectable()
export class RecallMonitor {
  private readonly recall: Histogram;
  private isBusy = false;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Ranker) private readonly ranker: Ranker,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SEARCH_RECALL_SAMPLES_PER_THOUSAND'>,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.recall = new Histogram({
      name: 'search_recall_at_20',
      help: 'Share of the 20 nearest files that approximate searches found, of a sample compared with exact ones',
      buckets: [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1],
      registers: [metrics.registry],
    });
  }

  /** Returns at once and never throws. @param input a search that was not exact */
  offer(input: RankInput & { vector: QueryVector }): void {
    const share = this.config.SEARCH_RECALL_SAMPLES_PER_THOUSAND / 1000;
    if (this.isBusy || Math.random() >= share) return;
    this.isBusy = true;
    void this.measure(input).finally(() => (this.isBusy = false));
  }

  private async measure(input: RankInput & { vector: QueryVector }): Promise<void> {
    try {
      const { plan, recall } = await this.database.runAs(
        { kind: 'user', userId: input.userId },
        (tx) => sampleRecall(this.ranker, tx, { ...input, mode: 'semantic', terms: '', wanted: undefined }),
        { settings: SEARCH_SETTINGS },
      );
      // A library that shrank meanwhile is compared as a whole: nothing can be lost, and a 1 would flatter the figure.
      if (plan === 'ann') this.recall.observe(recall);
    } catch (error) {
      this.logger.debug({ sqlState: sqlStateOf(error) }, 'recall of a search could not be measured');
    }
  }
}
