import { expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Database, Transaction } from '../../infrastructure/database/database.js';
import type { Ranker, Ranking } from './ranker.js';
import { RecallMonitor } from './recall-monitor.js';

type Offered = Parameters<RecallMonitor['offer']>[0];

const offered: Offered = {
  userId: '018f0000-0000-7000-8000-000000000001',
  ...{ mode: 'semantic', alpha: 1, terms: '', excludedTerms: null, filter: {}, zones: null },
  vector: {
    halfvec: '[1]',
    model: { provider: 'test', name: 'test', version: 'v1', dimensions: 1 },
    ...{ modelId: 1, vectorCount: 5_000, hasGraph: false },
  },
};

it('counts approximate searches only: one that was exact after all lost nothing and says nothing', async () => {
  const registry = new Registry();
  let plan: Ranking['plan'] = 'exact';
  const hit = (similarity: number): Ranking['media'][number] => ({
    ...{ id: String(similarity), score: similarity, vectorSimilarity: similarity, textRank: null },
  });
  const ranker = {
    // As the true one: exact for a user of no vectors.
    rank: async (_tx: Transaction, { vector }: Offered) => ({
      plan: vector.vectorCount === 0 ? 'exact' : plan,
      media: vector.vectorCount === 0 ? [hit(0.9), hit(0.8)] : [hit(0.9), hit(0.1)],
    }),
  } as unknown as Ranker;
  const database = {
    runAs: async (_actor: unknown, work: (tx: Transaction) => Promise<unknown>) => work({} as Transaction),
  } as unknown as Database;
  const monitor = new RecallMonitor(
    database,
    ranker,
    { SEARCH_RECALL_SAMPLES_PER_THOUSAND: 1000 },
    pino({ level: 'silent' }),
    { registry } as ConstructorParameters<typeof RecallMonitor>[4],
  );
  const figures = async (): Promise<string[]> =>
    (await registry.metrics()).match(/^search_recall_at_20_(?:sum|count) .+$/gm) ?? [];

  monitor.offer(offered);
  await nextTurn();
  expect(await figures()).toEqual(['search_recall_at_20_sum 0', 'search_recall_at_20_count 0']);

  plan = 'ann';
  monitor.offer(offered);
  await nextTurn();
  expect(await figures()).toEqual(['search_recall_at_20_sum 0.5', 'search_recall_at_20_count 1']);
});
