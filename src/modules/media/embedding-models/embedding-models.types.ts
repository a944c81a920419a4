import type { EmbeddingModel } from '../../../infrastructure/ai/ai.types.js';

export const MODEL_STATES = ['building', 'active', 'retired'] as const;
export type ModelState = (typeof MODEL_STATES)[number];

/** A model as it is registered; `id` is what vectors refer to. */
export interface RegisteredModel extends EmbeddingModel {
  id: number;
}

/** A registered model that files are embedded with. */
export interface KeptModel extends RegisteredModel {
  state: ModelState;
}

/** Names a model for people: `provider/name version`. */
export function describeModel({ provider, name, version }: EmbeddingModel): string {
  return `${provider}/${name} ${version}`;
}
