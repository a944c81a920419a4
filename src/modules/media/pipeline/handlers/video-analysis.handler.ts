import path from 'node:path';
import { mkdir, stat } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import {
  ProviderError,
  type AiProviders,
  type ImageAnalysis,
} from '../../../../infrastructure/ai/ai.types.js';
import { cleanLines, truncate } from '../../../../infrastructure/ai/clean-text.js';
import { LIMITS } from '../../../../infrastructure/ai/vocabulary.js';
import { AI_PROVIDERS, OBJECT_STORAGE } from '../../../../infrastructure/infrastructure.tokens.js';
import { MediaTools } from '../../../../infrastructure/media-tools/media-tools.js';
import type { ExtractedKeyframe } from '../../../../infrastructure/media-tools/media-tools.types.js';
import type { ObjectStorage } from '../../../../infrastructure/storage/object-storage.js';
import { keyframeKey } from '../../../../infrastructure/storage/storage-keys.js';
import { UsageService } from '../../../billing/usage.service.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { aiFeaturesOf } from '../ai-features.js';
import { AnalysesRepository } from '../analyses.repository.js';
import { cleanJsonObject } from '../clean-json.js';
import { mapConcurrently } from '../concurrency.js';
import { DetectedLabelsRepository } from '../detected-labels.repository.js';
import { KeyframesRepository, type NewKeyframe } from '../keyframes.repository.js';
import { mergeFrameColors, mergeFrameLabels, mergeTextLines } from '../labels.js';
import { lockJobMedia, MediaSource, updateJobMedia } from '../media-source.js';
import { keyframeRanges, roundSeconds } from '../media-times.js';
import { projectVisualSummary } from '../sql/projection.sql.js';
import { withinPlan } from './image-analysis.handler.js';

/** Most key frames of one video, and so most provider calls. */
const MAX_KEYFRAMES = 40;
/** Frames analysed at a time: keeps a remote provider busy without running into its rate limit. */
const CONCURRENT_FRAMES = 2;
/** Descriptions that make up the summary until the text analysis writes a better one. */
const SUMMARY_SENTENCES = 3;
/** What a provider says of one picture and not of the account or the connection: the other frames may still do. */
const FRAME_FAULTS = ['provider-refused', 'provider-bad-input', 'provider-bad-answer'];

/** A key frame, what was seen in it, and how much of the video it stands for. */
interface AnalysedFrame {
  frame: ExtractedKeyframe;
  share: number;
  /** Null when the provider would not look at this frame. */
  analysis: ImageAnalysis | null;
}

/** Takes key frames of a video, stores and looks at each, and merges what was seen. */
@Injectable()
export class VideoAnalysisHandler implements JobHandler {
  readonly jobType = 'video_analysis';

  constructor(
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(MediaTools) private readonly mediaTools: MediaTools,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(AnalysesRepository) private readonly analyses: AnalysesRepository,
    @Inject(DetectedLabelsRepository) private readonly labels: DetectedLabelsRepository,
    @Inject(KeyframesRepository) private readonly keyframes: KeyframesRepository,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const open = await this.source.open(context);
    const { probe } = await this.source.inspection(open, context.signal);
    if (probe.fileType !== 'video') throw new TypeError('video_analysis was asked for a picture');
    const features = aiFeaturesOf(await this.usage.planLimits());
    await context.progress(5, 'taking key frames');
    const outDir = path.join(context.workDir, 'keyframes');
    await mkdir(outDir, { recursive: true });
    const extracted = await this.mediaTools.keyframes(open.path, probe, outDir, {
      max: MAX_KEYFRAMES,
      signal: context.signal,
    });
    const frames = await this.analyseFrames(
      context,
      distinctTimes(extracted),
      probe.durationSeconds,
      open.media.language,
    );
    const seen = frames.flatMap(({ analysis, share }) => (analysis ? [{ analysis, share }] : []));
    const found = mergeFrames(
      seen.map(({ analysis, share }) => ({ share, found: withinPlan(analysis, features) })),
    );
    const labels = mergeFrameLabels(seen);
    const colors = mergeFrameColors(seen);
    await context.progress(85, 'storing key frames');
    const stored = await this.storeFrames(context, frames);
    return {
      data: {
        keyframes: stored.length,
        refusedKeyframes: frames.length - seen.length,
        labels: labels.length,
      },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await this.keyframes.replace(tx, context.job, stored);
        await this.analyses.add(tx, context.job, {
          kind: 'video',
          summary: found.summary,
          labels,
          detectedText: found.text,
          rawResponse: cleanJsonObject({
            facesCount: found.facesCount,
            contentWarnings: found.contentWarnings,
            colors,
            perceptualHash: found.perceptualHash,
            frames: frames.map(({ frame, share, analysis }) => ({
              timestampSeconds: roundSeconds(frame.timestampSeconds),
              share: Math.round(share * 10_000) / 10_000,
              provider: analysis?.raw ?? null,
            })),
          }),
          provider: this.providers.name,
          model: this.providers.imageAnalyzer.modelName,
        });
        const ofTheText = await this.analyses.contentWarnings(tx, context.job, 'text');
        await updateJobMedia(tx, context.job, {
          detectedText: found.text,
          detectedFacesCount: found.facesCount,
          contentWarnings: [...new Set([...found.contentWarnings, ...ofTheText])],
          dominantColors: colors.map((color) => ({ ...color })),
          perceptualHash: found.perceptualHash,
        });
        await this.labels.replaceVisual(tx, context.job, labels);
        await tx.$executeRaw(projectVisualSummary(context.job, found.summary));
      },
    };
  }

  private async analyseFrames(
    context: JobContext,
    frames: readonly ExtractedKeyframe[],
    durationSeconds: number,
    language: string | null,
  ): Promise<AnalysedFrame[]> {
    const { imageAnalyzer } = this.providers;
    const shares = sharesOf(frames, durationSeconds);
    let done = 0;
    let lastFault: ProviderError | undefined;
    const analysed = await mapConcurrently(
      frames,
      CONCURRENT_FRAMES,
      async (frame, index): Promise<AnalysedFrame> => {
        context.signal.throwIfAborted();
        let analysis: ImageAnalysis | null = null;
        try {
          const answer = await context.paid(imageAnalyzer.estimate(), () =>
            imageAnalyzer.analyze({ path: frame.path, language: language ?? undefined }, context.signal),
          );
          analysis = answer.analysis;
        } catch (error) {
          if (!(error instanceof ProviderError) || !FRAME_FAULTS.includes(error.code)) throw error;
          lastFault = error;
        }
        done += 1;
        await context.progress(
          20 + Math.floor((60 * done) / frames.length),
          `looking at key frame ${done} of ${frames.length}`,
        );
        return { frame, share: shares[index] ?? 0, analysis };
      },
    );
    if (lastFault && analysed.every(({ analysis }) => analysis === null)) throw lastFault;
    return analysed;
  }

  /** Stores each picture under a name that no other run uses; KeyframeSweeper removes those of earlier runs. */
  private storeFrames(context: JobContext, frames: readonly AnalysedFrame[]): Promise<NewKeyframe[]> {
    return mapConcurrently(frames, CONCURRENT_FRAMES, async ({ frame, analysis }, index) => {
      context.signal.throwIfAborted();
      const { userId, mediaFileId, id, attempt } = context.job;
      const storageKey = keyframeKey(userId, mediaFileId, `${id}-${attempt}`, index);
      await this.storage.putFile(storageKey, frame.path, 'image/jpeg');
      const found = analysis ? withinPlan(analysis, { contentWarnings: false, faces: false }) : null;
      return {
        timestampSeconds: roundSeconds(frame.timestampSeconds),
        storageKey,
        width: frame.width,
        height: frame.height,
        sizeBytes: (await stat(frame.path)).size,
        description: found?.summary ?? null,
        labels: found?.labels ?? [],
        detectedText: found?.text ?? [],
        perceptualHash: found?.perceptualHash ?? null,
      };
    });
  }
}

/** One frame per millisecond, in order: the table keeps no finer times. */
function distinctTimes(frames: readonly ExtractedKeyframe[]): ExtractedKeyframe[] {
  const byTime = new Map(frames.map((frame) => [roundSeconds(frame.timestampSeconds), frame]));
  return [...byTime.entries()].sort(([a], [b]) => a - b).map(([, frame]) => frame);
}

/** Share of the video that each frame stands for; the first one also for what comes before it. Sums up to 1. */
function sharesOf(frames: readonly ExtractedKeyframe[], durationSeconds: number): number[] {
  const ranges = keyframeRanges(
    frames.map(({ timestampSeconds }) => timestampSeconds),
    durationSeconds,
  );
  const lengths = ranges.map(
    ({ startSeconds, endSeconds }, index) => endSeconds - (index === 0 ? 0 : startSeconds),
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return lengths.map((length) => length / total);
}

type Found = ReturnType<typeof withinPlan>;

/** What the frames show together. The hash is that of the frame that stands longest. */
function mergeFrames(frames: readonly { share: number; found: Found }[]) {
  const longest = frames.reduce<{ share: number; found: Found } | undefined>(
    (best, frame) => (best && best.share >= frame.share ? best : frame),
    undefined,
  );
  const sentences = cleanLines(
    frames.map(({ found }) => found.summary),
    SUMMARY_SENTENCES,
    LIMITS.summaryCharacters,
  );
  return {
    text: mergeTextLines(frames.flatMap(({ found }) => found.text)),
    summary: sentences.length === 0 ? null : truncate(sentences.join(' '), LIMITS.summaryCharacters),
    facesCount: Math.max(0, ...frames.map(({ found }) => found.facesCount)),
    contentWarnings: [...new Set(frames.flatMap(({ found }) => found.contentWarnings))],
    perceptualHash: longest?.found.perceptualHash ?? null,
  };
}
