import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';

/**
 * What a transaction that is about to begin takes on: statements that go to the server together with its BEGIN. A
 * statement of their own would cost every transaction one more round trip (docs/adr/0010).
 */
export interface TransactionOpening {
  /** Set-up statements without parameters, from constants and checked values only. */
  readonly statements: string;
  /** Set by the client once they have gone out. While it is false, the transaction has taken on nothing. */
  sent: boolean;
}

/** Holds the opening of the transaction that the current asynchronous context is about to begin. */
export const transactionOpening = new AsyncLocalStorage<TransactionOpening>();

type Query = (config: unknown, ...rest: unknown[]) => unknown;

/**
 * node-postgres' client, except that it sends a pending opening along with BEGIN, as one simple query of several
 * statements. Prisma's driver adapter begins transactions itself and leaves no other place for it.
 */
export class OpeningClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const query = super.query.bind(this) as unknown as Query;
    const withOpening: Query = (config, ...rest) => {
      const opening = transactionOpening.getStore();
      if (!opening || opening.sent || !isBegin(config)) return query(config, ...rest);
      opening.sent = true;
      return query({ ...config, text: `BEGIN; ${opening.statements}`, values: [] }, []);
    };
    this.query = withOpening as typeof this.query;
  }
}

function isBegin(config: unknown): config is { text: string } {
  return typeof config === 'object' && config !== null && (config as { text?: unknown }).text === 'BEGIN';
}
