import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';

/**
 * Cosine similarity below which a text counts as unrelated to the query, per model (`provider/name/version`). Without
 * it every search would answer with the whole library, since two texts always have some similarity.
 */
const RELEVANCE_FLOORS: Readonly<Record<string, number>> = {
  // Measured by `npm run bench:relevance-floor`: 50 queries about other things and nonsense against the documents of the 22
  // sample pictures, 1,100 pairs: mean .008, standard deviation .030, mean + 4 of them .130. Seven pairs reach .12, most
  // of them truly related ("gardening" and the sunflower, .24). Queries that mean a sample in other words give the
  // right picture .18 to .24 ("espresso" and the cup of coffee, "ship" and the sailboat, "bill" and the invoice).
  'local/local-hash-embedding/v1': 0.12,
  // The same measurement in 1024 dimensions: mean .007, standard deviation .036, mean + 4 of them .149; seven pairs reach
  // .14. The queries in other words give the right picture .18 to .30.
  'local/local-hash-embedding/v2': 0.14,
};

/**
 * Cosine similarity from which on two texts are surely related, per model: the upper bound of the automatic cut-off
 * (relevance-cutoff.ts). For the local embeddings, twice the .12 that one unrelated pair of 157 reaches; none of the
 * 1,100 pairs above is unrelated at .24.
 */
const CERTAIN_SIMILARITIES: Readonly<Record<string, number>> = { 'local/local-hash-embedding/v1': 0.24 };

/**
 * Cosine similarity that the nearest file must reach for a hybrid search to answer at all when no file holds enough of the
 * query's words, per model. Measured on test/relevance: of the queries about things that are not in the library four find
 * something above the floor, the nearest at .14, .17, .22 (an opera house, for a house) and .46 (a phrase, see
 * restriction.sql.ts). From .18 to .21 the first two find nothing, and no query that has an answer loses it; at .22 the
 * third one finds nothing either, and "chien" loses its dogs.
 */
const SURE_SIMILARITIES: Readonly<Record<string, number>> = { 'local/local-hash-embedding/v1': 0.2 };

/** -1 (everything is near enough) for a model that nobody has calibrated. */
export function sureSimilarity(model: EmbeddingModel): number {
  return SURE_SIMILARITIES[`${model.provider}/${model.name}/${model.version}`] ?? -1;
}

/** 1 (no bound) for a model that nobody has calibrated. */
export function certainSimilarity(model: EmbeddingModel): number {
  return CERTAIN_SIMILARITIES[`${model.provider}/${model.name}/${model.version}`] ?? 1;
}

/**
 * The floor of a model. A model that nobody has calibrated gets -1, that is none: too many answers, in the right
 * order, are better than a guessed cut that hides some.
 */
export function relevanceFloor(model: EmbeddingModel): number {
  return RELEVANCE_FLOORS[`${model.provider}/${model.name}/${model.version}`] ?? -1;
}
