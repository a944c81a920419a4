import { v7 as uuidv7 } from 'uuid';
import type { EmbeddingModel } from '../infrastructure/ai/ai.types.js';
import { normalizeEmail } from '../infrastructure/auth/email.js';
import { Passwords } from '../infrastructure/auth/passwords.js';
import type { Transaction } from '../infrastructure/database/database.js';
import { Prisma } from '../infrastructure/database/generated/client.js';
import type { Runtime } from '../infrastructure/runtime.js';

/** What must be in the database before the first request: the embedding model in use, and the first administrator. */
export async function prepareInstallation(runtime: Runtime): Promise<void> {
  const { database, ai, config, logger } = runtime;
  const replaced = await database.runAsSystem('start-up', (tx) =>
    activateEmbeddingModel(tx, ai.textEmbedder.model),
  );
  if (replaced) {
    logger.warn(
      { from: replaced, to: ai.textEmbedder.model.name },
      'the embedding model has changed: files are found by words until they are analysed again',
    );
  }
  if (config.ADMIN_EMAIL && config.ADMIN_PASSWORD) {
    const created = await ensureAccount(runtime, {
      email: config.ADMIN_EMAIL,
      password: config.ADMIN_PASSWORD,
      role: 'ADMIN',
      displayName: 'Administrator',
    });
    if (created) logger.info('the first administrator was created');
  }
}

/**
 * Makes the provider's model the active one.
 * @returns the name of the model that was active before, when it was another one
 */
export async function activateEmbeddingModel(tx: Transaction, model: EmbeddingModel): Promise<string | null> {
  // Several processes start at the same time: one after the other.
  await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('embedding_models'))::text`);
  const active = await tx.embeddingModel.findFirst({ where: { state: 'active' } });
  const key = { provider: model.provider, name: model.name, version: model.version };
  if (
    active &&
    active.provider === key.provider &&
    active.name === key.name &&
    active.version === key.version
  )
    return null;
  if (active) await tx.embeddingModel.update({ where: { id: active.id }, data: { state: 'retired' } });
  const known = await tx.embeddingModel.findFirst({ where: key });
  if (known) await tx.embeddingModel.update({ where: { id: known.id }, data: { state: 'active' } });
  else await tx.embeddingModel.create({ data: { ...key, dimensions: model.dimensions, state: 'active' } });
  return active?.name ?? null;
}

/**
 * Makes a local account unless there is one with this address; an existing one is left as it is.
 * @returns the id of the account made, or null
 */
export async function ensureAccount(
  runtime: Runtime,
  account: {
    email: string;
    password: string;
    role: 'USER' | 'ADMIN';
    displayName: string;
    tier?: 'free' | 'premium' | 'ultimate';
  },
): Promise<string | null> {
  const email = normalizeEmail(account.email);
  if (!email) throw new Error(`${account.email} is not an e-mail address`);
  const existing = await runtime.database.runAsSystem('start-up', (tx) =>
    tx.user.findFirst({ where: { email }, select: { id: true } }),
  );
  if (existing) return null;
  const secretHash = await new Passwords().hash(account.password);
  const id = uuidv7();
  await runtime.database.runAsSystem('start-up', async (tx) => {
    await tx.user.create({
      data: {
        id,
        email,
        emailVerified: true,
        displayName: account.displayName,
        role: account.role,
        subscriptionTier: account.tier ?? 'free',
      },
    });
    await tx.authIdentity.create({
      data: { userId: id, id: uuidv7(), provider: 'local', subject: email, secretHash },
      select: { id: true },
    });
  });
  return id;
}
