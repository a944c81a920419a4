import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AiProvidersConfig, MediaFunctions } from './ai/create-ai-providers.js';
import type { OpenAiConfig } from './ai/openai/openai-config.js';
import { parsePriceTable } from './ai/pricing.js';
import type { AppConfig } from './config/config.js';
import type { MediaTools, MediaToolsOptions } from './media-tools/media-tools.js';
import { parseSubtitleFile } from './media-tools/subtitles.js';
import type { StorageOptions } from './storage/create-storage.js';

/** Each part of the infrastructure takes plain options; here they are read out of the one configuration. */

export function mediaToolsOptions(config: AppConfig): MediaToolsOptions {
  return {
    maxInputPixels: config.MAX_IMAGE_PIXELS,
    ffmpegPath: config.FFMPEG_PATH,
    ffprobePath: config.FFPROBE_PATH,
  };
}

export function storageOptions(config: AppConfig): StorageOptions {
  if (config.STORAGE_DRIVER === 'local')
    return { driver: 'local', rootDir: path.join(config.DATA_DIR, 'files') };
  return {
    driver: 's3',
    endpoint: config.S3_ENDPOINT,
    region: config.S3_REGION,
    // loadConfig refuses STORAGE_DRIVER=s3 without a bucket.
    bucket: config.S3_BUCKET ?? '',
    accessKeyId: config.S3_ACCESS_KEY_ID,
    secretAccessKey: config.S3_SECRET_ACCESS_KEY,
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
  };
}

export function aiOptions(config: AppConfig): AiProvidersConfig {
  const openai = config.AI_PROVIDER === 'openai' ? openAiOptions(config) : null;
  return {
    provider: config.AI_PROVIDER,
    tesseractPath: config.TESSERACT_PATH,
    ...(openai ? { openai } : {}),
  };
}

/** Null without a key. With one, its models can be served whatever AI_PROVIDER says. */
export function openAiOptions(config: AppConfig): OpenAiConfig | null {
  if (!config.OPENAI_API_KEY) return null;
  return {
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_BASE_URL,
    embeddingModel: config.OPENAI_EMBEDDING_MODEL,
    embeddingDimensions: config.OPENAI_EMBEDDING_DIMENSIONS,
    visionModel: config.OPENAI_VISION_MODEL,
    textModel: config.OPENAI_TEXT_MODEL,
    transcriptionModel: config.OPENAI_TRANSCRIPTION_MODEL,
    prices: parsePriceTable(config.AI_PRICES),
  };
}

/** What the AI providers need of the media tools. */
export function mediaFunctions(mediaTools: MediaTools): MediaFunctions {
  return {
    extractSubtitles: (file, trackIndex, _workDir, signal) => mediaTools.subtitles(file, trackIndex, signal),
    parseSubtitleFile: async (file) => parseSubtitleFile(await readFile(file)),
    extractAudio: (file, outPath, options) =>
      mediaTools.extractAudio(file, outPath, { format: 'mp3', ...options }),
  };
}
