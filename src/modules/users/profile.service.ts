import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { Prisma } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { AuditService } from '../audit/audit.service.js';
import type { ProfileResponse, ProfileUpdate } from './dto/users.dto.js';

const MAX_SETTINGS_BYTES = 16_384;

/** The caller's own account. */
@Injectable()
export class ProfileService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** @throws AppError 404 when the account is gone */
  async read(userId: string): Promise<ProfileResponse> {
    const user = await this.database.run((tx) =>
      tx.user.findFirst({ where: { id: userId, deletedAt: null } }),
    );
    if (!user) throw errors.notFound('account');
    return {
      id: user.id,
      email: user.email,
      emailVerified: user.emailVerified,
      displayName: user.displayName,
      avatarUrl: user.avatarUrl,
      role: user.role,
      subscriptionTier: user.subscriptionTier,
      subscriptionStatus: user.subscriptionStatus,
      settings: user.settings,
      keepsSearchHistory: user.keepsSearchHistory,
      createdAt: user.createdAt.toISOString(),
    };
  }

  /** Changes what is given and leaves the rest. @throws AppError 400 when the settings are too large */
  async update(userId: string, update: ProfileUpdate): Promise<ProfileResponse> {
    if (update.settings && Buffer.byteLength(JSON.stringify(update.settings)) > MAX_SETTINGS_BYTES) {
      throw errors.validation([
        { pointer: '/settings', detail: `settings may hold ${MAX_SETTINGS_BYTES} bytes of JSON` },
      ]);
    }
    const { displayName, avatarUrl, settings, keepsSearchHistory } = update;
    await this.database.run(async (tx) => {
      await tx.user.updateMany({
        where: { id: userId },
        data: {
          ...(displayName !== undefined ? { displayName: displayName?.trim() || null } : {}),
          ...(avatarUrl !== undefined ? { avatarUrl } : {}),
          ...(settings !== undefined ? { settings: settings as Prisma.InputJsonObject } : {}),
        },
      });
      if (keepsSearchHistory !== undefined) await this.setSearchHistory(tx, userId, keepsSearchHistory);
    });
    return this.read(userId);
  }

  /** A consent (C49): whoever asks later when it was given or taken back finds it in the audit log. */
  private async setSearchHistory(
    tx: Transaction,
    userId: string,
    keepsSearchHistory: boolean,
  ): Promise<void> {
    const { count } = await tx.user.updateMany({
      where: { id: userId, keepsSearchHistory: !keepsSearchHistory },
      data: { keepsSearchHistory },
    });
    if (count === 0) return;
    await this.audit.record(tx, {
      eventType: 'search.history-consent',
      category: 'search',
      action: 'update',
      target: { type: 'user', id: userId },
      oldValues: { keepsSearchHistory: !keepsSearchHistory },
      newValues: { keepsSearchHistory },
    });
  }
}
