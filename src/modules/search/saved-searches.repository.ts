import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { Prisma, SavedSearch } from '../../infrastructure/database/generated/client.js';
import { lockOwner, lockSavedSearch } from './sql/saved-searches.sql.js';

/** saved_searches. */
@Injectable()
export class SavedSearchesRepository {
  insert(tx: Transaction, data: Prisma.SavedSearchUncheckedCreateInput): Promise<SavedSearch> {
    return tx.savedSearch.create({ data });
  }

  find(tx: Transaction, userId: string, id: string): Promise<SavedSearch | null> {
    return tx.savedSearch.findUnique({ where: { userId_id: { userId, id } } });
  }

  /** As `find`; nobody else changes it until the transaction ends. */
  async lock(tx: Transaction, userId: string, id: string): Promise<SavedSearch | null> {
    await tx.$queryRaw(lockSavedSearch({ userId, id }));
    return this.find(tx, userId, id);
  }

  /** Newest first: ids are in the order of time. */
  list(tx: Transaction, userId: string, beforeId: string | null, take: number): Promise<SavedSearch[]> {
    return tx.savedSearch.findMany({
      where: { userId, ...(beforeId ? { id: { lt: beforeId } } : {}) },
      orderBy: { id: 'desc' },
      take,
    });
  }

  /** How many the user has; no other can be added until the transaction ends. */
  async lockAndCount(tx: Transaction, userId: string): Promise<number> {
    await tx.$queryRaw(lockOwner({ userId }));
    return tx.savedSearch.count({ where: { userId } });
  }

  update(
    tx: Transaction,
    userId: string,
    id: string,
    data: Prisma.SavedSearchUncheckedUpdateInput,
  ): Promise<SavedSearch> {
    return tx.savedSearch.update({ where: { userId_id: { userId, id } }, data });
  }

  /** @returns whether there was one */
  async delete(tx: Transaction, userId: string, id: string): Promise<boolean> {
    const { count } = await tx.savedSearch.deleteMany({ where: { userId, id } });
    return count > 0;
  }
}
