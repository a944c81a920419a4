import { Inject, Injectable } from '@nestjs/common';
import type { AiProviders, ImageAnalysis } from '../../../../infrastructure/ai/ai.types.js';
import { cleanLine, cleanLines } from '../../../../infrastructure/ai/clean-text.js';
import { CONTENT_WARNINGS, LIMITS } from '../../../../infrastructure/ai/vocabulary.js';
import { AI_PROVIDERS } from '../../../../infrastructure/infrastructure.tokens.js';
import { MediaTools } from '../../../../infrastructure/media-tools/media-tools.js';
import { UsageService } from '../../../billing/usage.service.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { aiFeaturesOf, type AiFeatures } from '../ai-features.js';
import { AnalysesRepository } from '../analyses.repository.js';
import { cleanJsonObject } from '../clean-json.js';
import { mergeTextLines, normaliseColors, normaliseLabels, validPerceptualHash } from '../labels.js';
import { DetectedLabelsRepository } from '../detected-labels.repository.js';
import { detectedTypeOf, lockJobMedia, MediaSource, updateJobMedia } from '../media-source.js';
import { projectVisualSummary } from '../sql/projection.sql.js';

/** Looks at a picture: labels, colours, text, faces, warnings, perceptual hash and a first summary. */
@Injectable()
export class ImageAnalysisHandler implements JobHandler {
  readonly jobType = 'image_analysis';

  constructor(
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(MediaTools) private readonly mediaTools: MediaTools,
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(AnalysesRepository) private readonly analyses: AnalysesRepository,
    @Inject(DetectedLabelsRepository) private readonly labels: DetectedLabelsRepository,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const { media, path } = await this.source.open(context);
    const features = aiFeaturesOf(await this.usage.planLimits());
    await context.progress(10, 'turning the picture upright');
    // On white instead of transparent: analysers would put it on some ground of their own.
    const { workingCopy } = await this.mediaTools.prepareImage(path, detectedTypeOf(media), context.workDir, {
      hasAlpha: false,
      signal: context.signal,
    });
    await context.progress(30, 'looking at the picture');
    const { imageAnalyzer } = this.providers;
    const { analysis, usage } = await context.paid(imageAnalyzer.estimate(), () =>
      imageAnalyzer.analyze(
        { path: workingCopy.path, language: media.language ?? undefined },
        context.signal,
      ),
    );
    const found = withinPlan(analysis, features);
    return {
      data: { labels: found.labels.length, textLines: found.text.length },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        await this.analyses.add(tx, context.job, {
          kind: 'image',
          summary: found.summary,
          labels: found.labels,
          detectedText: found.text,
          rawResponse: cleanJsonObject({
            facesCount: found.facesCount,
            contentWarnings: found.contentWarnings,
            colors: found.colors,
            perceptualHash: found.perceptualHash,
            provider: analysis.raw,
          }),
          provider: this.providers.name,
          model: usage.model,
          traceId: usage.referenceId,
        });
        const ofTheText = await this.analyses.contentWarnings(tx, context.job, 'text');
        await updateJobMedia(tx, context.job, {
          detectedText: found.text,
          detectedFacesCount: found.facesCount,
          contentWarnings: [...new Set([...found.contentWarnings, ...ofTheText])],
          dominantColors: found.colors.map((color) => ({ ...color })),
          perceptualHash: found.perceptualHash,
        });
        await this.labels.replaceVisual(tx, context.job, found.labels);
        await tx.$executeRaw(projectVisualSummary(context.job, found.summary));
      },
    };
  }
}

/** An analysis with clean, bounded values, without what the plan does not include. */
export function withinPlan(analysis: ImageAnalysis, features: AiFeatures) {
  const summary = cleanLine(analysis.summary, LIMITS.summaryCharacters);
  return {
    labels: normaliseLabels(analysis.labels),
    text: mergeTextLines(analysis.text),
    summary: summary === '' ? null : summary,
    facesCount: features.faces ? Math.max(0, Math.trunc(analysis.facesCount) || 0) : 0,
    contentWarnings: features.contentWarnings
      ? cleanLines(analysis.contentWarnings, CONTENT_WARNINGS.length, 60)
      : [],
    colors: normaliseColors(analysis.colors),
    perceptualHash: validPerceptualHash(analysis.perceptualHash),
  };
}
