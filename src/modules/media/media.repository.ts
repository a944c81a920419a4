import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { MediaFile, Prisma } from '../../infrastructure/database/generated/client.js';

/** Files may be brought back this long; then they are gone for good (C58). */
export const TRASH_DAYS = 30;

/** Queries over media_files. */
@Injectable()
export class MediaRepository {
  /** A file that is not in the trash, or null. */
  async findActive(tx: Transaction, userId: string, id: string): Promise<MediaFile | null> {
    return tx.mediaFile.findFirst({ where: { userId, id, deletedAt: null } });
  }

  /** The files among `ids` that are not in the trash, in no particular order. */
  async findManyActive(tx: Transaction, userId: string, ids: string[]): Promise<MediaFile[]> {
    return tx.mediaFile.findMany({ where: { userId, id: { in: ids }, deletedAt: null } });
  }

  /** The file with these bytes that is not in the trash, or null. */
  async findActiveByHash(tx: Transaction, userId: string, fileHash: string): Promise<MediaFile | null> {
    return tx.mediaFile.findFirst({ where: { userId, fileHash, deletedAt: null } });
  }

  async insert(tx: Transaction, data: Prisma.MediaFileUncheckedCreateInput): Promise<MediaFile> {
    return tx.mediaFile.create({ data });
  }
}
