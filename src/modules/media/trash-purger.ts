import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../infrastructure/observability/logger.js';
import { MediaPurger } from './media-purger.js';
import { MediaRepository } from './media.repository.js';

/** Files per round: small enough that a round never takes long, and the next follows at once. */
const BATCH = 100;

/** Removes for good what has been in the trash for longer than TRASH_DAYS (C58). Part of the maintenance. */
@Injectable()
export class TrashPurger {
  constructor(
    private readonly database: Database,
    private readonly media: MediaRepository,
    private readonly purger: MediaPurger,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Works until nothing is due. One file that cannot be removed does not keep the others. */
  async purge(): Promise<{ purged: number; failed: number }> {
    const totals = { purged: 0, failed: 0 };
    for (;;) {
      // Those that failed stay due: they are skipped, and asked for again in the next run.
      const due = await this.database.runAsSystem('maintenance', (tx) => this.media.purgeable(tx, BATCH + totals.failed));
      if (due.length <= totals.failed) return totals;
      const before = totals.purged;
      const failedBefore = totals.failed;
      totals.failed = 0;
      for (const { userId, id } of due) {
        try {
          await this.purger.purge(userId, id);
          totals.purged += 1;
        } catch (error) {
          totals.failed += 1;
          this.logger.warn({ mediaFileId: id, err: { message: (error as Error).message } }, 'file not purged');
        }
      }
      if (totals.purged === before && totals.failed === failedBefore) return totals;
    }
  }
}
