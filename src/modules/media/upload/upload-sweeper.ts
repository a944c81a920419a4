import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../../../infrastructure/database/database.js';
import { LOGGER, OBJECT_STORAGE } from '../../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../../infrastructure/observability/logger.js';
import type { ObjectStorage } from '../../../infrastructure/storage/object-storage.js';
import { StagingArea } from './staging-area.js';
import { subtitlesKeyOf } from './subtitles-key.js';

/** Reservations per run; the rest waits for the next. */
const BATCH = 1000;

export interface SweepResult {
  stagedFiles: number;
  /** Objects of uploads that never became a file. */
  objects: number;
}

/** Removes what uploads of a crashed process left behind (threat B8). Part of the maintenance. */
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
   * Staging files older than a day, and the objects that expired reservations name and no file refers to. A swept
   * reservation loses its storage key; giving its slot back is the billing module's part, and comes after this one.
   * @throws StorageUnavailableError: the reservation keeps its key, the next run goes on
   */
  async sweep(): Promise<SweepResult> {
    const stagedFiles = await this.staging.removeStale();
    const expired = await this.database.runAsSystem('maintenance', (tx) =>
      tx.uploadReservation.findMany({
        where: { expiresAt: { lt: new Date() }, storageKey: { not: null } },
        orderBy: { expiresAt: 'asc' },
        take: BATCH,
      }),
    );
    let objects = 0;
    for (const { userId, id, storageKey } of expired) {
      if (!storageKey) continue;
      const owner = await this.database.runAsSystem('maintenance', (tx) =>
        tx.mediaFile.findFirst({
          where: { userId, s3Bucket: this.storage.bucket, s3Key: storageKey },
          select: { id: true },
        }),
      );
      if (!owner && (await this.storage.head(storageKey))) {
        await this.storage.delete(storageKey);
        objects += 1;
      }
      if (!owner) await this.storage.delete(subtitlesKeyOf(storageKey));
      await this.database.runAsSystem('maintenance', (tx) =>
        tx.uploadReservation.updateMany({ where: { userId, id }, data: { storageKey: null } }),
      );
    }
    if (objects > 0) this.logger.info({ objects }, 'objects of crashed uploads removed');
    return { stagedFiles, objects };
  }
}
