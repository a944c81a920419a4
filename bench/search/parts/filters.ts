import { measuredUsers, questionsOf, sizesOf, type Bench } from '../bench.js';
import { interleave, mean, recallOf, Timings } from '../measure.js';
import { ProductSearch } from '../product.js';
import { round, type Row } from '../report.js';
import { FILTERS, NO_FILTER, TOP } from '../truth.js';
import pg from 'pg';

const RECALL_GOAL = 0.995;
const WARM_UP = 4;

/** The product with filters: is the page full, is it the right one, what does it cost? */
export async function measureFilters(bench: Bench): Promise<void> {
  const { report } = bench;
  report.heading(
    'Filters',
    `The product under RLS, ${Math.ceil(bench.options.queries / 2)} queries each. "Fits" is the share of the user's files ` +
      `that fit the filter; a page is short when fewer than ${TOP} files came although the exact answer has more.`,
  );
  const product = await ProductSearch.connect(bench.runtimeUrl);
  const rows: Row[] = [];
  for (const size of sizesOf(bench)) rows.push(...(await measureSize(bench, product, size)));
  await product.close();
  report.table(rows);
}

async function measureSize(bench: Bench, product: ProductSearch, size: number): Promise<Row[]> {
  const questions = questionsOf(bench, size, Math.ceil(bench.options.queries / 2));
  const cases = [NO_FILTER, ...FILTERS].map((filterCase) => ({
    ...filterCase,
    timings: new Timings(),
    recalls: [] as number[],
    shortPages: 0,
  }));
  await interleave(cases, questions.length, WARM_UP, async (filterCase, number, counts) => {
    const { user, vector } = questions[number]!;
    const { ids, statementMs } = await product.search(user.id, {
      vector: vector.halfvec,
      filter: filterCase.filter,
    });
    if (!counts) return;
    const exact = await bench.truth.visible(user.id, vector.halfvec, filterCase.condition);
    filterCase.timings.add(statementMs);
    filterCase.recalls.push(recallOf(exact, ids));
    if (Math.min(ids.length, TOP) < exact.length) filterCase.shortPages++;
  });
  const rows: Row[] = [];
  for (const { name, condition, timings, recalls, shortPages } of cases) {
    rows.push({
      user: size,
      filter: name,
      fits: `${(100 * (await shareOf(bench, size, condition))).toFixed(0)} %`,
      'p50 ms': round(timings.p50),
      'p95 ms': round(timings.p95),
      [`recall@${TOP}`]: mean(recalls).toFixed(4),
      'short pages': shortPages,
    });
  }
  const user = `user of ${size.toLocaleString('en')}`;
  const worst = Math.min(...cases.map(({ recalls }) => mean(recalls)));
  bench.report.goal(`${user}: recall@${TOP} under the worst filter`, worst, RECALL_GOAL, '', 'at least');
  const shortPages = cases.reduce((sum, filterCase) => sum + filterCase.shortPages, 0);
  bench.report.goal(`${user}: short pages under filters`, shortPages, 0, '');
  return rows;
}

async function shareOf(bench: Bench, size: number, condition: string): Promise<number> {
  const client = new pg.Client({ connectionString: bench.adminUrl });
  await client.connect();
  const { rows } = await client.query<{ share: number }>(
    `SELECT avg(CASE WHEN ${condition} THEN 1 ELSE 0 END)::float8 AS share FROM media_files m WHERE m.user_id = ANY($1)`,
    [measuredUsers(bench, size).map((user) => user.id)],
  );
  await client.end();
  return rows[0]!.share;
}
