import { Inject, Injectable } from '@nestjs/common';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { APP_CONFIG } from '../../infrastructure/infrastructure.tokens.js';
import { MAX_ANALYTICS_DAYS } from './dto/analytics.dto.js';
import { anonymizeSearches, deleteOldSearches, deleteUnusedQueryVectors } from './sql/retention.sql.js';

/** Rows per statement: far below the time limit of a statement. */
const BATCH = 5_000;

/**
 * C49: what was searched for is forgotten after SEARCH_HISTORY_DAYS; the searches themselves are counted for as long as
 * the reports reach back, and then deleted. Part of the maintenance; may run at any time and twice at once.
 */
@Injectable()
export class SearchRetentionService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SEARCH_HISTORY_DAYS'>,
  ) {}

  /** Works until nothing is due. */
  async run(): Promise<{ anonymized: number; deleted: number; vectors: number }> {
    const days = this.config.SEARCH_HISTORY_DAYS;
    // One day more than the reports: their first day may have begun a while ago.
    const countedDays = Math.max(days, MAX_ANALYTICS_DAYS + 1);
    const deleted = await this.inBatches((tx) =>
      tx.$executeRaw(deleteOldSearches({ days: countedDays, limit: BATCH })),
    );
    const anonymized = await this.inBatches((tx) =>
      tx.$executeRaw(anonymizeSearches({ days, limit: BATCH })),
    );
    const vectors = await this.database.runAsSystem('maintenance', (tx) =>
      tx.$executeRaw(deleteUnusedQueryVectors({ days })),
    );
    return { anonymized, deleted, vectors };
  }

  private async inBatches(change: (tx: Transaction) => Promise<number>): Promise<number> {
    for (let total = 0; ;) {
      const changed = await this.database.runAsSystem('maintenance', change);
      total += changed;
      if (changed < BATCH) return total;
    }
  }
}
