import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Database } from '../../../../infrastructure/database/database.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { scoreClips } from '../clip-scoring.js';
import { KeyframeSweeper } from '../keyframe-sweeper.js';
import { KeyframesRepository } from '../keyframes.repository.js';
import { lockJobMedia, MediaSource } from '../media-source.js';
import { TranscriptsRepository } from '../transcripts.repository.js';

/** Cuts a video into clips, scores and ranks them (002-13, 002-23), from its key frames and transcript. */
@Injectable()
export class ClipScoringHandler implements JobHandler {
  readonly jobType = 'clip_scoring';

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(KeyframesRepository) private readonly keyframes: KeyframesRepository,
    @Inject(TranscriptsRepository) private readonly transcripts: TranscriptsRepository,
    @Inject(KeyframeSweeper) private readonly sweeper: KeyframeSweeper,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const media = await this.source.load(context);
    const { userId, mediaFileId } = context.job;
    const { keyframes, cues } = await this.database.run(async (tx) => ({
      keyframes: await this.keyframes.all(tx, context.job),
      cues: (await this.transcripts.all(tx, context.job)).cues,
    }));
    await context.progress(30, 'scoring clips');
    const clips = scoreClips({ durationSeconds: Number(media.durationSeconds ?? 0), keyframes, cues });
    // Here and not in the video analysis: it runs after that job's transaction, whichever way that ended.
    const removed = await this.sweeper.sweep(context.job);
    return {
      data: { clips: clips.length, removedKeyframes: removed },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await tx.clip.deleteMany({ where: { userId, mediaFileId } });
        await tx.clip.createMany({
          data: clips.map((clip) => ({
            userId,
            id: uuidv7(),
            mediaFileId,
            startTimeSeconds: clip.startSeconds,
            endTimeSeconds: clip.endSeconds,
            score: clip.score,
            rank: clip.rank,
            features: { ...clip.features },
            description: clip.description,
            status: 'scored',
          })),
        });
      },
    };
  }
}
