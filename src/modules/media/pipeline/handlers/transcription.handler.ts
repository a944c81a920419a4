import { Inject, Injectable } from '@nestjs/common';
import type { AiProviders } from '../../../../infrastructure/ai/ai.types.js';
import { truncate } from '../../../../infrastructure/ai/clean-text.js';
import { AI_PROVIDERS, OBJECT_STORAGE } from '../../../../infrastructure/infrastructure.tokens.js';
import type { TranscriptCue } from '../../../../infrastructure/media-tools/media-tools.types.js';
import {
  ObjectNotFoundError,
  type ObjectStorage,
} from '../../../../infrastructure/storage/object-storage.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { subtitlesKeyOf } from '../../upload/subtitles-key.js';
import { AnalysesRepository } from '../analyses.repository.js';
import { cleanJsonObject } from '../clean-json.js';
import { lockJobMedia, MediaSource, updateJobMedia } from '../media-source.js';
import { languageCode, normaliseCues } from '../media-times.js';
import { TranscriptsRepository } from '../transcripts.repository.js';

/** More than two hours of fast speech; the full-text search reads 300,000 characters of it. */
const MAX_TRANSCRIPT_CHARACTERS = 500_000;

/** Turns speech, subtitle tracks or a side-car file of a video into lines with times. */
@Injectable()
export class TranscriptionHandler implements JobHandler {
  readonly jobType = 'transcription';

  constructor(
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(AnalysesRepository) private readonly analyses: AnalysesRepository,
    @Inject(TranscriptsRepository) private readonly transcripts: TranscriptsRepository,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const open = await this.source.open(context);
    const { probe } = await this.source.inspection(open, context.signal);
    if (probe.fileType !== 'video') return { data: { cues: 0 } };
    await context.progress(10, 'looking for words');
    const { transcriber } = this.providers;
    const { durationSeconds, hasAudio, subtitleTracks } = probe;
    const sidecarPath = await this.sidecar(open.media.s3Key, context);
    const { transcript, usage } = await context.paid(transcriber.estimate({ durationSeconds }), () =>
      transcriber.transcribe(
        { path: open.path, workDir: context.workDir, durationSeconds, hasAudio, subtitleTracks, sidecarPath },
        context.signal,
      ),
    );
    const cues = normaliseCues(transcript?.cues ?? [], durationSeconds);
    const source = transcript?.source ?? 'speech';
    const language = languageCode(transcript?.language);
    const text = transcriptText(cues);
    return {
      data: { cues: cues.length, source: cues.length > 0 ? source : null, language },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await this.transcripts.replace(tx, context.job, cues, source);
        await updateJobMedia(tx, context.job, {
          transcriptionText: text,
          ...(cues.length > 0 && language !== null ? { language } : {}),
        });
        if (cues.length === 0) return;
        await this.analyses.add(tx, context.job, {
          kind: 'transcript',
          rawResponse: cleanJsonObject({ source, language, cues: cues.length, text }),
          provider: this.providers.name,
          model: usage.model,
          traceId: usage.referenceId,
        });
      },
    };
  }

  /** The subtitle file that was uploaded beside the video, on local disk; undefined when there is none. */
  private async sidecar(originalKey: string, context: JobContext): Promise<string | undefined> {
    const key = subtitlesKeyOf(originalKey);
    if ((await this.storage.head(key)) === null) return undefined;
    try {
      return await this.storage.localCopy(key, context.workDir);
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  }
}

/** All that is said, once: roll-up captions repeat the line before. Null when nothing is. */
export function transcriptText(cues: readonly TranscriptCue[]): string | null {
  const lines = cues.map(({ text }) => text).filter((text, index, all) => text !== all[index - 1]);
  return lines.length === 0 ? null : truncate(lines.join(' '), MAX_TRANSCRIPT_CHARACTERS);
}
