import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { AccountMemory } from '../../infrastructure/auth/account-memory.js';
import { generateApiKey } from '../../infrastructure/auth/api-key-format.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';
import type { ApiKeyModel as ApiKey } from '../../infrastructure/database/generated/models.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import type { Principal } from '../../infrastructure/http/principal.js';
import { AuditService } from '../audit/audit.service.js';
import type { ApiKeyRequest, ApiKeyResponse, NewApiKeyResponse } from './dto/users.dto.js';

/** More live keys than this are a sign of a mistake. */
const MAX_LIVE_KEYS = 50;

/** A user's API keys. A key cannot manage keys: the routes are marked @SessionOnly (threat C4). */
@Injectable()
export class ApiKeysService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(AuditService) private readonly audit: AuditService,
    @Inject(AccountMemory) private readonly accounts: AccountMemory<object>,
  ) {}

  async list(principal: Principal): Promise<{ items: ApiKeyResponse[] }> {
    const rows = await this.database.run((tx) =>
      tx.apiKey.findMany({
        where: { userId: principal.userId },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: 200,
      }),
    );
    return { items: rows.map(toResponse) };
  }

  /** @returns the key itself, this once. @throws AppError 400 when `expiresAt` is past, 409 at 50 live keys */
  async create(principal: Principal, request: ApiKeyRequest): Promise<NewApiKeyResponse> {
    const expiresAt = request.expiresAt ? new Date(request.expiresAt) : null;
    if (expiresAt && expiresAt.getTime() <= Date.now()) {
      throw errors.validation([{ pointer: '/expiresAt', detail: 'expiresAt must lie in the future' }]);
    }
    const secret = generateApiKey();
    const id = uuidv7();
    const row = await this.database.run(async (tx) => {
      await lockAccount(tx, principal.userId);
      const live = await tx.apiKey.count({ where: { userId: principal.userId, revokedAt: null } });
      if (live >= MAX_LIVE_KEYS) {
        throw errors.conflict(
          'too-many-api-keys',
          `An account holds ${MAX_LIVE_KEYS} keys at most. Revoke one first.`,
        );
      }
      const created = await tx.apiKey.create({
        data: {
          userId: principal.userId,
          id,
          name: request.name.trim(),
          prefix: secret.visiblePrefix,
          keyHash: secret.hash,
          scopes: request.scopes,
          expiresAt,
        },
      });
      await this.audit.record(tx, {
        eventType: 'api-key.created',
        category: 'security',
        action: 'create',
        target: { type: 'api_key', id },
        newValues: { name: created.name, scopes: created.scopes },
        riskLevel: 'medium',
      });
      return created;
    });
    return { ...toResponse(row), key: secret.key };
  }

  /** Revokes a key; it stops working at once, in other processes within a second. @throws AppError 404 */
  async revoke(principal: Principal, id: string): Promise<void> {
    await this.database.run(async (tx) => {
      const { count } = await tx.apiKey.updateMany({
        where: { userId: principal.userId, id, revokedAt: null },
        data: { revokedAt: new Date() },
      });
      if (count === 0) throw errors.notFound('API key');
      await this.audit.record(tx, {
        eventType: 'api-key.revoked',
        category: 'security',
        action: 'delete',
        target: { type: 'api_key', id },
        riskLevel: 'medium',
      });
    });
    this.accounts.forget();
  }
}

/**
 * Locks the user's row to the end of the transaction, so that two requests cannot both count the last free place. Not FOR
 * UPDATE, which would also stop new rows that refer to the user.
 */
async function lockAccount(tx: Transaction, userId: string): Promise<void> {
  await tx.$queryRaw(Prisma.sql`SELECT FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`);
}

function toResponse(row: ApiKey): ApiKeyResponse {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
