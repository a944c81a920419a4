import { compareRuns, MAX_RUN_MEDIA, MAX_SEEN_MEDIA, type LastRun, type Run } from './saved-search-news.js';

const yesterday = new Date('2026-11-24T10:00:00Z');
const last = (values: Partial<LastRun> = {}): LastRun => ({
  lastRunAt: yesterday,
  seenMediaIds: ['a', 'b'],
  seenIsCapped: false,
  runCount: 3,
  ...values,
});
const run = (mediaFileIds: string[], values: Partial<Run> = {}): Run => ({
  mediaFileIds,
  isCapped: false,
  isDegraded: false,
  basedOn: 3,
  ...values,
});
const many = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('what is new in a run', () => {
  it('nothing in the first one, which is remembered', () => {
    const before = last({ lastRunAt: null, seenMediaIds: [], runCount: 0 });
    expect(compareRuns(before, run(['a'], { basedOn: 0 }))).toEqual({
      since: null,
      newMediaIds: [],
      isCapped: false,
      seen: { mediaFileIds: ['a'], isCapped: false },
    });
  });

  it('what was not in the last result; what left it is forgotten, and new when it comes back', () => {
    const second = compareRuns(last(), run(['c', 'a']));
    expect(second).toEqual({
      since: yesterday,
      newMediaIds: ['c'],
      isCapped: false,
      seen: { mediaFileIds: ['c', 'a'], isCapped: false },
    });
    const third = compareRuns(last({ seenMediaIds: second.seen!.mediaFileIds }), run(['b', 'c', 'a']));
    expect(third.newMediaIds).toEqual(['b']);
  });

  it('of runs at once, whichever is stored first reports a file, and neither loses what the other saw', () => {
    const first = compareRuns(last(), run(['c', 'a']));
    const afterFirst = last({ seenMediaIds: first.seen!.mediaFileIds, runCount: 4 });
    const second = compareRuns(afterFirst, run(['c', 'd', 'b'], { basedOn: 3 }));
    expect(first.newMediaIds).toEqual(['c']);
    expect(second.newMediaIds).toEqual(['d', 'b']);
    expect(second.seen!.mediaFileIds.sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('a degraded run adds and takes nothing away, and is no first run', () => {
    expect(compareRuns(last(), run(['c'], { isDegraded: true }))).toMatchObject({
      newMediaIds: ['c'],
      seen: { mediaFileIds: ['c', 'a', 'b'] },
    });
    const before = last({ lastRunAt: null, seenMediaIds: [] });
    expect(compareRuns(before, run(['c'], { isDegraded: true }))).toMatchObject({ since: null, seen: null });
  });

  it('says so when either run found more than is looked at', () => {
    expect(compareRuns(last(), run(['a'], { isCapped: true }))).toMatchObject({
      isCapped: true,
      seen: { isCapped: true },
    });
    expect(compareRuns(last({ seenIsCapped: true }), run(['a']))).toMatchObject({
      isCapped: true,
      seen: { isCapped: false },
    });
    const long = compareRuns(last(), run(many(MAX_RUN_MEDIA + 1, 'x')));
    expect([long.newMediaIds.length, long.isCapped]).toEqual([MAX_RUN_MEDIA, true]);
  });

  it('remembers no more than two runs, and says when that was too little', () => {
    const seenMediaIds = many(MAX_SEEN_MEDIA, 'x');
    const together = compareRuns(last({ seenMediaIds }), run(many(10, 'y'), { basedOn: 2 }));
    expect(together.seen!.mediaFileIds).toHaveLength(MAX_SEEN_MEDIA);
    expect(together.seen!.mediaFileIds.slice(0, 10)).toEqual(many(10, 'y'));
    expect(together.seen!.isCapped).toBe(true);
  });
});
