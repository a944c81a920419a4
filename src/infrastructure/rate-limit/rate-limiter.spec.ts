import fc from 'fast-check';
import { MemoryRateLimiter } from './rate-limiter.js';

describe('MemoryRateLimiter', () => {
  it('B12: never lets more than the limit through in any window, whatever the times', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 200 }),
        async (gaps) => {
          let now = 1_000_000;
          const limiter = new MemoryRateLimiter(() => now);
          const accepted: number[] = [];
          for (const gap of gaps) {
            now += gap;
            if ((await limiter.consume('key', 5, 3)).allowed) accepted.push(now);
          }
          for (const start of accepted) {
            expect(
              accepted.filter((instant) => instant >= start && instant < start + 3000).length,
            ).toBeLessThanOrEqual(5);
          }
        },
      ),
    );
  });

  it('says how many are left and when the next one fits', async () => {
    let now = 0;
    const limiter = new MemoryRateLimiter(() => now);
    expect(await limiter.consume('key', 2, 60)).toEqual({
      allowed: true,
      limit: 2,
      remaining: 1,
      retryAfterSeconds: 0,
      entry: expect.any(String),
    });
    now = 10_000;
    expect(await limiter.consume('key', 2, 60)).toMatchObject({ allowed: true, remaining: 0 });
    now = 20_000;
    expect(await limiter.consume('key', 2, 60)).toMatchObject({
      allowed: false,
      remaining: 0,
      retryAfterSeconds: 40,
    });
    now = 60_000;
    expect((await limiter.consume('key', 2, 60)).allowed).toBe(true);
  });

  it('counts each key for itself, and refuses everything at a limit of 0', async () => {
    const limiter = new MemoryRateLimiter();
    expect((await limiter.consume('a', 1, 60)).allowed).toBe(true);
    expect((await limiter.consume('b', 1, 60)).allowed).toBe(true);
    expect((await limiter.consume('c', 0, 60)).allowed).toBe(false);
  });

  it('gives back what came to nothing', async () => {
    const limiter = new MemoryRateLimiter();
    const { entry } = await limiter.consume('key', 1, 60);
    expect((await limiter.consume('key', 1, 60)).allowed).toBe(false);
    await limiter.giveBack('key', entry);
    expect((await limiter.consume('key', 1, 60)).allowed).toBe(true);
    await limiter.giveBack('key', entry);
    await limiter.giveBack('another key', entry);
    expect((await limiter.consume('key', 1, 60)).allowed).toBe(false);
  });
});
