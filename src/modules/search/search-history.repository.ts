import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { Prisma, SearchRecord } from '../../infrastructure/database/generated/client.js';
import {
  insertSearch,
  lockSearch,
  noteShownPage,
  refreshClicks,
  settleSearch,
  type ClickedSearchRow,
  type NewSearchRow,
} from './sql/history.sql.js';

/** Where a page of the history ends. */
export interface HistoryPosition {
  searchedAt: Date;
  id: string;
}

/** search_history and search_clicks. */
@Injectable()
export class SearchHistoryRepository {
  async insert(tx: Transaction, row: NewSearchRow): Promise<void> {
    await tx.$executeRaw(insertSearch(row));
  }

  async settle(tx: Transaction, input: Parameters<typeof settleSearch>[0]): Promise<boolean> {
    const rows = await tx.$queryRaw<{ isCharged: boolean }[]>(settleSearch(input));
    return rows[0]?.isCharged ?? false;
  }

  /** Null when the user has no such search. */
  find(tx: Transaction, userId: string, id: string): Promise<SearchRecord | null> {
    return tx.searchRecord.findFirst({ where: { userId, id } });
  }

  async shownResults(
    tx: Transaction,
    userId: string,
    searchId: string,
    searchedAt: Date,
  ): Promise<string[] | null> {
    const row = await tx.searchRecord.findFirst({
      where: { userId, id: searchId, searchedAt },
      select: { shownResults: true },
    });
    return row?.shownResults ?? null;
  }

  async noteShownPage(tx: Transaction, input: Parameters<typeof noteShownPage>[0]): Promise<void> {
    await tx.$executeRaw(noteShownPage(input));
  }

  /** Those that still say what was searched for (C49), newest first; one more than `take` tells that there is a next page. */
  list(
    tx: Transaction,
    userId: string,
    after: HistoryPosition | null,
    take: number,
  ): Promise<SearchRecord[]> {
    return tx.searchRecord.findMany({
      where: {
        userId,
        anonymizedAt: null,
        ...(after
          ? {
              OR: [
                { searchedAt: { lt: after.searchedAt } },
                { searchedAt: after.searchedAt, id: { lt: after.id } },
              ],
            }
          : {}),
      },
      orderBy: [{ searchedAt: 'desc' }, { id: 'desc' }],
      take,
    });
  }

  /** Locks the search; null when the user has no such search. */
  async lock(tx: Transaction, userId: string, searchId: string): Promise<ClickedSearchRow | null> {
    const rows = await tx.$queryRaw<ClickedSearchRow[]>(lockSearch({ userId, searchId }));
    return rows[0] ?? null;
  }

  /** A second click on the same file changes nothing. */
  async insertClick(tx: Transaction, data: Prisma.SearchClickUncheckedCreateInput): Promise<void> {
    await tx.searchClick.createMany({ data: [data], skipDuplicates: true });
  }

  async refreshClicks(tx: Transaction, input: Parameters<typeof refreshClicks>[0]): Promise<number> {
    const rows = await tx.$queryRaw<{ clickThroughRate: number | null }[]>(refreshClicks(input));
    return rows[0]?.clickThroughRate ?? 0;
  }

  async clear(tx: Transaction, userId: string): Promise<number> {
    const { count } = await tx.searchRecord.deleteMany({ where: { userId } });
    return count;
  }
}
