import { describe, expect, it, jest } from '@jest/globals';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { RankInput, Ranking } from './ranker.js';
import { recallAt, sampleRecall } from './recall.js';

const files = (...similarities: number[]) => similarities.map((vectorSimilarity) => ({ vectorSimilarity }));

describe('recallAt', () => {
  it('is the share of the nearest files that were found', () => {
    expect(recallAt(4, files(0.9, 0.8, 0.7, 0.6, 0.5), files(0.9, 0.7, 0.5, 0.4))).toBe(0.5);
    expect(recallAt(2, files(0.9, 0.8, 0.7), files(0.9, 0.8))).toBe(1);
  });

  it('counts a missing file although nothing else took its place', () => {
    expect(recallAt(4, files(0.9, 0.8, 0.7, 0.6), files(0.9, 0.8, 0.7))).toBe(0.75);
  });

  it('takes files of equal similarity for each other', () => {
    expect(recallAt(2, files(0.9, 0.8, 0.8), files(0.9, 0.8 - 1e-9))).toBe(1);
  });

  it('is 1 when there was nothing to find', () => {
    expect(recallAt(20, [], [])).toBe(1);
  });
});

describe('sampleRecall', () => {
  const input: Parameters<typeof sampleRecall>[2] = {
    userId: '018f0000-0000-7000-8000-000000000001',
    mode: 'semantic',
    alpha: 1,
    terms: '',
    excludedTerms: null,
    filter: {},
    zones: null,
    vector: {
      halfvec: '[1]',
      model: { provider: 'test', name: 'test', version: 'v1', dimensions: 1 },
      modelId: 1,
      vectorCount: 5_000,
      hasGraph: false,
    },
  };
  const ranking = (plan: Ranking['plan'], ...similarities: number[]): Ranking => ({
    plan,
    isCapped: false,
    total: similarities.length,
    fullMatches: 0,
    isUnsure: false,
    media: similarities.map((vectorSimilarity, index) => ({
      ...{ id: String(index), score: vectorSimilarity, vectorSimilarity, textRank: null },
    })),
  });
  const tx = {} as Transaction;

  it('asks again as if for a user of no vectors, and compares', async () => {
    const rank = jest.fn(async (_tx: Transaction, asked: RankInput) =>
      asked.vector!.vectorCount === 0 ? ranking('exact', 0.9, 0.8) : ranking('ann', 0.9, 0.1),
    );
    await expect(sampleRecall({ rank }, tx, input)).resolves.toEqual({ plan: 'ann', recall: 0.5 });
  });

  it('does not ask twice when the search was exact', async () => {
    const rank = jest.fn(async () => ranking('exact', 0.9));
    await expect(sampleRecall({ rank }, tx, input)).resolves.toEqual({ plan: 'exact', recall: 1 });
    expect(rank).toHaveBeenCalledTimes(1);
  });
});
