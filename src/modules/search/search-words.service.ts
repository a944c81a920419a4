import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { forgetLostWords, type ForgottenRow } from './sql/spelling.sql.js';

/** Per transaction, of a hundred words at most: so that it stays far from the time limit of a statement. */
const ROWS_AT_A_TIME = 5;

/** Removes words from the correction of typing errors that no document holds any more. Part of the maintenance. */
@Injectable()
export class SearchWordsService {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Works until nothing is due. Returns the number of words removed. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (;;) {
      const [row] = await this.database.runAsSystem('maintenance', (tx) =>
        tx.$queryRaw<ForgottenRow[]>(forgetLostWords(ROWS_AT_A_TIME)),
      );
      if (!row || row.lookedAt === 0) return removed;
      removed += row.removed;
    }
  }
}
