import type { EmbeddingModel } from '../../../../infrastructure/ai/ai.types.js';
import { LocalTextEmbedder } from '../../../../infrastructure/ai/local/local-text-embedder.js';
import type { Database } from '../../../../infrastructure/database/database.js';

/** The model that an application without settings makes active. */
const LOCAL = new LocalTextEmbedder().model;
/** Databases that several test files use one after the other (test/harness/database.ts). */
const SHARED_DATABASE = /^worker_/;

/**
 * Makes a model the active one, whatever was before, as start-up does in an empty library.
 * @returns its id
 * @throws Error for any but the local model in a database that other test files use after this one: the application
 *   that they start could not embed with it. Seen on PostgreSQL only; the embedded engine's database has no such name.
 */
export async function activateModel(database: Database, model: EmbeddingModel): Promise<number> {
  const { provider, name, version, dimensions } = model;
  return database.runAsSystem('start-up', async (tx) => {
    const [current] = await tx.$queryRaw<{ name: string }[]>`SELECT current_database()::text AS name`;
    const isLocal = provider === LOCAL.provider && name === LOCAL.name && version === LOCAL.version;
    if (!isLocal && SHARED_DATABASE.test(current?.name ?? '')) {
      throw new Error(`${provider}/${name} ${version}: take a database of your own (ownDatabaseUrls)`);
    }
    const key = { provider, name, version };
    const known = await tx.embeddingModel.findFirst({ where: key });
    if (known?.state === 'active') return known.id;
    await tx.embeddingModel.updateMany({ where: { state: 'active' }, data: { state: 'retired' } });
    const { id } = await tx.embeddingModel.upsert({
      where: { provider_name_version: key },
      create: { ...key, dimensions, state: 'active' },
      update: { state: 'active' },
      select: { id: true },
    });
    return id;
  });
}
