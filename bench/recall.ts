/**
 * npm run bench:recall: a live check for operators. Takes stored vectors of some users of a running installation as
 * queries, asks the search as it is planned and exactly, both under row-level security, and prints the recall per size
 * of library. Reads only; at most 200 queries. Ends with status 1 when a class is below the threshold.
 *
 *   DATABASE_URL=<the runtime login> npm run bench:recall -- [--threshold .98] [--users 5] [--queries 10]
 */
import { parseArgs } from 'node:util';
import pino from 'pino';
import { loadConfig } from '../src/infrastructure/config/config.js';
import { resolveDatabaseUrl } from '../src/infrastructure/config/secrets.js';
import { Database } from '../src/infrastructure/database/database.js';
import { createPool } from '../src/infrastructure/database/pool.js';
import { Ranker } from '../src/modules/search/ranker.js';
import { RECALL_DEPTH, sampleRecall } from '../src/modules/search/recall.js';
import { SearchRepository } from '../src/modules/search/search.repository.js';
import { runScript, ScriptError } from '../scripts/db/connection.js';
import {
  activeModel,
  readOnlyAs,
  sampleUsers,
  sampleVectors,
  SIZE_CLASSES,
  sizeClassOf,
  type ActiveModel,
  type SampledUser,
} from './recall-samples.js';

const MOST_QUERIES = 200;
const STATEMENT_TIMEOUT_MS = 10_000;

interface Options {
  threshold: number;
  users: number;
  queries: number;
}

interface Found {
  user: SampledUser;
  plan: string;
  recall: number;
}

await runScript(async () => {
  const options = readOptions();
  const { DATABASE_URL, DATABASE_SSL, DATABASE_SSL_CA_FILE, PARAMETER_STORE_DB_URL } = process.env;
  const config = loadConfig({ DATABASE_URL, DATABASE_SSL, DATABASE_SSL_CA_FILE, PARAMETER_STORE_DB_URL });
  const url = await resolveDatabaseUrl(config);
  if (!url) throw new ScriptError('Set DATABASE_URL to the login of the application.');
  const pool = createPool(url, { ...config, DATABASE_POOL_MAX: 1, DATABASE_POOL_MIN: 0 });
  const settings = { slowQueryMs: STATEMENT_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  const database = new Database(pool, settings, pino({ level: 'error' }));
  try {
    await check(database, options);
  } finally {
    await database.end();
  }
});

async function check(database: Database, options: Options): Promise<void> {
  const sampled = await readOnlyAs(database, null, async (tx) => {
    const model = await activeModel(tx);
    return model && { model, users: await sampleUsers(tx, model.id, options.users) };
  });
  if (sampled === null || sampled.users.length === 0)
    throw new ScriptError('There are no vectors to search yet.');
  const { model, users } = sampled;
  const queries = Math.max(1, Math.min(options.queries, Math.floor(MOST_QUERIES / users.length)));
  const found: Found[] = [];
  for (const user of users) found.push(...(await checkUser(database, model, user, queries)));

  const classes = SIZE_CLASSES.map(({ name }) => ({
    name,
    found: found.filter(({ user }) => sizeClassOf(user.vectorCount) === name),
  })).filter((sizeClass) => sizeClass.found.length > 0);
  console.table(
    classes.map(({ name, found: samples }) => ({
      vectors: name,
      users: new Set(samples.map(({ user }) => user.userId)).size,
      queries: samples.length,
      plan: [...new Set(samples.map(({ plan }) => plan))].join(', '),
      [`recall@${RECALL_DEPTH}`]: average(samples).toFixed(4),
      'worst query': Math.min(...samples.map(({ recall }) => recall)).toFixed(2),
    })),
  );
  const low = classes.filter(({ found: samples }) => average(samples) < options.threshold);
  if (low.length > 0) {
    const names = low.map(({ name }) => name).join('; ');
    throw new ScriptError(`Recall is below ${options.threshold} for users with ${names} vectors.`);
  }
}

/** Each query in a transaction of its own, so that none holds back the vacuum of a busy installation. */
async function checkUser(
  database: Database,
  model: ActiveModel,
  user: SampledUser,
  queries: number,
): Promise<Found[]> {
  const ranker = new Ranker(new SearchRepository());
  const { userId, vectorCount } = user;
  const vectors = await readOnlyAs(database, userId, (tx) => sampleVectors(tx, user, model.id, queries));
  const found: Found[] = [];
  for (const halfvec of vectors) {
    const sample = await readOnlyAs(database, userId, (tx) =>
      sampleRecall(ranker, tx, {
        ...{ userId, mode: 'semantic', alpha: 1, terms: '', excludedTerms: null, filter: {}, zones: null },
        vector: { halfvec, model, modelId: model.id, vectorCount },
      }),
    );
    found.push({ user, ...sample });
  }
  return found;
}

function average(samples: readonly Found[]): number {
  return samples.reduce((sum, { recall }) => sum + recall, 0) / samples.length;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      threshold: { type: 'string', default: '0.98' },
      users: { type: 'string', default: '5' },
      queries: { type: 'string', default: '10' },
    },
  });
  const threshold = Number(values.threshold);
  const [users, queries] = [Number(values.users), Number(values.queries)];
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 50;
  if (!(threshold > 0 && threshold <= 1) || !isCount(users) || !isCount(queries)) {
    throw new ScriptError('--threshold is above 0 and at most 1; --users and --queries are 1 to 50.');
  }
  return { threshold, users, queries };
}
