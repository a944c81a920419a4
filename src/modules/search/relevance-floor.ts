import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';

/**
 * Cosine similarity below which a text counts as unrelated to the query, per model (`provider/name/version`). Without
 * it every search would answer with the whole library, since two texts always have some similarity.
 */
const RELEVANCE_FLOORS: Readonly<Record<string, number>> = {
  'local/local-hash-embedding/v1': 0,
};

/**
 * The floor of a model. A model that nobody has calibrated gets -1, that is none: too many answers, in the right
 * order, are better than a guessed cut that hides some.
 */
export function relevanceFloor(model: EmbeddingModel): number {
  return RELEVANCE_FLOORS[`${model.provider}/${model.name}/${model.version}`] ?? -1;
}
