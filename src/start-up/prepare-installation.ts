import { v7 as uuidv7 } from 'uuid';
import { normalizeEmail } from '../infrastructure/auth/email.js';
import { Passwords } from '../infrastructure/auth/passwords.js';
import type { Runtime } from '../infrastructure/runtime.js';
import { prepareEmbeddingModel } from './prepare-embedding-model.js';

/** What must be in the database before the first request: an embedding model in use, and the first administrator. */
export async function prepareInstallation(runtime: Runtime): Promise<void> {
  const { config, logger } = runtime;
  await prepareEmbeddingModel(runtime);
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
