import type { TranscriptCue } from '../media-tools/media-tools.types.js';

/** All models are stored with this many dimensions; shorter vectors are padded with zeros (design: vector search). */
export const STORED_DIMENSIONS = 1536;

/** An embedding model as it is registered in `embedding_models`. */
export interface EmbeddingModel {
  provider: string;
  name: string;
  version: string;
  /** The model's own number of dimensions, before padding. 1..1536. */
  dimensions: number;
}

/**
 * What one provider call used and what it costs. `amount` is a decimal string in `currency`, so that no
 * binary rounding happens between the price list and NUMERIC(20,10).
 */
export interface PricedUsage {
  /** A row of `cost_services`, e.g. `openai_embeddings`, `local_analysis`. */
  service: string;
  /** What was done, e.g. `embed_text`, `analyze_image`, `transcribe`. */
  operation: string;
  model: string;
  billingUnit: 'per_token' | 'per_request' | 'per_second';
  units: number;
  amount: string;
  currency: string;
  /** The provider's own request id, when it gives one. */
  referenceId?: string;
  /** True when the provider gave no believable usage, so that the estimate is charged instead. */
  estimated?: boolean;
}

export interface TextEmbedder {
  readonly model: EmbeddingModel;
  /** Worst-case price of embedding these texts, known before the call is made. */
  estimate(texts: string[]): PricedUsage;
  /**
   * Embeds texts. Each vector is L2-normalised, finite, and has `model.dimensions` elements, same order as `texts`.
   * @throws ProviderError
   */
  embed(texts: string[], signal?: AbortSignal): Promise<{ vectors: Float32Array[]; usage: PricedUsage }>;
}

export interface DetectedLabel {
  /** Lower case words, e.g. `dog`, `blue`, `landscape orientation`. */
  name: string;
  /** 0..1 */
  confidence: number;
  /** `color`, `light`, `composition`, `camera`, `object`, `scene`, ... */
  kind: string;
}

export type Sentiment = 'POSITIVE' | 'NEGATIVE' | 'NEUTRAL' | 'MIXED';

export interface ImageAnalysis {
  labels: DetectedLabel[];
  /** Lines of text found in the picture, top to bottom. */
  text: string[];
  /** One or two sentences, or null when the provider has nothing honest to say. */
  summary: string | null;
  facesCount: number;
  contentWarnings: string[];
  /** Dominant colours, largest share first; `share` 0..1. */
  colors: { name: string; hex: string; share: number }[];
  /** 64-bit perceptual hash (dHash) as 16 hex digits. */
  perceptualHash: string;
  /** Anything else worth keeping in the analysis' raw response; JSON values only. */
  raw: Record<string, unknown>;
}

export interface ImageAnalyzer {
  readonly modelName: string;
  estimate(): PricedUsage;
  /**
   * Looks at one upright JPEG, PNG or WebP on local disk.
   * @throws ProviderError
   */
  analyze(
    input: { path: string; language?: string },
    signal?: AbortSignal,
  ): Promise<{ analysis: ImageAnalysis; usage: PricedUsage }>;
}

export interface Transcript {
  /** ISO 639 code, or null when unknown. */
  language: string | null;
  cues: TranscriptCue[];
  /** Where it came from: `subtitle-track`, `sidecar`, `speech`. */
  source: 'subtitle-track' | 'sidecar' | 'speech';
}

export interface Transcriber {
  readonly modelName: string;
  estimate(input: { durationSeconds: number }): PricedUsage;
  /** Gives null when the video holds nothing that this provider can turn into words. @throws ProviderError */
  transcribe(
    input: {
      path: string;
      workDir: string;
      durationSeconds: number;
      hasAudio: boolean;
      subtitleTracks: { index: number; codec: string; language: string | null }[];
      /** A .srt or .vtt file the user uploaded beside the video, if any. */
      sidecarPath?: string;
    },
    signal?: AbortSignal,
  ): Promise<{ transcript: Transcript | null; usage: PricedUsage }>;
}

/** Everything known of one file so far, handed to the text analyser. */
export interface TextAnalysisInput {
  fileType: 'image' | 'video';
  title: string;
  labels: DetectedLabel[];
  detectedText: string[];
  transcript: string;
  imageSummaries: string[];
  /** e.g. `Canon EOS 40D`, `taken 2008-05-30`; short facts from EXIF and the container. */
  facts: string[];
  durationSeconds?: number;
}

export interface TextAnalysis {
  summary: string;
  keywords: string[];
  /** A category name such as `document`, `nature`, or null. */
  category: string | null;
  sentiment: Sentiment;
  contentWarnings: string[];
  language: string | null;
}

export interface TextAnalyzer {
  readonly modelName: string;
  estimate(input: TextAnalysisInput): PricedUsage;
  /** @throws ProviderError */
  analyze(
    input: TextAnalysisInput,
    signal?: AbortSignal,
  ): Promise<{ analysis: TextAnalysis; usage: PricedUsage }>;
}

/** The set of providers that the product runs on; injected under the token AI_PROVIDERS. */
export interface AiProviders {
  readonly name: 'local' | 'openai';
  textEmbedder: TextEmbedder;
  imageAnalyzer: ImageAnalyzer;
  transcriber: Transcriber;
  textAnalyzer: TextAnalyzer;
}

/** The codes that the providers of this folder use. */
export type ProviderErrorCode =
  /** Empty text, unreadable picture, broken subtitle file: another attempt gives the same. */
  | 'provider-bad-input'
  /** 401. */
  | 'provider-unauthorized'
  /** 403. */
  | 'provider-forbidden'
  /** 404: wrong model name or base URL. */
  | 'provider-not-found'
  /** 400, 413, 422: the provider does not take such a request. */
  | 'provider-bad-request'
  /** 429 for a while. */
  | 'provider-rate-limited'
  /** 429 because the provider's account is out of credit. */
  | 'provider-quota-exhausted'
  /** 5xx, refused or broken connection. */
  | 'provider-unavailable'
  | 'provider-timeout'
  /** The caller's signal fired. */
  | 'provider-cancelled'
  /** Not JSON, wrong schema, cut short, wrong vector. */
  | 'provider-bad-answer'
  /** The model or its content filter declined. */
  | 'provider-refused';

/** A provider call failed. `retryable` tells the job machine whether another attempt makes sense. */
export class ProviderError extends Error {
  override name = 'ProviderError';
  constructor(
    /** One of ProviderErrorCode's stable words; a plain string here so that callers may add their own. */
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    /** What the operator or user can do, one sentence. */
    readonly hint: string,
    options?: ErrorOptions & { retryAfterSeconds?: number; usage?: PricedUsage },
  ) {
    super(message, options);
    this.retryAfterSeconds = options?.retryAfterSeconds;
    this.usage = options?.usage;
  }
  readonly retryAfterSeconds?: number;
  /**
   * What the failed call costs all the same: an answer that could not be used was still paid for, and after a
   * time-out nobody knows, so the estimate is charged. Absent when the provider bills nothing for such a failure.
   */
  readonly usage?: PricedUsage;
}
