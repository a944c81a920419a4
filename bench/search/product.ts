import pg from 'pg';
import { decodeHalfvecText, encodeHalfvecBinary } from '../../src/infrastructure/ai/vectors.js';
import type { Transaction } from '../../src/infrastructure/database/database.js';
import type { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { MAX_EXACT_VECTORS, Ranker, type SearchPlan } from '../../src/modules/search/ranker.js';
import { SearchRepository } from '../../src/modules/search/search.repository.js';
import type { MediaFilter } from '../../src/modules/search/sql/restriction.sql.js';
import {
  SEARCH_SETTINGS,
  type SearchQueryInput,
  type SearchRow,
} from '../../src/modules/search/sql/search.sql.js';
import { inUserTransaction, send } from '../user-transaction.js';
import { BENCH_MODEL } from './data/data-set.js';

/** A page of 20, and one file more to know that there is another page. */
const WANTED = 21;
const STATEMENT_TIMEOUT = '30000';

export interface ProductAnswer {
  /** Files, best first. */
  ids: string[];
  plan: SearchPlan;
  /** The search statement alone, with the way to the server and back. */
  statementMs: number;
  /** From BEGIN to COMMIT: role and user, settings, the facts that choose the plan, the search. */
  transactionMs: number;
}

export type ProductQuery =
  { vector: string; filter?: MediaFilter; terms?: undefined } | { terms: string; filter?: MediaFilter };

/** Times what the product asks of the database. */
class TimedRepository extends SearchRepository {
  milliseconds = 0;

  override async search(tx: Transaction, input: SearchQueryInput): Promise<SearchRow> {
    const started = performance.now();
    const row = await super.search(tx, input);
    this.milliseconds += performance.now() - started;
    return row;
  }
}

/**
 * The product's own search on one connection of `pg`, without Prisma and HTTP: its ranker chooses the plan and its SQL
 * runs, under the role and the settings of a request. This is the only file of the benchmark that knows how.
 */
export class ProductSearch {
  private readonly repository = new TimedRepository();
  private readonly ranker = new Ranker(this.repository);
  private readonly tx: Transaction;

  private constructor(
    private readonly client: pg.Client,
    private readonly role: 'app_user' | null,
    private readonly plan: 'chosen' | 'exact',
  ) {
    this.tx = { $queryRaw: (sql: Prisma.Sql) => send(client, sql) } as unknown as Transaction;
  }

  /**
   * @param url the runtime login; or a superuser, with `withoutRls`, for the same statements without any policy
   * @param options.plan `exact`: whatever the size of the library
   */
  static async connect(
    url: string,
    options: { withoutRls?: boolean; plan?: 'chosen' | 'exact' } = {},
  ): Promise<ProductSearch> {
    // As the product's connections are.
    const client = new pg.Client({ connectionString: url, pipeline: true } as pg.ClientConfig);
    await client.connect();
    // The runtime login has these by ALTER ROLE; a superuser has not.
    await client.query('SET jit = off; SET max_parallel_workers_per_gather = 0');
    return new ProductSearch(client, options.withoutRls ? null : 'app_user', options.plan ?? 'chosen');
  }

  async search(userId: string, query: ProductQuery): Promise<ProductAnswer> {
    this.repository.milliseconds = 0;
    const started = performance.now();
    const { media, plan } = await inUserTransaction(this.client, userId, () => this.rank(userId, query), {
      role: this.role,
      settings: { statement_timeout: STATEMENT_TIMEOUT, ...SEARCH_SETTINGS },
    });
    return {
      ids: media.map((hit) => hit.id),
      plan,
      statementMs: this.repository.milliseconds,
      transactionMs: performance.now() - started,
    };
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  private async rank(userId: string, query: ProductQuery) {
    const common = {
      userId,
      alpha: 0.5,
      excludedTerms: null,
      filter: query.filter ?? {},
      zones: null,
      wanted: WANTED,
    };
    if (query.terms !== undefined) {
      return this.ranker.rank(this.tx, { ...common, mode: 'text', terms: query.terms, vector: null });
    }
    const model = BENCH_MODEL;
    const facts = await this.repository.planFacts(this.tx, {
      userId,
      model,
      countUpTo: MAX_EXACT_VECTORS + 1,
    });
    if (facts === null) throw new Error('the model of the benchmark is not the active one');
    const halfvec = encodeHalfvecBinary(decodeHalfvecText(query.vector));
    const vector = { halfvec, model, ...facts };
    if (this.plan === 'exact') vector.vectorCount = 0;
    return this.ranker.rank(this.tx, { ...common, mode: 'semantic', terms: '', vector });
  }
}
