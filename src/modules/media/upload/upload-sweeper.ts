import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../../../infrastructure/database/database.js';
import { LOGGER, OBJECT_STORAGE } from '../../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../../infrastructure/observability/logger.js';
import type { ObjectStorage } from '../../../infrastructure/storage/object-storage.js';
import { releaseReservation } from '../../billing/usage.service.js';
import { claimExpiredReservation, type ClaimedReservation } from '../sql/reservations.sql.js';
import { StagingArea } from './staging-area.js';
import { subtitlesKeyOf } from './subtitles-key.js';

/** Reservations per run; the rest waits for the next. */
const BATCH = 1000;

export interface SweepResult {
  stagedFiles: number;
  /** Uploads that never became a file: their slot was given back. */
  reservations: number;
  /** Originals of such uploads that had been stored already. */
  objects: number;
}

/** Removes what uploads of a crashed process left behind (threats B8 and B11). Part of the maintenance. */
@Injectable()
export class UploadSweeper implements OnApplicationBootstrap {
  constructor(
    private readonly database: Database,
    private readonly staging: StagingArea,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const stagedFiles = await this.staging.removeStale();
    if (stagedFiles > 0) this.logger.info({ stagedFiles }, 'staged files of crashed uploads removed');
  }

  /**
   * Removes staging files older than a day. Ends reservations that have expired: what they had stored is removed,
   * then their slot of the plan is given back.
   * @throws StorageUnavailableError: the reservation stays, the next run goes on
   */
  async sweep(): Promise<SweepResult> {
    const result: SweepResult = {
      stagedFiles: await this.staging.removeStale(),
      reservations: 0,
      objects: 0,
    };
    const expired = await this.database.runAsSystem('maintenance', (tx) =>
      tx.uploadReservation.findMany({
        where: { expiresAt: { lt: new Date() } },
        orderBy: { expiresAt: 'asc' },
        take: BATCH,
        select: { userId: true, id: true },
      }),
    );
    for (const { userId, id } of expired) {
      const [claimed] = await this.database.runAsSystem('maintenance', (tx) =>
        tx.$queryRaw<ClaimedReservation[]>(claimExpiredReservation(userId, id)),
      );
      if (!claimed) continue;
      if (claimed.storageKey && (await this.removeOrphan(userId, claimed.storageKey))) result.objects += 1;
      const released = await this.database.runAs({ kind: 'user', userId }, (tx) =>
        releaseReservation(tx, userId, id),
      );
      if (released) result.reservations += 1;
    }
    return result;
  }

  /** Removes an object, with the subtitles beside it, unless a file refers to it. @returns whether there was one */
  private async removeOrphan(userId: string, storageKey: string): Promise<boolean> {
    const owner = await this.database.runAsSystem('maintenance', (tx) =>
      tx.mediaFile.findFirst({
        where: { userId, s3Bucket: this.storage.bucket, s3Key: storageKey },
        select: { id: true },
      }),
    );
    if (owner) return false;
    const existed = (await this.storage.head(storageKey)) !== null;
    await this.storage.delete(subtitlesKeyOf(storageKey));
    await this.storage.delete(storageKey);
    return existed;
  }
}
