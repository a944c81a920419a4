import { setImmediate as nextTick } from 'node:timers/promises';
import type { EmbeddingModel, PricedUsage, TextEmbedder } from '../ai.types.js';
import { cancelledError, emptyTextError } from '../provider-errors.js';
import { l2Normalize } from '../vectors.js';
import { COST_SERVICES } from '../vocabulary.js';
import { addFeature } from './feature-projection.js';
import { freeUsage } from './free-usage.js';
import { textFeatures } from './text-features.js';

/** The work is proportional to the text; what comes after this many UTF-16 units is not read. */
const MAX_CHARACTERS = 50_000;
/** The event loop gets its turn after this much work, so that a batch does not hold up requests. */
const SLICE_MILLISECONDS = 15;

/** `v2` has other, independent signs and fewer of them: two models to choose between without a provider. */
export const LOCAL_EMBEDDING_VERSIONS = ['v1', 'v2'] as const;
export type LocalEmbeddingVersion = (typeof LOCAL_EMBEDDING_VERSIONS)[number];

/** Length of the vectors, and what is put before each feature's name, so that its signs differ between versions. */
const VERSIONS: Readonly<Record<LocalEmbeddingVersion, { dimensions: number; prefix: string }>> = {
  v1: { dimensions: 1536, prefix: '' },
  // Two thirds of the memory, and a standard error of .031 instead of .026 (see feature-projection.ts).
  v2: { dimensions: 1024, prefix: 'v2:' },
};

/**
 * Embeds text without a model's weights: hashed words, stems, n-grams and hand-made concepts, projected onto dense
 * vectors. Deterministic: the same text gives the same vector on every machine, for good. Whoever changes the features
 * or the projection gives the model a new version, since old and new vectors cannot be compared.
 */
export class LocalTextEmbedder implements TextEmbedder {
  static readonly modelName = 'local-hash-embedding';
  readonly model: EmbeddingModel;
  private readonly prefix: string;

  constructor(version: LocalEmbeddingVersion = 'v1') {
    const { dimensions, prefix } = VERSIONS[version];
    this.model = { provider: 'local', name: LocalTextEmbedder.modelName, version, dimensions };
    this.prefix = prefix;
  }

  estimate(texts: string[]): PricedUsage {
    return this.usage(texts.length);
  }

  /** @throws ProviderError `provider-bad-input` for a text without any visible character */
  async embed(
    texts: string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; usage: PricedUsage }> {
    const vectors: Float32Array[] = [];
    let sliceStart = performance.now();
    for (const [index, text] of texts.entries()) {
      if (signal?.aborted) throw cancelledError();
      vectors.push(this.embedOne(text, index));
      if (performance.now() - sliceStart > SLICE_MILLISECONDS) {
        await nextTick();
        sliceStart = performance.now();
      }
    }
    return { vectors, usage: this.usage(texts.length) };
  }

  private embedOne(text: string, index: number): Float32Array {
    const sum = new Float64Array(this.model.dimensions);
    for (const [feature, weight] of textFeatures(text.slice(0, MAX_CHARACTERS)))
      addFeature(sum, this.prefix + feature, weight);
    const vector = l2Normalize(sum);
    if (vector === null) throw emptyTextError(index);
    return vector;
  }

  private usage(count: number): PricedUsage {
    return freeUsage(COST_SERVICES.localEmbeddings, 'embed_text', this.model.name, count);
  }
}
