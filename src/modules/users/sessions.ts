import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { AccessTokens } from '../../infrastructure/auth/access-tokens.js';
import { hashSecret } from '../../infrastructure/auth/api-key-format.js';
import type { AccountRow } from '../../infrastructure/auth/identity.repository.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';
import type { SessionResponse } from './dto/auth.dto.js';

export interface RefreshTokenRow {
  userId: string;
  id: string;
  familyId: string;
  usedAt: Date | null;
  revokedAt: Date | null;
  expiresAt: Date;
}

/** Writes a new refresh token. @returns the token itself, which is stored as a hash only */
export async function issueRefreshToken(
  tx: Transaction,
  userId: string,
  familyId: string,
  lifetimeSeconds: number,
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await tx.refreshToken.create({
    data: {
      userId,
      id: uuidv7(),
      familyId,
      tokenHash: hashSecret(token),
      expiresAt: new Date(Date.now() + lifetimeSeconds * 1000),
    },
  });
  return token;
}

/** The token's row, locked, so that two uses of one token at the same time are one use and one reuse. */
export async function lockRefreshToken(tx: Transaction, token: string): Promise<RefreshTokenRow | null> {
  const rows = await tx.$queryRaw<RefreshTokenRow[]>(Prisma.sql`
    SELECT user_id AS "userId", id, family_id AS "familyId", used_at AS "usedAt", revoked_at AS "revokedAt",
      expires_at AS "expiresAt"
    FROM refresh_tokens WHERE token_hash = ${hashSecret(token)} FOR UPDATE`);
  return rows[0] ?? null;
}

export async function revokeFamily(tx: Transaction, userId: string, familyId: string): Promise<void> {
  await tx.refreshToken.updateMany({
    where: { userId, familyId, revokedAt: null },
    data: { revokedAt: new Date() },
  });
}

export async function toSession(
  tokens: AccessTokens,
  account: Pick<AccountRow, 'userId' | 'email' | 'role' | 'tier'>,
  familyId: string,
  refreshToken: string,
): Promise<SessionResponse> {
  return {
    user: { id: account.userId, email: account.email, role: account.role, subscriptionTier: account.tier },
    accessToken: await tokens.sign({ userId: account.userId, sessionId: familyId }),
    refreshToken,
    expiresInSeconds: tokens.lifetimeSeconds,
  };
}
