import { Inject, Injectable } from '@nestjs/common';
import type {
  AiProviders,
  Sentiment,
  TextAnalysis,
  TextAnalysisInput,
} from '../../../../infrastructure/ai/ai.types.js';
import { cleanLine, cleanLines } from '../../../../infrastructure/ai/clean-text.js';
import { CONTENT_WARNINGS, LIMITS } from '../../../../infrastructure/ai/vocabulary.js';
import { Database, type Transaction } from '../../../../infrastructure/database/database.js';
import type { MediaFile } from '../../../../infrastructure/database/generated/client.js';
import { AI_PROVIDERS } from '../../../../infrastructure/infrastructure.tokens.js';
import { UsageService } from '../../../billing/usage.service.js';
import type { JobContext, JobHandler, JobResult } from '../../../jobs/jobs.types.js';
import { aiFeaturesOf } from '../ai-features.js';
import { AnalysesRepository } from '../analyses.repository.js';
import { CategorySuggestionsRepository } from '../category-suggestions.repository.js';
import { cleanJsonObject } from '../clean-json.js';
import { KeyframesRepository } from '../keyframes.repository.js';
import { keywordLabels } from '../labels.js';
import { DetectedLabelsRepository } from '../detected-labels.repository.js';
import { factsOf } from '../media-facts.js';
import { lockJobMedia, MediaSource, updateJobMedia } from '../media-source.js';
import { languageCode } from '../media-times.js';

/** Descriptions of key frames given to the analyser: enough for the course of a video, few enough for a prompt. */
const MAX_IMAGE_SUMMARIES = 20;
const SENTIMENTS: readonly string[] = ['POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED'] satisfies Sentiment[];

/** Reads everything known of a file: final summary, keywords, category, sentiment, warnings and language. */
@Injectable()
export class TextAnalysisHandler implements JobHandler {
  readonly jobType = 'text_analysis';

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(MediaSource) private readonly source: MediaSource,
    @Inject(AI_PROVIDERS) private readonly providers: AiProviders,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(AnalysesRepository) private readonly analyses: AnalysesRepository,
    @Inject(DetectedLabelsRepository) private readonly labels: DetectedLabelsRepository,
    @Inject(KeyframesRepository) private readonly keyframes: KeyframesRepository,
    @Inject(CategorySuggestionsRepository) private readonly categories: CategorySuggestionsRepository,
  ) {}

  async handle(context: JobContext): Promise<JobResult> {
    const media = await this.source.load(context);
    const features = aiFeaturesOf(await this.usage.planLimits());
    const input = await this.database.run((tx) => this.collect(tx, context.job, media));
    await context.progress(20, 'reading all that is known');
    const { textAnalyzer } = this.providers;
    const { analysis, usage } = await context.paid(textAnalyzer.estimate(input), () =>
      textAnalyzer.analyze(input, context.signal),
    );
    const found = cleanAnalysis(analysis);
    const ownWarnings = features.contentWarnings ? found.contentWarnings : [];
    return {
      data: { keywords: found.keywords.length, category: found.category, language: found.language },
      commit: async (tx) => {
        await lockJobMedia(tx, context.job);
        const kind = media.fileType === 'video' ? 'video' : 'image';
        const ofThePicture = await this.analyses.contentWarnings(tx, context.job, kind);
        const transcript = await this.analyses.latest(tx, context.job, 'transcript');
        await this.analyses.add(tx, context.job, {
          kind: 'text',
          category: found.category,
          summary: found.summary,
          tags: found.keywords,
          rawResponse: cleanJsonObject({ ...found, contentWarnings: ownWarnings }),
          provider: this.providers.name,
          model: usage.model,
          traceId: usage.referenceId,
        });
        // A subtitle track's own statement beats a guess from its words.
        const language = declaredLanguage(transcript?.rawResponse) ?? found.language;
        await updateJobMedia(tx, context.job, {
          ...(found.summary !== null ? { aiSummary: found.summary } : {}),
          sentiment: found.sentiment,
          contentWarnings: [...new Set([...ofThePicture, ...ownWarnings])],
          ...(language !== null ? { language } : {}),
        });
        await this.labels.replaceKeywords(tx, context.job, keywordLabels(found.keywords));
        await this.categories.replace(tx, context.job, found.category);
      },
    };
  }

  private async collect(
    tx: Transaction,
    job: JobContext['job'],
    media: MediaFile,
  ): Promise<TextAnalysisInput> {
    const keyframes = media.fileType === 'video' ? await this.keyframes.all(tx, job) : [];
    const summaries =
      media.fileType === 'video'
        ? keyframes.map(({ description }) => description)
        : [await this.imageSummary(tx, job)];
    return {
      fileType: media.fileType === 'video' ? 'video' : 'image',
      title: media.title,
      labels: await this.labels.visual(tx, job),
      detectedText: media.detectedText,
      transcript: media.transcriptionText ?? '',
      imageSummaries: cleanLines(summaries, MAX_IMAGE_SUMMARIES, LIMITS.summaryCharacters),
      facts: factsOf(media),
      ...(media.durationSeconds === null ? {} : { durationSeconds: Number(media.durationSeconds) }),
    };
  }

  private async imageSummary(
    tx: Transaction,
    { userId, mediaFileId }: JobContext['job'],
  ): Promise<string | null> {
    const latest = await tx.analysis.findFirst({
      where: { userId, mediaFileId, kind: 'image' },
      orderBy: { version: 'desc' },
      select: { summary: true },
    });
    return latest?.summary ?? null;
  }
}

function cleanAnalysis(analysis: TextAnalysis) {
  const summary = cleanLine(analysis.summary, LIMITS.summaryCharacters);
  const category = cleanLine(analysis.category, 100).toLowerCase();
  return {
    summary: summary === '' ? null : summary,
    keywords: cleanLines(analysis.keywords, LIMITS.keywords, LIMITS.keywordCharacters),
    category: category === '' ? null : category,
    sentiment: SENTIMENTS.includes(analysis.sentiment) ? analysis.sentiment : null,
    contentWarnings: cleanLines(analysis.contentWarnings, CONTENT_WARNINGS.length, 60),
    language: languageCode(analysis.language),
  };
}

function declaredLanguage(rawResponse: unknown): string | null {
  const value =
    typeof rawResponse === 'object' && rawResponse !== null
      ? (rawResponse as { language?: unknown }).language
      : null;
  return typeof value === 'string' ? languageCode(value) : null;
}
