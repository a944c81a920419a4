/**
 * npm run bench:search: measures the search on a real PostgreSQL with 200,000 clustered vectors of 500 users, beside the
 * documents' own design, plain pgvector and the libraries a Node developer would take instead. Prints Markdown tables
 * and writes them to bench/results/. `--help` lists the options.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { refreshLargeLibraryIndexes } from '../../scripts/db/large-library-indexes.js';
import type { Bench } from './bench.js';
import { adminUrl, BENCH_DATABASE, openCluster, PROJECT_DIR } from './data/cluster.js';
import { DataSet, FULL_SHAPE, QUICK_SHAPE } from './data/data-set.js';
import { loadDataSet } from './data/load.js';
import { readOptions, USAGE, type Options, type Part } from './options.js';
import { measureCosts } from './parts/costs.js';
import { gatherContenders } from './parts/contenders.js';
import { measureFilters } from './parts/filters.js';
import { measureHttp } from './parts/http.js';
import { measureIsolation } from './parts/isolation.js';
import { measureVectors } from './parts/vectors.js';
import { measureWords } from './parts/words.js';
import { machineFacts, Report } from './report.js';
import { Truth } from './truth.js';

async function run(options: Options): Promise<void> {
  const data = new DataSet(options.quick ? QUICK_SHAPE : FULL_SHAPE);
  const { postgres, isReused } = await openCluster(options.data);
  const scratch = await mkdtemp(join(tmpdir(), 'ai-media-search-bench-'));
  const report = new Report();
  try {
    if (!isReused) await loadDataSet(postgres, BENCH_DATABASE, data, console.log);
    const url = adminUrl(postgres);
    report.title(
      `Search benchmark: ${data.vectorCount.toLocaleString('en')} vectors, ${data.users.length} users` +
        (options.quick ? ' (quick)' : ''),
    );
    report.table(await machineFacts(url));
    await indexLargeLibraries(url, report);
    const bench: Bench = {
      ...{ data, postgres, report, scratch, options },
      adminUrl: url,
      runtimeUrl: postgres.runtimeUrl(BENCH_DATABASE),
      truth: await Truth.connect(url),
    };
    try {
      await runParts(bench, options);
    } finally {
      await bench.truth.close();
    }
    report.goalTable();
    const name = `${new Date().toISOString().slice(0, 10)}-search${options.quick ? '-quick' : ''}.md`;
    console.log(`\nWritten to ${report.write(join(PROJECT_DIR, 'bench', 'results'), name)}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    if (options.data === undefined) await postgres.stop();
    else await postgres.shutDown();
  }
}

/** As the operator does with db:large-libraries; those of an earlier run on the same cluster stay. */
async function indexLargeLibraries(url: string, report: Report): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const started = performance.now();
    const { made, kept } = await refreshLargeLibraryIndexes(client);
    const seconds = (performance.now() - started) / 1_000;
    const rows = [];
    for (const { indexName, vectors } of [...made, ...kept]) {
      const { rows: sizes } = await client.query<{ bytes: string }>('SELECT pg_relation_size($1) AS bytes', [
        `public.${indexName}`,
      ]);
      rows.push({ vectors, 'bytes a vector': Math.round(Number(sizes[0]?.bytes) / vectors) });
    }
    report.heading('Indexes of the large libraries (db:large-libraries)');
    report.text(made.length > 0 ? `Built in ${seconds.toFixed(0)} s.` : 'Built by an earlier run.');
    report.table(rows);
  } finally {
    await client.end();
  }
}

async function runParts(bench: Bench, options: Options): Promise<void> {
  const started = performance.now();
  for (const part of options.parts) {
    await PART_RUNS[part](bench, options);
    console.log(`\n(${part}: done after ${((performance.now() - started) / 1_000).toFixed(0)} s)`);
  }
}

const PART_RUNS: Record<Part, (bench: Bench, options: Options) => Promise<void>> = {
  vectors: async (bench, options) => {
    const { contenders, missing, close } = await gatherContenders(bench, options);
    try {
      await measureVectors(bench, contenders, missing);
    } finally {
      await close();
    }
  },
  filters: measureFilters,
  words: measureWords,
  http: measureHttp,
  isolation: measureIsolation,
  costs: measureCosts,
};

if (process.argv.includes('--help')) console.log(USAGE);
else await run(readOptions(process.argv.slice(2)));
