import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;
type DriverTransaction = Awaited<ReturnType<Adapter['startTransaction']>>;

/**
 * The driver adapter of the application. Prisma 6.19 gives a connection back to the pool only after its COMMIT or
 * ROLLBACK has succeeded: when that statement fails (the server crashed, the network broke, a serializable transaction
 * was refused at its end) the connection stays taken for ever, and the pool dries up after a few crashes (threat B7).
 * Here such a connection is closed, and the pool makes a new one.
 */
export class ReleasingPrismaPg extends PrismaPg {
  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolationLevel) =>
      releaseOnFailedEnd(await startTransaction(isolationLevel));
    return adapter;
  }
}

function releaseOnFailedEnd(transaction: DriverTransaction): DriverTransaction {
  const executeRaw = transaction.executeRaw.bind(transaction);
  transaction.executeRaw = async (query) => {
    try {
      return await executeRaw(query);
    } catch (error) {
      // Closed, not reused: nobody knows in which state the transaction is.
      if (query.sql === 'COMMIT' || query.sql === 'ROLLBACK') {
        (transaction as unknown as { client: pg.PoolClient }).client.release(true);
      }
      throw error;
    }
  };
  return transaction;
}
