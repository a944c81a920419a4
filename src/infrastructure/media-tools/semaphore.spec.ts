import { setTimeout as delay } from 'node:timers/promises';
import { Semaphore } from './semaphore.js';

describe('Semaphore', () => {
  it('lets no more than its limit run at a time, in order of arrival', async () => {
    const semaphore = new Semaphore(2);
    let active = 0;
    let highest = 0;
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        semaphore.run(async () => {
          order.push(index);
          active += 1;
          highest = Math.max(highest, active);
          await delay(5);
          active -= 1;
        }),
      ),
    );
    expect(highest).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('frees its place when the work fails', async () => {
    const semaphore = new Semaphore(1);
    await expect(semaphore.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await semaphore.run(() => Promise.resolve('next'))).toBe('next');
  });

  it('lets waiting work be cancelled without losing a place', async () => {
    const semaphore = new Semaphore(1);
    const controller = new AbortController();
    const first = semaphore.run(() => delay(50));
    const second = semaphore.run(() => Promise.resolve('second'), controller.signal);
    const third = semaphore.run(() => Promise.resolve('third'));
    controller.abort(new Error('cancelled'));
    await expect(second).rejects.toThrow('cancelled');
    await first;
    expect(await third).toBe('third');
    expect(await semaphore.run(() => Promise.resolve('free again'))).toBe('free again');
  });

  it('refuses a limit that would never let anything run', () => {
    expect(() => new Semaphore(0)).toThrow(RangeError);
  });
});
