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

  /** Works until nothing is due. One file that cannot be removed does not keep the others; it is due again next time. */
  async purge(): Promise<{ purged: number; failed: number }> {
    const failed = new Set<string>();
    let purged = 0;
    for (;;) {
      const rows = await this.database.runAsSystem('maintenance', (tx) =>
        this.media.purgeable(tx, BATCH + failed.size),
      );
      const due = rows.filter(({ id }) => !failed.has(id));
      if (due.length === 0) return { purged, failed: failed.size };
      for (const { userId, id } of due) {
        try {
          await this.purger.purge(userId, id);
          purged += 1;
        } catch (error) {
          failed.add(id);
          this.logger.warn(
            { mediaFileId: id, err: { message: (error as Error).message } },
            'file not purged',
          );
        }
      }
    }
  }
}
