import pg from 'pg';
import type { BenchUser } from '../data/data-set.js';
import { ProductSearch } from '../product.js';
import { timed } from '../measure.js';
import { TOP } from '../truth.js';
import type { Answer, Contender, QueryVector } from './contender.js';

/** The product's search statement, as its own ranker asks it. */
export class ProductContender implements Contender {
  readonly scope = 'visible';

  private constructor(
    readonly name: string,
    readonly note: string,
    private readonly product: ProductSearch,
  ) {}

  static async withRls(runtimeUrl: string): Promise<ProductContender> {
    return new ProductContender(
      'product',
      'this product: its ranker and SQL under row-level security through `pg`; the search statement is timed',
      await ProductSearch.connect(runtimeUrl),
    );
  }

  static async withoutRls(adminUrl: string): Promise<ProductContender> {
    return new ProductContender(
      'product, no RLS',
      'the same statements sent by a superuser, whom no policy concerns',
      await ProductSearch.connect(adminUrl, { withoutRls: true }),
    );
  }

  async search(user: BenchUser, { halfvec }: QueryVector): Promise<Answer> {
    const { ids, statementMs } = await this.product.search(user.id, { vector: halfvec });
    return { ids: ids.slice(0, TOP), milliseconds: statementMs };
  }

  close(): Promise<void> {
    return this.product.close();
  }
}

/** What one would write first: the nearest vectors of one owner, no policy, no join, no approximation. */
export class PlainContender implements Contender {
  readonly name = 'plain pgvector';
  readonly note =
    '`WHERE user_id = $1 ORDER BY embedding <=> $2 LIMIT 20` on the same table, as a superuser without RLS, exact';
  readonly scope = 'owned';

  private constructor(private readonly client: pg.Client) {}

  static async connect(adminUrl: string): Promise<PlainContender> {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    await client.query('SET jit = off; SET max_parallel_workers_per_gather = 0');
    return new PlainContender(client);
  }

  async search(user: BenchUser, { halfvec }: QueryVector): Promise<Answer> {
    const { value, milliseconds } = await timed(() =>
      this.client.query<{ id: string }>(
        `SELECT media_file_id AS id FROM media_embeddings WHERE user_id = $1
         ORDER BY embedding <=> $2::halfvec(1536) LIMIT ${TOP}`,
        [user.id, halfvec],
      ),
    );
    return { ids: value.rows.map((row) => row.id), milliseconds };
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
