import type { ModelPrice, PriceTable } from '../pricing.js';
import { DEFAULT_PRICES, priceOf } from '../pricing.js';
import { STORED_DIMENSIONS } from '../ai.types.js';

/** How to reach an OpenAI-compatible server. Everything but the key has a default. */
export interface OpenAiConfig {
  /** Any value for a server of one's own that asks for none. */
  apiKey: string;
  /** Default `https://api.openai.com/v1`. */
  baseUrl?: string;
  /** Default `text-embedding-3-small`. */
  embeddingModel?: string;
  /** Length of the embedding model's vectors, 1 to 1536. Default 1536. */
  embeddingDimensions?: number;
  /**
   * Send the length along, so that the model shortens its vectors to it. Default: only for the `text-embedding-3`
   * family, since others refuse the parameter.
   */
  embeddingRequestsDimensions?: boolean;
  /** Looks at pictures. Default `gpt-5.4-mini`. */
  visionModel?: string;
  /** Sums up text. Default: the vision model. */
  textModel?: string;
  /** Must know the answer format `verbose_json` with segments. Default `whisper-1`. */
  transcriptionModel?: string;
  /** Passed on as `reasoning_effort`; for models that think by default, e.g. `minimal` for gpt-5-mini. */
  reasoningEffort?: string;
  /** Upper bound of what one answer may cost in output tokens. Default 2,000. */
  maxOutputTokens?: number;
  /** Longest time for one request, body included. Default 60,000. */
  timeoutMilliseconds?: number;
  /** Longest time for one piece of audio. Default 300,000. */
  transcriptionTimeoutMilliseconds?: number;
  prices?: PriceTable;
}

/** What embedding needs of the configuration, with every default filled in and the price found. */
export interface ResolvedOpenAiEmbedding {
  apiKey: string;
  baseUrl: string;
  embedding: { model: string; dimensions: number; requestsDimensions: boolean; price: ModelPrice };
  timeoutMilliseconds: number;
  currency: string;
}

/** The configuration with every default filled in and every price found. */
export interface ResolvedOpenAiConfig extends ResolvedOpenAiEmbedding {
  vision: { model: string; price: ModelPrice };
  text: { model: string; price: ModelPrice };
  transcription: { model: string; price: ModelPrice };
  reasoningEffort?: string;
  maxOutputTokens: number;
  transcriptionTimeoutMilliseconds: number;
}

/**
 * The part that embedding needs: a price that is missing for another kind of work does not matter here.
 * @throws Error that says what is wrong: an impossible length, a missing key, a model without a price
 */
export function resolveOpenAiEmbedding(config: OpenAiConfig): ResolvedOpenAiEmbedding {
  if (config.apiKey.trim() === '') throw new Error('the OpenAI provider needs an API key');
  const prices = config.prices ?? DEFAULT_PRICES;
  const embeddingModel = config.embeddingModel ?? 'text-embedding-3-small';
  const dimensions = config.embeddingDimensions ?? STORED_DIMENSIONS;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > STORED_DIMENSIONS) {
    throw new Error(`the embedding model's dimensions must be 1 to ${STORED_DIMENSIONS}, not ${dimensions}`);
  }
  return {
    apiKey: config.apiKey,
    baseUrl: config.baseUrl ?? 'https://api.openai.com/v1',
    embedding: {
      ...pricedModel(prices, embeddingModel, 'inputPerMillionTokens'),
      dimensions,
      requestsDimensions: config.embeddingRequestsDimensions ?? embeddingModel.startsWith('text-embedding-3'),
    },
    timeoutMilliseconds: config.timeoutMilliseconds ?? 60_000,
    currency: prices.currency,
  };
}

/** @throws Error that says what is wrong: an impossible length, a missing key, a model without a price */
export function resolveOpenAiConfig(config: OpenAiConfig): ResolvedOpenAiConfig {
  const prices = config.prices ?? DEFAULT_PRICES;
  const visionModel = config.visionModel ?? 'gpt-5.4-mini';
  return {
    ...resolveOpenAiEmbedding(config),
    vision: pricedModel(prices, visionModel, 'inputPerMillionTokens', 'outputPerMillionTokens'),
    text: pricedModel(
      prices,
      config.textModel ?? visionModel,
      'inputPerMillionTokens',
      'outputPerMillionTokens',
    ),
    transcription: pricedModel(prices, config.transcriptionModel ?? 'whisper-1', 'perMinute'),
    reasoningEffort: config.reasoningEffort,
    maxOutputTokens: config.maxOutputTokens ?? 2_000,
    transcriptionTimeoutMilliseconds: config.transcriptionTimeoutMilliseconds ?? 300_000,
  };
}

function pricedModel(
  prices: PriceTable,
  model: string,
  ...fields: (keyof ModelPrice)[]
): { model: string; price: ModelPrice } {
  const price = priceOf(prices, model);
  for (const field of fields) {
    if (price[field] === undefined) throw new Error(`the price of model "${model}" has no ${field}`);
  }
  return { model, price };
}
