import { setTimeout as sleep } from 'node:timers/promises';
import { mapConcurrently } from './concurrency.js';

it('keeps the order of the results and the limit', async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrently([30, 1, 20, 1, 1], 2, async (milliseconds, index) => {
    most = Math.max(most, ++running);
    await sleep(milliseconds);
    running -= 1;
    return index * 10;
  });
  expect(results).toEqual([0, 10, 20, 30, 40]);
  expect(most).toBe(2);
});

it('begins nothing more after a failure and waits for what is under way', async () => {
  const ended: number[] = [];
  const run = mapConcurrently([0, 1, 2, 3], 2, async (item) => {
    if (item === 1) throw new Error('second');
    await sleep(20);
    ended.push(item);
  });
  await expect(run).rejects.toThrow('second');
  expect(ended).toEqual([0]);
});

it('gives nothing for nothing', async () => {
  await expect(mapConcurrently([], 3, async () => 1)).resolves.toEqual([]);
});
