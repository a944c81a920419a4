import pg from 'pg';
import { sizesOf, type Bench } from '../bench.js';
import type { BenchUser } from '../data/data-set.js';
import { interleave, mean, Timings } from '../measure.js';
import { ProductSearch } from '../product.js';
import { round } from '../report.js';

/** How many of the documents hold the word: as in the measurement that the goals come from. */
const COMMON_SHARE = 0.25;
const RARE_SHARE = 0.001;
const TRIPLE_SHARE = 0.1;
const WORDS_PER_KIND = 10;
const GOALS_MS = { 'a common word': 60, 'a rare word': 3, 'three words': 10 };
const WARM_UP = 5;

type Kind = keyof typeof GOALS_MS;

/** Text search of the largest user, through the product's own text leg. */
export async function measureWords(bench: Bench): Promise<void> {
  const size = Math.max(...sizesOf(bench));
  const user = bench.data.usersOf(size)[0]!;
  const queries = await chooseWords(bench, user);
  bench.report.heading(
    'Words',
    `Text mode for the user of ${size.toLocaleString('en')} documents among ${bench.data.vectorCount.toLocaleString('en')}, ` +
      `${bench.options.queries} searches each with ${WORDS_PER_KIND} different words in turn, the search statement under RLS.`,
  );
  const product = await ProductSearch.connect(bench.runtimeUrl);
  const kinds = (Object.keys(GOALS_MS) as Kind[]).map((name) => ({
    name,
    terms: queries[name].terms,
    timings: new Timings(),
    found: [] as number[],
  }));
  await interleave(kinds, bench.options.queries, WARM_UP, async (kind, number, counts) => {
    const terms = kind.terms[number % kind.terms.length]!;
    const { ids, statementMs } = await product.search(user.id, { terms });
    if (!counts) return;
    kind.timings.add(statementMs);
    kind.found.push(ids.length);
  });
  await product.close();
  bench.report.table(
    kinds.map(({ name, timings, found }) => ({
      query: name,
      'documents with it': Math.round(queries[name].documents),
      'files ranked': Math.round(mean(found)),
      'p50 ms': round(timings.p50),
      'p95 ms': round(timings.p95),
    })),
  );
  if (size < 50_000) return;
  for (const { name, timings } of kinds)
    bench.report.goal(`${name}: p50`, timings.p50, GOALS_MS[name], ' ms');
}

interface Words {
  terms: string[];
  /** Documents that hold it, on average. For three words: documents that hold each single one. */
  documents: number;
}

async function chooseWords(bench: Bench, user: BenchUser): Promise<Record<Kind, Words>> {
  const client = new pg.Client({ connectionString: bench.adminUrl });
  await client.connect();
  const { rows } = await client.query<{ word: string; documents: number }>(
    `SELECT word, ndoc AS documents FROM ts_stat(format($$
       SELECT tsv FROM search_docs WHERE user_id = %L $$, $1::uuid)) WHERE word ~ '^[a-z]+$' ORDER BY ndoc DESC, word`,
    [user.id],
  );
  await client.end();
  const all = rows[0]!.documents;
  const nearest = (share: number, count: number): typeof rows =>
    [...rows]
      .sort((a, b) => Math.abs(a.documents - share * all) - Math.abs(b.documents - share * all))
      .slice(0, count);
  const average = (words: typeof rows): number => mean(words.map((word) => word.documents));
  const single = (share: number): Words => {
    const words = nearest(share, WORDS_PER_KIND);
    return { terms: words.map(({ word }) => word), documents: average(words) };
  };
  const parts = nearest(TRIPLE_SHARE, 3 * WORDS_PER_KIND);
  return {
    'a common word': single(COMMON_SHARE),
    'a rare word': single(RARE_SHARE),
    'three words': {
      terms: Array.from({ length: WORDS_PER_KIND }, (_, index) =>
        [0, 1, 2].map((place) => parts[index + place * WORDS_PER_KIND]!.word).join(' '),
      ),
      documents: average(parts),
    },
  };
}
