import pg from 'pg';
import { sizesOf, type Bench } from '../bench.js';
import { DataSet, TINY_SHAPE, QUICK_SHAPE } from '../data/data-set.js';
import { loadDataSet } from '../data/load.js';
import { encodeHalfvecText } from '../../../src/infrastructure/ai/vectors.js';
import { interleave, Timings } from '../measure.js';
import { ProductSearch } from '../product.js';
import { round } from '../report.js';

const FEW_DATABASE = 'bench_few';
const GOAL_PERCENT = 15;
const WARM_UP = 20;
const ROUNDS_PER_QUERY = 4;

/**
 * Does a small user feel how much the others have? The same users with the same files and queries in two databases of
 * one server, one with a tenth of the other users' vectors; each query is put to both in turn.
 */
export async function measureIsolation(bench: Bench): Promise<void> {
  const { report, postgres, data } = bench;
  const few = new DataSet(bench.options.quick ? TINY_SHAPE : QUICK_SHAPE);
  await ensureFew(bench, few);
  const size = Math.min(...sizesOf(bench));
  const users = few.usersOf(size);
  const vectors = users.map((user) => few.queryVectors(user, 5).map(encodeHalfvecText));
  const sides = [
    { name: few.vectorCount, product: await ProductSearch.connect(postgres.runtimeUrl(FEW_DATABASE)) },
    { name: data.vectorCount, product: await ProductSearch.connect(bench.runtimeUrl) },
  ].map((side) => ({ ...side, timings: new Timings() }));
  const rounds = ROUNDS_PER_QUERY * bench.options.queries;
  await interleave(sides, rounds, WARM_UP, async ({ product, timings }, number, counts) => {
    const user = number % users.length;
    const vector = vectors[user]![Math.floor(number / users.length) % 5]!;
    const { statementMs } = await product.search(users[user]!.id, { vector });
    if (counts) timings.add(statementMs);
  });
  for (const { product } of sides) await product.close();
  const [small, large] = sides as [(typeof sides)[number], (typeof sides)[number]];
  const change = 100 * (large.timings.p50 / small.timings.p50 - 1);
  report.heading(
    'A small user among few and among many',
    `${users.length} users of ${size} vectors, the same in both databases; ${rounds} searches in each, in turn; the search ` +
      'statement.',
  );
  report.table(
    sides.map(({ name, timings }) => ({
      'vectors of all users': name.toLocaleString('en'),
      'p50 ms': round(timings.p50),
      'p95 ms': round(timings.p95),
    })),
  );
  report.text(`Change of the median: ${change.toFixed(1)} %.`);
  report.goal('small user: slower beside many, p50', change, GOAL_PERCENT, ' %');
}

async function ensureFew(bench: Bench, few: DataSet): Promise<void> {
  const client = new pg.Client({ connectionString: bench.postgres.adminUrl });
  await client.connect();
  const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [FEW_DATABASE]);
  await client.end();
  if (rows.length === 0) await loadDataSet(bench.postgres, FEW_DATABASE, few);
}
