import { Inject, Injectable } from '@nestjs/common';
import { OBJECT_STORAGE } from '../../../../infrastructure/infrastructure.tokens.js';
import { MediaTools } from '../../../../infrastructure/media-tools/media-tools.js';
import type { ObjectStorage } from '../../../../infrastructure/storage/object-storage.js';
import { thumbnailKey } from '../../../../infrastructure/storage/storage-keys.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { lockJobMedia, MediaSource } from '../media-source.js';
import { setThumbnail } from '../sql/projection.sql.js';

/** Makes the small WebP picture for lists. */
@Injectable()
export class ThumbnailHandler implements JobHandler {
  readonly jobType = 'thumbnail';

  constructor(
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(MediaTools) private readonly mediaTools: MediaTools,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const open = await this.source.open(context);
    await context.progress(20, 'making the thumbnail');
    const inspected = await this.source.inspection(open, context.signal);
    const thumbnail = await this.mediaTools.thumbnail(open.path, inspected, context.signal);
    const key = thumbnailKey(context.job.userId, context.job.mediaFileId);
    // The same name each time: another run of the same picture gives the same thumbnail.
    const { sizeBytes } = await this.storage.putBuffer(key, thumbnail.data, 'image/webp');
    return {
      data: { width: thumbnail.width, height: thumbnail.height, sizeBytes },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await tx.$executeRaw(setThumbnail(context.job, { key, sizeBytes }));
      },
    };
  }
}
