import { readFile } from 'node:fs/promises';
import { faultsOf, KINDS, loadDataset, type Dataset } from './dataset.js';
import { faultsAgainst, kindTable, modeTable, summarizeModes, type Summaries } from './evaluate.js';
import { measureRelevance } from './measure.js';

/**
 * The gate of the search's quality: `npm run bench:relevance` prints the same figures, `-- --update` rewrites the
 * baseline (docs/RELEVANCE.md).
 */
let dataset: Dataset;

beforeAll(async () => {
  dataset = await loadDataset();
});

it('has a library and judgements that are large, varied and free of contradictions', () => {
  expect(faultsOf(dataset)).toEqual([]);
  expect(dataset.items.length).toBeGreaterThanOrEqual(320);
  expect(dataset.queries.length).toBeGreaterThanOrEqual(72);
  expect(new Set(dataset.queries.map(({ kind }) => kind))).toEqual(new Set(KINDS));
});

it('finds no worse than the baseline, and hybrid beats words and meaning alone', async () => {
  const { results } = await measureRelevance(dataset);
  const baseline = JSON.parse(await readFile(new URL('baseline.json', import.meta.url), 'utf8')) as Summaries;
  const faults = faultsAgainst(baseline, summarizeModes(results));
  // The tables go into the message: a red gate says where to look.
  const tables = JSON.stringify({ modes: modeTable(results), kinds: kindTable(results) }, null, 1);
  expect(faults.length === 0 ? [] : [...faults, tables]).toEqual([]);
}, 300_000);
