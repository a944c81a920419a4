import type { EmbeddingModel, TextEmbedder } from './ai.types.js';
import { STORED_DIMENSIONS } from './ai.types.js';
import { LOCAL_EMBEDDING_VERSIONS, LocalTextEmbedder } from './local/local-text-embedder.js';
import { resolveOpenAiEmbedding, type OpenAiConfig } from './openai/openai-config.js';
import { OpenAiConnection } from './openai/openai-connection.js';
import { OpenAiTextEmbedder, openAiModelVersion } from './openai/openai-text-embedder.js';
import { priceTokens } from './pricing.js';

/** A model as somebody asks for it: the version may be left to the provider. */
export type WantedModel = Omit<EmbeddingModel, 'version'> & { version?: string };

/** Nothing in this process can embed with the model; says which part of its description is at fault, and what to do. */
export class ModelNotServableError extends Error {
  override name = 'ModelNotServableError';
  constructor(
    readonly field: keyof EmbeddingModel,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The embedders of all models that this process can serve, whichever of them the configuration names: while one model
 * is replaced by another, both are needed. Opens no connection before the first call.
 */
export class TextEmbedders {
  private readonly made = new Map<string, TextEmbedder>();

  /**
   * @param configured the embedder that the configuration names
   * @param openai how to reach the OpenAI-compatible server, or null when no key is configured
   */
  constructor(
    readonly configured: TextEmbedder,
    private readonly openai: OpenAiConfig | null,
  ) {}

  /** The embedder of a registered model, or null when this process cannot serve it. */
  find(model: EmbeddingModel): TextEmbedder | null {
    try {
      return this.resolve(model);
    } catch (error) {
      if (error instanceof ModelNotServableError) return null;
      throw error;
    }
  }

  /**
   * The embedder of a model.
   * @throws ModelNotServableError for an unknown provider or model, a missing key or price, an impossible length
   */
  resolve(wanted: WantedModel): TextEmbedder {
    const { configured } = this;
    if (isSame(configured.model, wanted)) return configured;
    const key = JSON.stringify([wanted.provider, wanted.name, wanted.version, wanted.dimensions]);
    const known = this.made.get(key);
    if (known) return known;
    const embedder = this.make(wanted);
    this.made.set(key, embedder);
    return embedder;
  }

  /**
   * What embedding costs by the price list.
   * @param tokens a whole number >= 0
   * @returns a decimal string and its currency
   * @throws ModelNotServableError
   */
  price(model: EmbeddingModel, tokens: number): { amount: string; currency: string } {
    this.resolve(model);
    if (model.provider !== 'openai' || this.openai === null) return { amount: '0', currency: 'USD' };
    const { embedding, currency } = resolveOpenAiEmbedding({
      ...this.openai,
      embeddingModel: model.name,
      embeddingDimensions: model.dimensions,
    });
    return { amount: priceTokens(embedding.price, { input: tokens }), currency };
  }

  private make(wanted: WantedModel): TextEmbedder {
    const { dimensions, provider } = wanted;
    if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > STORED_DIMENSIONS) {
      throw new ModelNotServableError(
        'dimensions',
        `A model has 1 to ${STORED_DIMENSIONS} dimensions, not ${dimensions}.`,
      );
    }
    if (provider === 'local') return localEmbedder(wanted);
    if (provider === 'openai') return this.openAiEmbedder(wanted);
    throw new ModelNotServableError('provider', `There is no provider "${provider}". Use local or openai.`);
  }

  private openAiEmbedder({ name, version, dimensions }: WantedModel): TextEmbedder {
    if (this.openai === null) {
      throw new ModelNotServableError(
        'provider',
        'The provider openai is not configured. Set OPENAI_API_KEY (and OPENAI_BASE_URL for a server of your own), and restart.',
      );
    }
    const expected = openAiModelVersion(dimensions);
    if (version !== undefined && version !== expected) {
      throw new ModelNotServableError(
        'version',
        `An openai model of ${dimensions} dimensions has version ${expected}. Serve other weights under another name.`,
      );
    }
    try {
      const resolved = resolveOpenAiEmbedding({
        ...this.openai,
        embeddingModel: name,
        embeddingDimensions: dimensions,
      });
      return new OpenAiTextEmbedder(new OpenAiConnection(resolved), resolved);
    } catch (error) {
      // Only the price can be missing by now: without one no budget could be kept.
      throw new ModelNotServableError('name', `${capitalized((error as Error).message)}. See AI_PRICES.`);
    }
  }
}

function localEmbedder({ name, version = 'v1', dimensions }: WantedModel): TextEmbedder {
  const known = LOCAL_EMBEDDING_VERSIONS.find((candidate) => candidate === version);
  if (name !== LocalTextEmbedder.modelName) {
    throw new ModelNotServableError(
      'name',
      `The local provider has one embedding model: ${LocalTextEmbedder.modelName}.`,
    );
  }
  if (known === undefined) {
    throw new ModelNotServableError(
      'version',
      `${name} has the versions ${LOCAL_EMBEDDING_VERSIONS.join(' and ')}.`,
    );
  }
  const embedder = new LocalTextEmbedder(known);
  if (embedder.model.dimensions !== dimensions) {
    throw new ModelNotServableError(
      'dimensions',
      `${name} ${known} has ${embedder.model.dimensions} dimensions, not ${dimensions}.`,
    );
  }
  return embedder;
}

function isSame(model: EmbeddingModel, wanted: WantedModel): boolean {
  return (
    model.provider === wanted.provider &&
    model.name === wanted.name &&
    model.dimensions === wanted.dimensions &&
    (wanted.version === undefined || model.version === wanted.version)
  );
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
