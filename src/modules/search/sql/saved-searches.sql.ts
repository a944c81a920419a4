import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** Holds the user to the end of the transaction, so that two new saved searches at once are counted one by one. */
export function lockOwner(input: { userId: string }): Prisma.Sql {
  return Prisma.sql`SELECT u.id FROM users u WHERE u.id = ${input.userId}::uuid FOR NO KEY UPDATE`;
}

/** Holds a saved search to the end of the transaction; one row of its id, or none. */
export function lockSavedSearch(input: { userId: string; id: string }): Prisma.Sql {
  return Prisma.sql`SELECT s.id FROM saved_searches s
WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.id}::uuid FOR UPDATE`;
}
