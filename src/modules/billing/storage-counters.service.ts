import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { compareCounters, correctCounter, lockCounter, type CounterRow } from './sql/storage-counters.sql.js';

/** Users per statement: also of large libraries it stays far from the time limit of a statement. */
const USERS_AT_A_TIME = 100;
/** Below every id there is. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * C25: a trigger keeps users.storage_used_bytes; this finds what went past it (a restored table, a repair by hand) and
 * sets it right. Part of the maintenance; may run at any time and twice at once.
 */
@Injectable()
export class StorageCountersService {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Looks at every user. Returns the number of counters that were wrong. */
  async reconcile(): Promise<number> {
    let corrected = 0;
    for (let after = FIRST_ID; ;) {
      const users = await this.database.runAsSystem('maintenance', (tx) =>
        tx.$queryRaw<CounterRow[]>(compareCounters(after, USERS_AT_A_TIME)),
      );
      for (const { id } of users.filter(({ differs }) => differs)) corrected += await this.correct(id);
      if (users.length < USERS_AT_A_TIME) return corrected;
      after = users.at(-1)!.id;
    }
  }

  /** Without the lock an upload that ends in between would be counted by neither: compared again behind it. */
  private correct(userId: string): Promise<number> {
    return this.database.runAsSystem('maintenance', async (tx) => {
      await tx.$queryRaw(lockCounter(userId));
      return tx.$executeRaw(correctCounter(userId));
    });
  }
}
