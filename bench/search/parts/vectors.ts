import { questionsOf, sizesOf, type Bench } from '../bench.js';
import type { Contender } from '../contenders/contender.js';
import { interleave, mean, recallOf, Timings } from '../measure.js';
import { round, type Row } from '../report.js';
import { TOP } from '../truth.js';

/** Goals of the issue, per size of user. */
const RECALL_GOAL = 0.995;
const P50_GOALS: Readonly<Record<number, number>> = { 100: 2, 1_000: 4, 10_000: 7, 50_000: 12 };
const RLS_GOAL = 1.3;
const WARM_UP = 5;

interface Result {
  timings: Timings;
  recalls: number[];
  pages: number[];
}

/** One user's nearest vectors: the product and everything else, query by query in turn. */
export async function measureVectors(
  bench: Bench,
  contenders: Contender[],
  missing: string[],
): Promise<void> {
  const { report } = bench;
  report.heading(
    "One user's nearest vectors",
    `Milliseconds p50 / p95 and recall@${TOP} of ${bench.options.queries} queries per size, one connection, warm. ` +
      'Every query is put to all of them in turn, each round beginning with another one.',
  );
  const results = new Map<number, Map<string, Result>>();
  for (const size of sizesOf(bench)) results.set(size, await measureSize(bench, contenders, size));
  report.table(contenders.map((contender) => rowOf(contender, results)));
  for (const line of missing) report.text(`**Not measured:** ${line}`);
  report.text(contenders.map(({ name, note }) => `- **${name}**: ${note}.`).join('\n'));
  noteGoals(bench, results);
}

async function measureSize(
  bench: Bench,
  contenders: Contender[],
  size: number,
): Promise<Map<string, Result>> {
  const questions = questionsOf(bench, size);
  const truths = { visible: [] as string[][], owned: [] as string[][] };
  for (const { user, vector } of questions) {
    truths.visible.push(await bench.truth.visible(user.id, vector.halfvec));
    truths.owned.push(await bench.truth.owned(user.id, vector.halfvec));
  }
  const results = new Map<string, Result>(
    contenders.map(({ name }) => [name, { timings: new Timings(), recalls: [], pages: [] }]),
  );
  await interleave(contenders, questions.length, WARM_UP, async (contender, round, counts) => {
    const { user, vector } = questions[round]!;
    const { ids, milliseconds } = await contender.search(user, vector);
    if (!counts) return;
    const result = results.get(contender.name)!;
    result.timings.add(milliseconds);
    result.recalls.push(recallOf(truths[contender.scope][round]!, ids));
    result.pages.push(ids.length);
  });
  return results;
}

function rowOf(contender: Contender, results: Map<number, Map<string, Result>>): Row {
  const row: Row = { system: contender.name };
  for (const [size, bySystem] of results) {
    const { timings, recalls } = bySystem.get(contender.name)!;
    row[`user of ${size.toLocaleString('en')}`] =
      `${round(timings.p50)} / ${round(timings.p95)} / ${mean(recalls).toFixed(4)}`;
  }
  return row;
}

function noteGoals(bench: Bench, results: Map<number, Map<string, Result>>): void {
  const { report } = bench;
  for (const [size, bySystem] of results) {
    const product = bySystem.get('product')!;
    const user = `user of ${size.toLocaleString('en')}`;
    report.goal(`${user}: recall@${TOP}`, mean(product.recalls), RECALL_GOAL, '', 'at least');
    report.goal(`${user}: files on the page, fewest`, Math.min(...product.pages), TOP, '', 'at least');
    const limit = P50_GOALS[size];
    if (limit !== undefined) report.goal(`${user}: SQL p50`, product.timings.p50, limit, ' ms');
    const open = bySystem.get('product, no RLS');
    if (open)
      report.goal(`${user}: with RLS / without, p50`, product.timings.p50 / open.timings.p50, RLS_GOAL, ' x');
    for (const [name, peer] of bySystem) {
      const isRival = name.startsWith('LanceDB') || (name.includes('bits') && size >= 10_000);
      if (isRival)
        report.goal(`${user}: p50 / that of ${name}`, product.timings.p50 / peer.timings.p50, 1, ' x');
    }
  }
}
