import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type {
  AdminSearchAnalyticsResponse,
  QueryFiguresResponse,
  SearchAnalyticsResponse,
} from './dto/analytics.dto.js';
import {
  queryFigures,
  searchesByDay,
  searchesByMode,
  searchTotals,
  type AnalyticsWindow,
  type QueryFiguresRow,
  type SearchDayRow,
  type SearchModeRow,
  type SearchTotalsRow,
} from './sql/analytics.sql.js';

/** Queries named in a report. */
const QUERIES = 10;

/** How searching goes: what is asked, what is found, what is opened, how long it takes. */
@Injectable()
export class SearchAnalyticsService {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** A user's own report (001-59). @param days 1..365, today included */
  ofUser(userId: string, days: number): Promise<SearchAnalyticsResponse> {
    return this.database.run(async (tx) => {
      const { totals, ...figures } = await this.figures(tx, { userId, days });
      const { userCount: _userCount, ...ownTotals } = totals;
      return {
        ...figures,
        totals: ownTotals,
        busiestQueries: await this.queries(tx, userId, days, 'searches'),
        zeroResultQueries: await this.queries(tx, userId, days, 'zero-results'),
      };
    });
  }

  /** The same over all users, for administrators, without any query (C49, C60): app_admin may not read them either. */
  ofEverybody(days: number): Promise<AdminSearchAnalyticsResponse> {
    return this.database.run((tx) => this.figures(tx, { userId: null, days }));
  }

  private async figures(tx: Transaction, window: AnalyticsWindow) {
    const days = await tx.$queryRaw<SearchDayRow[]>(searchesByDay(window));
    const [totals] = await tx.$queryRaw<SearchTotalsRow[]>(searchTotals(window));
    if (totals === undefined) throw new Error('the totals gave no row');
    return { days, totals, modes: await tx.$queryRaw<SearchModeRow[]>(searchesByMode(window)) };
  }

  private async queries(
    tx: Transaction,
    userId: string,
    days: number,
    by: 'searches' | 'zero-results',
  ): Promise<QueryFiguresResponse[]> {
    const rows = await tx.$queryRaw<QueryFiguresRow[]>(queryFigures({ userId, days, by, limit: QUERIES }));
    return rows.map((row) => ({ ...row, lastSearchedAt: row.lastSearchedAt.toISOString() }));
  }
}
