import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';

export interface TestUser {
  id: string;
  email: string;
}

/** Makes a fresh user, the way isolation between tests is had: nobody else's rows are ever seen. */
export async function createUser(
  database: Database,
  overrides: { subscriptionTier?: 'free' | 'premium' | 'ultimate'; role?: 'USER' | 'ADMIN' } = {},
): Promise<TestUser> {
  const id = uuidv7();
  const email = `user-${id}@example.test`;
  await database.runAsSystem('auth.register', (tx) => tx.user.create({ data: { id, email, ...overrides } }));
  return { id, email };
}
