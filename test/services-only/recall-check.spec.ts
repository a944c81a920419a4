import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/infrastructure/database/database.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
import { runProgram } from '../harness/run-program.js';
import {
  activeModel,
  asUser,
  insertClusters,
  randomSource,
  randomVector,
} from '../integration/search-fixtures.js';

/** What an operator runs against an installation; so it gets the login that the application has. */
describe('npm run bench:recall', () => {
  let database: Database;
  let runtimeUrl: string;
  let modelId: number;
  beforeAll(async () => {
    ({ runtimeUrl } = await ownDatabaseUrls('recall_check'));
    database = await connectTestDatabase({ url: runtimeUrl });
    modelId = await activeModel(database);
  });
  afterAll(() => database.end());

  const check = (...args: string[]): Promise<{ code: number | null; output: string }> =>
    runProgram('./bench/hooks.mjs', 'bench/recall.ts', args, { DATABASE_URL: runtimeUrl });

  const random = randomSource(12);
  const vectors = (count: number) => Array.from({ length: count }, () => randomVector(random));

  /** More vectors than are compared one by one, as files of a user of their own. */
  async function addLibrary(centres: Float32Array[], noises: Float32Array[]): Promise<void> {
    const user = await createUser(database);
    await asUser(user.id, () =>
      database.run((tx) => insertClusters(tx, user.id, modelId, centres, noises), { timeoutMs: 60_000 }),
    );
  }

  it('ends with 0 while searches find what is near, and with 1 when they do not', async () => {
    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining('no vectors to search') });

    await addLibrary(vectors(26), vectors(40));
    const good = await check('--queries', '5');
    expect(good).toMatchObject({ code: 0, output: expect.stringContaining("│ 'ann' │ '1.0000'") });

    // The first cut goes by the signs of the elements, which are all the same here: it cuts blindly.
    const alike = (count: number) => vectors(count).map((vector) => vector.map(Math.abs));
    await addLibrary(alike(26), alike(40));
    const bad = await check('--queries', '5');
    expect(bad).toMatchObject({
      code: 1,
      output: expect.stringContaining('Recall is below 0.98 for users with 1,000 to 9,999 vectors.'),
    });
    expect(await check('--queries', '5', '--threshold', '0.01')).toMatchObject({ code: 0 });
  });

  it('refuses a threshold that means nothing', async () => {
    expect(await check('--threshold', '98')).toMatchObject({
      code: 1,
      output: expect.stringContaining('at most 1'),
    });
  });
});
