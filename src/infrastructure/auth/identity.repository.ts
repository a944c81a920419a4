import { Prisma } from '../database/generated/client.js';
import { prepared } from '../database/prepared.js';
import type { Transaction } from '../database/database.js';
import type { SubscriptionTier, UserRole } from '../http/principal.js';

/** What the guard needs to know of a user, read afresh for every request: a suspension counts at once. */
export interface AccountRow {
  userId: string;
  email: string;
  role: UserRole;
  tier: SubscriptionTier;
  status: string;
  apiRateLimit: number;
  uploadRateLimit: number;
  searchRateLimit: number;
  features: string[];
}

const account = Prisma.sql`
  u.id AS "userId", u.email, u.role, u.subscription_tier AS "tier", u.subscription_status AS "status",
  l.api_rate_limit AS "apiRateLimit", l.upload_rate_limit AS "uploadRateLimit", l.search_rate_limit AS "searchRateLimit",
  l.features_enabled || l.ai_features_enabled AS "features"`;

/** An account that is not deleted, with the limits of its plan that are in force. */
export async function findAccount(tx: Transaction, userId: string): Promise<AccountRow | null> {
  const rows = await tx.$queryRaw<AccountRow[]>(Prisma.sql`
    SELECT ${account} FROM users u JOIN current_usage_limits l ON l.tier_name = u.subscription_tier
    WHERE u.id = ${userId}::uuid AND u.deleted_at IS NULL`);
  return rows[0] ?? null;
}

/** The account of an access token whose session (family of refresh tokens) is live; null once it was logged out. */
export async function findSessionAccount(
  tx: Transaction,
  userId: string,
  sessionId: string,
): Promise<AccountRow | null> {
  const rows = await tx.$queryRaw<AccountRow[]>(
    prepared(Prisma.sql`
    SELECT ${account} FROM users u JOIN current_usage_limits l ON l.tier_name = u.subscription_tier
    WHERE u.id = ${userId}::uuid AND u.deleted_at IS NULL AND EXISTS (
      SELECT 1 FROM refresh_tokens r
      WHERE r.user_id = ${userId}::uuid AND r.family_id = ${sessionId}::uuid AND r.revoked_at IS NULL AND r.expires_at > now())`),
  );
  return rows[0] ?? null;
}

/** The account behind an API key, and what the key may do. Null when the key is unknown, revoked or expired. */
export async function findAccountByApiKey(
  tx: Transaction,
  keyHash: string,
): Promise<(AccountRow & { keyId: string; scopes: string[]; lastUsedAt: Date | null }) | null> {
  const rows = await tx.$queryRaw<
    (AccountRow & { keyId: string; scopes: string[]; lastUsedAt: Date | null })[]
  >(Prisma.sql`
    SELECT ${account}, k.id AS "keyId", k.scopes, k.last_used_at AS "lastUsedAt"
    FROM api_keys k
    JOIN users u ON u.id = k.user_id AND u.deleted_at IS NULL
    JOIN current_usage_limits l ON l.tier_name = u.subscription_tier
    WHERE k.key_hash = ${keyHash} AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())`);
  return rows[0] ?? null;
}

export async function touchApiKey(tx: Transaction, userId: string, keyId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`
    UPDATE api_keys SET last_used_at = now() WHERE user_id = ${userId}::uuid AND id = ${keyId}::uuid`);
}

/** C01: the user behind an external subject, by the one definer function that may look. */
export async function resolveIdentity(
  tx: Transaction,
  provider: 'local' | 'firebase',
  subject: string,
): Promise<{ userId: string; secretHash: string | null } | null> {
  const rows = await tx.$queryRaw<{ userId: string; secretHash: string | null }[]>(Prisma.sql`
    SELECT user_id AS "userId", secret_hash AS "secretHash" FROM resolve_identity(${provider}, ${subject})`);
  return rows[0] ?? null;
}
