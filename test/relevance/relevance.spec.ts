import { readFile } from 'node:fs/promises';
import { faultsOf, KINDS, loadDataset, type Dataset } from './dataset.js';
import { faultsAgainst, kindTable, modeTable, summarizeModes, type Summaries } from './evaluate.js';
import { FakeOpenAiServer } from '../../src/infrastructure/ai/testing/fake-openai-server.js';
import { measureRelevance, providerSettings } from './measure.js';

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
}, 600_000);

it('measures the embeddings of an OpenAI-compatible server when one variable names it', async () => {
  const items = dataset.items.filter(({ tags }) => tags.includes('bruno') || tags.includes('minka'));
  const ids = new Set(items.map(({ id }) => id));
  const queries = dataset.queries
    .filter(({ query }) => ['cat keyboard', 'pet sleeping on the sofa', 'kangaroo'].includes(query))
    .filter(({ judgements }) => Object.keys(judgements).every((id) => ids.has(id)));
  expect(queries).toHaveLength(3);
  const server = await FakeOpenAiServer.start();
  try {
    const settings = providerSettings({ RELEVANCE_BASE_URL: server.baseUrl, HOME: '/home/somebody' });
    const { model, results } = await measureRelevance({ items, queries }, settings);
    expect(model).toBe('openai/text-embedding-3-small/v1');
    expect(summarizeModes(results).semantic).toMatchObject({ ndcgAt10: 1, meanReciprocalRank: 1 });
    // The texts of the library in one request, then each query of semantic and hybrid by itself.
    expect(server.requests.map(({ path }) => path)).toEqual(
      Array(1 + 2 * queries.length).fill('/v1/embeddings'),
    );
  } finally {
    await server.stop();
  }
}, 120_000);

it('stays with the local provider when only the product itself is set up for another one', () => {
  expect(providerSettings({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_API_KEY: 'secret' })).toEqual(
    {},
  );
  expect(
    providerSettings({
      RELEVANCE_BASE_URL: 'http://127.0.0.1:1/v1',
      OPENAI_EMBEDDING_MODEL: 'm',
      PATH: '/bin',
    }),
  ).toEqual({
    AI_PROVIDER: 'openai',
    OPENAI_API_KEY: 'none',
    OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
    OPENAI_EMBEDDING_MODEL: 'm',
  });
});
