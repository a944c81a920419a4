import type { EmbeddingModel } from '../infrastructure/ai/ai.types.js';
import type { Transaction } from '../infrastructure/database/database.js';
import type { EmbeddingModel as ModelRow } from '../infrastructure/database/generated/client.js';
import { Prisma } from '../infrastructure/database/generated/client.js';
import type { Runtime } from '../infrastructure/runtime.js';

export interface ModelAtStart {
  /** The one that search uses. */
  active: ModelRow;
  /** The one that the configuration names. */
  configured: ModelRow;
  /** The configured one was not known before, and is built beside the active one from now on. */
  isNew: boolean;
}

/**
 * Compares the configured embedding model with the active one. A library that has vectors keeps its model: the change
 * is the administrator's, and until then nothing is found worse than before. The log says what to call.
 */
export async function prepareEmbeddingModel(runtime: Runtime): Promise<void> {
  const { database, ai, textEmbedders, logger } = runtime;
  const { active, configured, isNew } = await database.runAsSystem('start-up', (tx) =>
    settleEmbeddingModel(tx, ai.textEmbedder.model),
  );
  if (active.id !== configured.id) {
    const call = `/v1/admin/embedding-models/${configured.id}`;
    logger[isNew ? 'warn' : 'info'](
      { active: label(active), configured: label(configured), state: configured.state },
      'the configured embedding model is not the active one; search stays on the active one. ' +
        `GET ${call}/estimate says what a change costs, POST ${call}/reindex builds it, POST ${call}/activate switches`,
    );
  }
  if (textEmbedders.find(active) === null) {
    logger.error(
      { active: label(active) },
      'nothing in this process can embed with the active model: search goes on by words alone. Configure its provider again, or build another model and activate it',
    );
  }
}

/**
 * The configured model becomes active at once when none is, or when there are no vectors that it could not be compared
 * with; otherwise it is registered as building. One that is known keeps its state.
 */
export async function settleEmbeddingModel(tx: Transaction, model: EmbeddingModel): Promise<ModelAtStart> {
  // Several processes start at the same time: one after the other. The lock of EmbeddingModelsRepository.lock.
  await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('embedding_models'))::text`);
  const { provider, name, version, dimensions } = model;
  const before = await tx.embeddingModel.findFirst({ where: { state: 'active' } });
  const known = await tx.embeddingModel.findFirst({ where: { provider, name, version } });
  const configured =
    known ??
    (await tx.embeddingModel.create({ data: { provider, name, version, dimensions, state: 'building' } }));
  if (before?.id === configured.id) return { active: configured, configured, isNew: false };
  const vectors = await tx.$queryRaw<unknown[]>(
    Prisma.sql`SELECT 1 FROM (SELECT model_id FROM media_embeddings LIMIT 1) any_vector`,
  );
  if (before && vectors.length > 0) return { active: before, configured, isNew: known === null };
  const now = new Date();
  if (before) {
    await tx.embeddingModel.update({ where: { id: before.id }, data: { state: 'retired', retiredAt: now } });
  }
  const active = await tx.embeddingModel.update({
    where: { id: configured.id },
    data: { state: 'active', activatedAt: now, retiredAt: null, fedUntil: null, dropRequestedAt: null },
  });
  return { active, configured: active, isNew: known === null };
}

function label({ provider, name, version }: EmbeddingModel): string {
  return `${provider}/${name} ${version}`;
}
