import { Inject, Injectable } from '@nestjs/common';
import { MediaTools } from '../../../../infrastructure/media-tools/media-tools.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { probeColumns } from '../media-facts.js';
import { lockJobMedia, MediaSource, updateJobMedia } from '../media-source.js';

/** Looks at the stored original again and writes its dimensions, duration, sound, EXIF and date. */
@Injectable()
export class MediaProbeHandler implements JobHandler {
  readonly jobType = 'media_probe';

  constructor(
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(MediaTools) private readonly mediaTools: MediaTools,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const { path } = await this.source.open(context);
    await context.progress(20, 'reading the file');
    // The plan's limits were checked at upload; a smaller plan since then does not make the file unreadable.
    const { probe } = await this.mediaTools.inspect(path, { maxVideoDurationSeconds: null }, context.signal);
    const columns = probeColumns(probe);
    return {
      data: { width: columns.width, height: columns.height, durationSeconds: columns.durationSeconds },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await updateJobMedia(tx, context.job, columns);
      },
    };
  }
}
