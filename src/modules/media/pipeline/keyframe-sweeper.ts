import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../../infrastructure/database/database.js';
import { OBJECT_STORAGE } from '../../../infrastructure/infrastructure.tokens.js';
import { keyframesPrefix } from '../../../infrastructure/storage/storage-keys.js';
import type { ObjectStorage } from '../../../infrastructure/storage/object-storage.js';
import type { JobContext } from '../../jobs/jobs.types.js';

/**
 * Deletes key frame pictures that no row names: those of an earlier run, and those that a run stored before it failed
 * or its worker died. Each run stores under names of its own, so rows never point to a picture that was replaced.
 */
@Injectable()
export class KeyframeSweeper {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  /**
   * @returns number of objects deleted; 0 while a video analysis of the file is under way
   * @throws StorageUnavailableError
   */
  async sweep({ userId, mediaFileId }: JobContext['job']): Promise<number> {
    // Listed first: what a run stores from now on is not in the list, and what it stored before it shows as a running
    // job, or as rows, in the question that follows.
    const stored: string[] = [];
    for await (const { key } of this.storage.list(keyframesPrefix(userId, mediaFileId))) stored.push(key);
    if (stored.length === 0) return 0;
    const orphans = await this.database.run(async (tx) => {
      const running = await tx.processingJob.count({
        where: {
          userId,
          mediaFileId,
          jobType: 'video_analysis',
          status: { in: ['pending', 'retrying', 'processing'] },
        },
      });
      if (running > 0) return [];
      const rows = await tx.keyframe.findMany({
        where: { userId, mediaFileId },
        select: { storageKey: true },
      });
      const named = new Set(rows.map(({ storageKey }) => storageKey));
      return stored.filter((key) => !named.has(key));
    });
    for (const key of orphans) await this.storage.delete(key);
    return orphans.length;
  }
}
