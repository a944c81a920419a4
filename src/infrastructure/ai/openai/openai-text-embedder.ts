import { z } from 'zod';
import type { EmbeddingModel, PricedUsage, TextEmbedder } from '../ai.types.js';
import { STORED_DIMENSIONS } from '../ai.types.js';
import { hasVisibleCharacter } from '../clean-text.js';
import { emptyTextError, providerError } from '../provider-errors.js';
import { l2Normalize } from '../vectors.js';
import { COST_SERVICES } from '../vocabulary.js';
import type { ResolvedOpenAiEmbedding } from './openai-config.js';
import type { OpenAiAnswer, OpenAiConnection } from './openai-connection.js';
import { badAnswer } from './openai-errors.js';
import type { UsageHeader } from './openai-usage.js';
import {
  addUsage,
  believableTokens,
  clipToBytes,
  maxTokensOf,
  tokenUsage,
  withSpent,
} from './openai-usage.js';

/** The service's bounds: 8,192 tokens a text, 2,048 texts and 300,000 tokens a request. In bytes they always hold. */
const MAX_TEXT_BYTES = 8_000;
const MAX_TEXTS_PER_REQUEST = 512;
const MAX_BYTES_PER_REQUEST = 290_000;
/** Begin and end marks that tokenizers of other servers add to a text. */
const EXTRA_TOKENS_PER_TEXT = 8;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: z.array(z.number()) })),
});

/** The same model shortened to another length is another model to everybody who compares vectors. */
export function openAiModelVersion(dimensions: number): string {
  return dimensions === STORED_DIMENSIONS ? 'v1' : `v1-${dimensions}d`;
}

/** Embeds text with an OpenAI-compatible server. */
export class OpenAiTextEmbedder implements TextEmbedder {
  readonly model: EmbeddingModel;
  private readonly header: UsageHeader;

  constructor(
    private readonly connection: OpenAiConnection,
    private readonly config: ResolvedOpenAiEmbedding,
  ) {
    const { model, dimensions } = config.embedding;
    this.model = {
      provider: 'openai',
      name: model,
      version: openAiModelVersion(dimensions),
      dimensions,
    };
    const { currency } = config;
    this.header = { service: COST_SERVICES.openaiEmbeddings, operation: 'embed_text', model, currency };
  }

  estimate(texts: string[]): PricedUsage {
    return this.price(maxInputTokens(texts.map((text) => clipToBytes(text, MAX_TEXT_BYTES))));
  }

  /**
   * Texts longer than 8,000 bytes are embedded by their beginning.
   * @throws ProviderError; its `usage` is what the requests cost that were made before the failure
   */
  async embed(
    texts: string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; usage: PricedUsage }> {
    const inputs = texts.map((text, index) => {
      if (!hasVisibleCharacter(text)) throw emptyTextError(index);
      return clipToBytes(text, MAX_TEXT_BYTES);
    });
    const vectors: Float32Array[] = [];
    let spent: PricedUsage | undefined;
    for (const batch of batchesOf(inputs)) {
      try {
        const result = await this.embedBatch(batch, signal);
        vectors.push(...result.vectors);
        spent = spent === undefined ? result.usage : addUsage(spent, result.usage);
      } catch (error) {
        throw withSpent(error, spent);
      }
    }
    return { vectors, usage: spent ?? this.price(0) };
  }

  private async embedBatch(
    batch: string[],
    signal: AbortSignal | undefined,
  ): Promise<{ vectors: Float32Array[]; usage: PricedUsage }> {
    const { model, dimensions, requestsDimensions } = this.config.embedding;
    const maxTokens = maxInputTokens(batch);
    const answer = await this.connection.request(
      (client, options) =>
        client.embeddings.create(
          {
            model,
            input: batch,
            // Plain numbers: not every compatible server knows base64.
            encoding_format: 'float',
            ...(requestsDimensions ? { dimensions } : {}),
          },
          options,
        ),
      { timeoutMilliseconds: this.config.timeoutMilliseconds, estimate: this.price(maxTokens), signal },
    );
    const usage = this.usageOf(answer, maxTokens);
    return { vectors: this.readVectors(answer.body, batch.length, usage), usage };
  }

  private readVectors(body: unknown, expected: number, usage: PricedUsage): Float32Array[] {
    const parsed = answerSchema.safeParse(body);
    if (!parsed.success) throw badAnswer('it is no list of vectors', usage);
    const { data } = parsed.data;
    if (data.length !== expected) throw badAnswer(`${data.length} vectors for ${expected} texts`, usage);
    const vectors = new Array<Float32Array | undefined>(expected);
    for (const { index, embedding } of data) {
      if (index >= expected || vectors[index] !== undefined)
        throw badAnswer('the vectors are numbered wrongly', usage);
      if (embedding.length !== this.model.dimensions) {
        throw providerError(
          'provider-bad-answer',
          `a vector has ${embedding.length} dimensions, but the model is set to ${this.model.dimensions}`,
          false,
          "Set the embedding model's dimensions in the configuration to what the model gives.",
          { usage },
        );
      }
      // Null for infinite elements (JSON's 1e999) and for a vector of zeros.
      const vector = l2Normalize(embedding);
      if (vector === null) throw badAnswer('a vector is not finite or has no length', usage);
      vectors[index] = vector;
    }
    return vectors as Float32Array[];
  }

  private usageOf({ body, requestId: referenceId }: OpenAiAnswer, maxTokens: number): PricedUsage {
    const reported = z.object({ usage: z.unknown() }).safeParse(body).data?.usage;
    const tokens = believableTokens(reported, { input: maxTokens });
    return tokens === null
      ? { ...this.price(maxTokens), referenceId, estimated: true }
      : { ...tokenUsage(this.header, this.config.embedding.price, tokens), referenceId };
  }

  private price(tokens: number): PricedUsage {
    return tokenUsage(this.header, this.config.embedding.price, { input: tokens });
  }
}

function maxInputTokens(texts: string[]): number {
  return texts.reduce((sum, text) => sum + maxTokensOf(text) + EXTRA_TOKENS_PER_TEXT, 0);
}

function batchesOf(inputs: string[]): string[][] {
  const batches: string[][] = [];
  let current: string[] = [];
  let bytes = 0;
  for (const input of inputs) {
    const size = maxTokensOf(input);
    if (
      current.length > 0 &&
      (current.length >= MAX_TEXTS_PER_REQUEST || bytes + size > MAX_BYTES_PER_REQUEST)
    ) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(input);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}
