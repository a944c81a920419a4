import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { AiProviders, EmbeddingModel } from '../../../../infrastructure/ai/ai.types.js';
import { createAiProviders } from '../../../../infrastructure/ai/create-ai-providers.js';
import { TextEmbedders } from '../../../../infrastructure/ai/text-embedders.js';
import { runInScope } from '../../../../infrastructure/context/request-context.js';
import type { Database } from '../../../../infrastructure/database/database.js';
import { MediaTools } from '../../../../infrastructure/media-tools/media-tools.js';
import type { TranscriptCue } from '../../../../infrastructure/media-tools/media-tools.types.js';
import { parseSubtitles } from '../../../../infrastructure/media-tools/subtitles.js';
import { createStorage } from '../../../../infrastructure/storage/create-storage.js';
import { originalKey } from '../../../../infrastructure/storage/storage-keys.js';
import type { ObjectStorage } from '../../../../infrastructure/storage/object-storage.js';
import { UsageService } from '../../../billing/usage.service.js';
import type { JobContext, JobHandler, JobType } from '../../../jobs/jobs.types.js';
import { subtitlesKeyOf } from '../../upload/subtitles-key.js';
import { AnalysesRepository } from '../analyses.repository.js';
import { CategorySuggestionsRepository } from '../category-suggestions.repository.js';
import { DetectedLabelsRepository } from '../detected-labels.repository.js';
import { EmbeddingModelsRepository } from '../../embedding-models/embedding-models.repository.js';
import { DocumentSource } from '../document-source.js';
import { EmbeddingsRepository } from '../embeddings.repository.js';
import { ClipScoringHandler } from '../handlers/clip-scoring.handler.js';
import { EmbeddingGenerationHandler } from '../handlers/embedding-generation.handler.js';
import { ImageAnalysisHandler } from '../handlers/image-analysis.handler.js';
import { MediaProbeHandler } from '../handlers/media-probe.handler.js';
import { ReindexHandler } from '../handlers/reindex.handler.js';
import { TextAnalysisHandler } from '../handlers/text-analysis.handler.js';
import { ThumbnailHandler } from '../handlers/thumbnail.handler.js';
import { TranscriptionHandler } from '../handlers/transcription.handler.js';
import { VideoAnalysisHandler } from '../handlers/video-analysis.handler.js';
import { withJobFailures } from '../job-failures.js';
import { KeyframeSweeper } from '../keyframe-sweeper.js';
import { KeyframesRepository } from '../keyframes.repository.js';
import { MediaSource } from '../media-source.js';
import { TranscriptsRepository } from '../transcripts.repository.js';
import { activateModel } from './activate-model.js';

/** The order in which the jobs of a file run. */
export const STEPS: Record<'image' | 'video', readonly JobType[]> = {
  image: ['media_probe', 'thumbnail', 'image_analysis', 'text_analysis', 'embedding_generation'],
  video: [
    'media_probe',
    'thumbnail',
    'video_analysis',
    'transcription',
    'clip_scoring',
    'text_analysis',
    'embedding_generation',
  ],
};

/** The pipeline's handlers for tests and benchmarks: real tools and storage, and of the job machine only its contract. */
export class PipelineBench {
  readonly mediaTools = new MediaTools();
  readonly providers: AiProviders;
  readonly embedders: TextEmbedders;
  /** Jobs of re-embedding that the handlers asked for. */
  readonly reindexed: { mediaFileId: string; modelIds: readonly number[] }[] = [];

  private constructor(
    readonly database: Database,
    readonly storage: ObjectStorage,
    private readonly folder: string,
    overrides: Partial<AiProviders>,
  ) {
    const local = createAiProviders(
      { provider: 'local' },
      {
        extractSubtitles: (file, index, _workDir, signal) => this.mediaTools.subtitles(file, index, signal),
        parseSubtitleFile: async (file): Promise<TranscriptCue[]> =>
          parseSubtitles(await readFile(file, 'utf8')),
        extractAudio: (file, outPath, options) => this.mediaTools.extractAudio(file, outPath, options),
      },
    );
    this.providers = { ...local, ...overrides };
    this.embedders = new TextEmbedders(this.providers.textEmbedder, null);
  }

  /** Storage and work folders lie in a temporary folder, which `close` removes. */
  static async open(database: Database, overrides: Partial<AiProviders> = {}): Promise<PipelineBench> {
    const folder = await mkdtemp(path.join(tmpdir(), 'pipeline-'));
    const storage = createStorage({ driver: 'local', rootDir: path.join(folder, 'objects') });
    return new PipelineBench(database, storage, folder, overrides);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs `work` in the name of a user, as the job machine would. */
  as<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return runInScope(
      { requestId: uuidv7(), ipAddress: null, userAgent: null, actor: { kind: 'user', userId } },
      work,
    );
  }

  /** Makes a model the active one, as start-up does. */
  activate(model: EmbeddingModel): Promise<number> {
    return activateModel(this.database, model);
  }

  /** Stores a file and writes its row as an upload does before its jobs run. Gives the id. */
  async upload(
    userId: string,
    file: string,
    given: { title?: string; originalFilename?: string; subtitles?: string } = {},
  ): Promise<string> {
    const { detected } = await this.mediaTools.inspect(file, { maxVideoDurationSeconds: null });
    const id = uuidv7();
    const key = originalKey(userId, id, detected.extension);
    await this.storage.putFile(key, file, detected.mimeType);
    if (given.subtitles !== undefined) {
      await this.storage.putBuffer(subtitlesKeyOf(key), Buffer.from(given.subtitles), 'text/plain');
    }
    const bytes = await readFile(file);
    const originalFilename = given.originalFilename ?? path.basename(file);
    await this.as(userId, () =>
      this.database.run((tx) =>
        tx.mediaFile.create({
          data: {
            userId,
            id,
            filename: `${id}.${detected.extension}`,
            originalFilename,
            title: given.title ?? path.parse(originalFilename).name,
            fileType: detected.fileType,
            mimeType: detected.mimeType,
            fileSizeBytes: bytes.length,
            fileHash: createHash('sha256').update(bytes).digest('hex'),
            storageProvider: 'local',
            s3Bucket: this.storage.bucket,
            s3Key: key,
            status: 'queued',
          },
        }),
      ),
    );
    return id;
  }

  /** One attempt of one job, effects included. Gives its `result_data`. */
  async run(
    jobType: JobType,
    userId: string,
    mediaFileId: string,
    options: { signal?: AbortSignal; config?: Record<string, unknown> } = {},
  ) {
    const workDir = await mkdtemp(path.join(this.folder, 'work-'));
    const steps: { percentage: number; step: string }[] = [];
    const context: JobContext = {
      job: { id: uuidv7(), userId, mediaFileId, jobType, config: options.config ?? {}, attempt: 1 },
      signal: options.signal ?? new AbortController().signal,
      workDir,
      progress: async (percentage, step) => void steps.push({ percentage, step }),
      paid: (_estimate, call) => call(),
    };
    try {
      return await this.as(userId, async () => {
        const result = await this.handler(jobType).handle(context);
        if (result.commit) await this.database.run((tx) => result.commit?.(tx) as Promise<void>);
        return { data: result.data ?? {}, steps };
      });
    } finally {
      await rm(workDir, { recursive: true, force: true });
    }
  }

  /** All jobs of a file, one after the other. Gives their `result_data` by kind. */
  async runAll(fileType: 'image' | 'video', userId: string, mediaFileId: string) {
    const results: Partial<Record<JobType, Record<string, unknown>>> = {};
    for (const step of STEPS[fileType]) results[step] = (await this.run(step, userId, mediaFileId)).data;
    return results;
  }

  private handler(jobType: JobType): JobHandler {
    const { database, storage, mediaTools, providers, embedders } = this;
    const usage = new UsageService(database);
    const source = new MediaSource(database, storage, mediaTools);
    const analyses = new AnalysesRepository();
    const labels = new DetectedLabelsRepository();
    const keyframes = new KeyframesRepository();
    const transcripts = new TranscriptsRepository();
    const documents = new DocumentSource(analyses, keyframes, transcripts);
    const models = new EmbeddingModelsRepository();
    const handlers: Record<JobType, JobHandler> = {
      media_probe: new MediaProbeHandler(source, mediaTools),
      thumbnail: new ThumbnailHandler(source, mediaTools, storage),
      image_analysis: new ImageAnalysisHandler(source, mediaTools, providers, usage, analyses, labels),
      video_analysis: new VideoAnalysisHandler(
        source,
        mediaTools,
        storage,
        providers,
        usage,
        analyses,
        labels,
        keyframes,
      ),
      transcription: new TranscriptionHandler(source, storage, providers, analyses, transcripts),
      clip_scoring: new ClipScoringHandler(
        database,
        source,
        keyframes,
        transcripts,
        new KeyframeSweeper(database, storage),
      ),
      text_analysis: new TextAnalysisHandler(
        database,
        source,
        providers,
        usage,
        analyses,
        labels,
        keyframes,
        new CategorySuggestionsRepository(),
      ),
      embedding_generation: new EmbeddingGenerationHandler(
        database,
        source,
        embedders,
        documents,
        models,
        new EmbeddingsRepository(),
        {
          enqueue: async (_tx, mediaFileId, modelIds) => {
            if (modelIds.length > 0) this.reindexed.push({ mediaFileId, modelIds });
          },
        },
        { warn: () => undefined },
      ),
      reindex: new ReindexHandler(database, source, embedders, documents, models, new EmbeddingsRepository()),
    };
    return withJobFailures(handlers[jobType]);
  }
}
