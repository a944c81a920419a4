/**
 * Measures how good the search is on the judged library of test/relevance: nDCG@10, MRR and false answers of text,
 * semantic and hybrid, over all and per kind of query. docs/RELEVANCE.md says more.
 *
 *   npm run bench:relevance                   compares with the baseline; ends with 1 when something is worse
 *   npm run bench:relevance -- --update       rewrites the baseline
 *   npm run bench:relevance -- --details      lists the queries that could be better
 *   RELEVANCE_BASE_URL=http://127.0.0.1:8000/v1 npm run bench:relevance
 *     with the embeddings of any OpenAI-compatible server (OPENAI_API_KEY and OPENAI_EMBEDDING_* as in the product)
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import globalSetup from '../test/harness/global-setup.ts';
import globalTeardown from '../test/harness/global-teardown.ts';
import { loadDataset } from '../test/relevance/dataset.ts';
import {
  describeFailures,
  faultsAgainst,
  halvesTable,
  kindTable,
  modeTable,
  MODES,
  summarizeModes,
  type Summaries,
} from '../test/relevance/evaluate.ts';
import { measureRelevance, providerSettings } from '../test/relevance/measure.ts';

const BASELINE = new URL('../test/relevance/baseline.json', import.meta.url);

const { values: options } = parseArgs({
  options: { update: { type: 'boolean', default: false }, details: { type: 'boolean', default: false } },
});
const baseUrl = process.env['RELEVANCE_BASE_URL'];
if (baseUrl && options.update) throw new Error('the baseline is that of the local provider');

await globalSetup();
try {
  const dataset = await loadDataset();
  const started = performance.now();
  const { model, results } = await measureRelevance(dataset, providerSettings(process.env));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${dataset.queries.length} queries, ${dataset.items.length} items, ${model}, ${seconds} s`);
  console.table(modeTable(results));
  console.log('nDCG@10 of every other query');
  console.table(halvesTable(results));
  console.log('nDCG@10 by kind of query');
  console.table(kindTable(results));
  if (options.details) {
    for (const mode of MODES) console.log(`\n${mode}\n${describeFailures(results, mode).join('\n')}`);
  }
  const now = summarizeModes(results);
  if (options.update) {
    await writeFile(BASELINE, `${JSON.stringify(now, null, 2)}\n`);
    console.log('baseline.json rewritten');
  } else if (!baseUrl) {
    const baseline = JSON.parse(await readFile(BASELINE, 'utf8')) as Summaries;
    const faults = faultsAgainst(baseline, now);
    console.log(faults.length === 0 ? 'no worse than the baseline' : faults.join('\n'));
    if (faults.length > 0) process.exitCode = 1;
  }
} finally {
  await globalTeardown();
}
