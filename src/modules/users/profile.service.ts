import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import type { Prisma } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import type { ProfileResponse, ProfileUpdate } from './dto/users.dto.js';

const MAX_SETTINGS_BYTES = 16_384;

/** The caller's own account. */
@Injectable()
export class ProfileService {
  constructor(@Inject(Database) private readonly database: Database) {}

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
    await this.database.run((tx) =>
      tx.user.updateMany({
        where: { id: userId },
        data: {
          ...(update.displayName !== undefined ? { displayName: update.displayName?.trim() || null } : {}),
          ...(update.avatarUrl !== undefined ? { avatarUrl: update.avatarUrl } : {}),
          ...(update.settings !== undefined ? { settings: update.settings as Prisma.InputJsonObject } : {}),
        },
      }),
    );
    return this.read(userId);
  }
}
