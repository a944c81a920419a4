import type { Transaction } from '../../infrastructure/database/database.js';
import { NearestFiles, type Walk } from './nearest-files.js';
import type { RankedMedia, Ranking, RankInput } from './ranker.js';

const tx = {} as Transaction;
const input = {} as RankInput;
const nothing: ReadonlySet<string> = new Set();

/** Ranks `count` files, the first ones only as far as they are wanted, as an approximate plan does. */
function rankerOf(count: number) {
  const asked: (number | null)[] = [];
  const all = Array.from({ length: count }, (_, index): RankedMedia => ({
    id: `f${String(index).padStart(5, '0')}`,
    score: 1 - index / count,
    vectorSimilarity: 1 - index / count,
    textRank: null,
  }));
  const rank = async (_tx: Transaction, { wanted = null }: RankInput): Promise<Ranking> => {
    asked.push(wanted);
    const media = wanted === null ? all : all.slice(0, wanted);
    const isCapped = media.length < count;
    return { media, total: media.length, isCapped, fullMatches: 0, isUnsure: false, plan: 'ann' };
  };
  return { asked, all, nearest: new NearestFiles({ rank }) };
}

const walkOf = (walk: Partial<Walk>): Walk => ({
  ...{ limit: 5, passed: 0, leftOut: () => nothing, isAhead: () => true },
  ...walk,
});

describe('NearestFiles', () => {
  it('ranks as much as one page needs, and says that the total is a lower bound', async () => {
    const { asked, all, nearest } = rankerOf(100);
    expect(await nearest.page(tx, input, walkOf({}))).toEqual({
      ...{ page: all.slice(0, 5), ranked: all.slice(0, 6), total: 6, totalIsCapped: true, hasMore: true },
      plan: 'ann',
    });
    expect(asked).toEqual([6]);
  });

  it('ranks more when what is left out or was shown takes up what it got', async () => {
    const { asked, all, nearest } = rankerOf(100);
    const leftOut = new Set(all.slice(0, 10).map(({ id }) => id));
    const shown = new Set(all.slice(10, 20).map(({ id }) => id));
    const found = await nearest.page(
      tx,
      input,
      walkOf({ leftOut: () => leftOut, isAhead: ({ id }) => !shown.has(id) }),
    );
    expect(found.page).toEqual(all.slice(20, 25));
    expect(asked).toEqual([6, 24, 96]);
  });

  it('ranks everything rather than to stop early, and then knows the total', async () => {
    const { asked, all, nearest } = rankerOf(9_000);
    const last = all.at(-1)!;
    const found = await nearest.page(tx, input, walkOf({ limit: 100, isAhead: ({ id }) => id === last.id }));
    expect(found).toMatchObject({ page: [last], total: 9_000, totalIsCapped: false, hasMore: false });
    expect(asked).toEqual([101, 404, 1_616, null]);
  });

  it('walks a list to its end, each file once', async () => {
    const { all, nearest } = rankerOf(47);
    const seen: string[] = [];
    for (let hasMore = true; hasMore;) {
      const isShown = new Set(seen);
      const walk = walkOf({ passed: seen.length, isAhead: ({ id }) => !isShown.has(id) });
      const found = await nearest.page(tx, input, walk);
      seen.push(...found.page.map(({ id }) => id));
      hasMore = found.hasMore;
    }
    expect(seen).toEqual(all.map(({ id }) => id));
  });

  it('shows first what the same page showed before, as far as it is still there', async () => {
    const { all, nearest } = rankerOf(20);
    const later = [all[7]!.id, 'gone', all[3]!.id];
    const { page } = await nearest.page(tx, input, walkOf({ limit: 4, later }));
    expect(page).toEqual([all[7], all[3], all[0], all[1]]);
  });
});
