import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import {
  connectLimiterRedis,
  RedisRateLimiter,
  type RateDecision,
} from '../../src/infrastructure/rate-limit/rate-limiter.js';
import { startRedis, type ThrowawayRedis } from '../harness/services/redis.js';
import { eventually } from '../integration/jobs-machine.js';

const LIMIT = 20;
const HOUR_SECONDS = 3600;
const MINUTE_MS = 60_000;

/** What one process of several has. */
interface Process {
  redis: Redis;
  limiter: RedisRateLimiter;
  warnings: string[];
}

let redis: ThrowawayRedis;
let processes: [Process, Process];
let ownTimeoutMs: number | undefined;

// A Redis of its own: it is killed and frozen.
beforeEach(async () => {
  redis = await startRedis();
  processes = [startProcess(), startProcess()];
  await whenAll('ready');
  waitForRedis();
});
afterEach(async () => {
  for (const { redis: connection } of processes) connection.disconnect();
  await redis.stop();
});

function startProcess(): Process {
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const connection = connectLimiterRedis(redis.url, logger);
  ownTimeoutMs = connection.options.commandTimeout;
  return { redis: connection, limiter: new RedisRateLimiter(connection, logger), warnings };
}

const whenAll = (state: 'ready' | 'gone'): Promise<boolean> =>
  eventually(async () =>
    processes.every(({ redis: { status } }) => (status === 'ready') === (state === 'ready')),
  );

/** The product gives up after a second, which an answer may take on a busy machine. */
function waitForRedis(timeoutMs: number | undefined = 60_000): void {
  for (const { redis: connection } of processes) connection.options.commandTimeout = timeoutMs;
}

/** Three times the limit at once, in turn over both processes. @returns how many each of them allowed */
async function burst(key: string): Promise<[number, number]> {
  const decisions = await Promise.all(
    Array.from({ length: 3 * LIMIT }, (_, index) =>
      processes[index % 2]!.limiter.consume(key, LIMIT, HOUR_SECONDS),
    ),
  );
  const allowedBy = (process: number): number =>
    decisions.filter(({ allowed }, index) => allowed && index % 2 === process).length;
  return [allowedBy(0), allowedBy(1)];
}

const total = ([first, second]: [number, number]): number => first + second;

/** As if all that was counted so far had been so much earlier. */
async function age(key: string, byMs: number): Promise<void> {
  const { redis: connection } = processes[0];
  for (const entry of await connection.zrange(`rate:${key}`, '0', '-1')) {
    await connection.zincrby(`rate:${key}`, -byMs, entry);
  }
}

const consume = (process: number, key: string, limit = LIMIT): Promise<RateDecision> =>
  processes[process]!.limiter.consume(key, limit, HOUR_SECONDS);

describe('B12: two processes on one Redis', () => {
  it('together let exactly the limit through, however many ask at once', async () => {
    expect(total(await burst('search:a'))).toBe(LIMIT);
    expect(total(await burst('search:a'))).toBe(0);
    // Each key for itself.
    expect(total(await burst('search:b'))).toBe(LIMIT);
  });

  it('let no more through around the edge of an hour: what is younger than one counts, wherever it began', async () => {
    const early = 8;
    for (let count = 0; count < early; count += 1) {
      expect((await consume(count % 2, 'search:a')).allowed).toBe(true);
    }
    await age('search:a', 40 * MINUTE_MS);
    expect(total(await burst('search:a'))).toBe(LIMIT - early);
    // 59 minutes after the first ones: a new hour of the clock, but not yet theirs.
    await age('search:a', 19 * MINUTE_MS);
    expect(total(await burst('search:a'))).toBe(0);
    const refused = await consume(0, 'search:a');
    expect(refused).toMatchObject({ allowed: false, limit: LIMIT, remaining: 0 });
    expect(refused.retryAfterSeconds).toBeGreaterThan(0);
    expect(refused.retryAfterSeconds).toBeLessThanOrEqual(60);
    await age('search:a', 2 * MINUTE_MS);
    expect(total(await burst('search:a'))).toBe(early);
  });

  it('give back what came to nothing, once, whichever of them it was', async () => {
    const { entry } = await consume(0, 'search:a', 2);
    expect(await consume(1, 'search:a', 2)).toMatchObject({ allowed: true, remaining: 0 });
    expect((await consume(1, 'search:a', 2)).allowed).toBe(false);
    await processes[1].limiter.giveBack('search:a', entry);
    await processes[0].limiter.giveBack('search:a', entry);
    await processes[0].limiter.giveBack('search:b', entry);
    expect(await consume(1, 'search:a', 2)).toMatchObject({ allowed: true, remaining: 0 });
    expect((await consume(0, 'search:a', 2)).allowed).toBe(false);
  });

  it('leave nothing in Redis once the hour is over', async () => {
    await consume(0, 'search:a');
    const expiresInMs = await processes[0].redis.pttl('rate:search:a');
    expect(expiresInMs).toBeGreaterThan(0);
    expect(expiresInMs).toBeLessThanOrEqual(HOUR_SECONDS * 1000);
  });
});

describe('B5: without Redis', () => {
  it('each process counts for itself and says so once, and together again when Redis is back', async () => {
    expect((await consume(0, 'search:a')).allowed).toBe(true);
    await redis.kill();
    await whenAll('gone');
    expect(await burst('search:a')).toEqual([LIMIT, LIMIT]);
    expect(await burst('search:a')).toEqual([0, 0]);
    const warning = expect.stringContaining('rate limits are counted per process');
    expect(processes.map(({ warnings }) => warnings)).toEqual([[warning], [warning]]);
    // Giving back throws at nobody, and frees the slot of the process that counted.
    const { entry } = await consume(0, 'search:b', 1);
    expect((await consume(0, 'search:b', 1)).allowed).toBe(false);
    await processes[0].limiter.giveBack('search:b', entry);
    expect((await consume(0, 'search:b', 1)).allowed).toBe(true);

    await redis.restart();
    await whenAll('ready');
    expect(total(await burst('search:a'))).toBe(LIMIT);
  });
});

describe('B6: a frozen Redis', () => {
  it('holds no request up for long, and counts again when it thaws', async () => {
    waitForRedis(ownTimeoutMs);
    const pid = (await redis.pid())!;
    process.kill(pid, 'SIGSTOP');
    try {
      const asked = performance.now();
      expect(await burst('search:a')).toEqual([LIMIT, LIMIT]);
      // It gives Redis a second; the rest is for a busy machine.
      expect(performance.now() - asked).toBeLessThan(10_000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(async () =>
      (await Promise.all(processes.map(({ redis: it }) => it.ping().catch(() => '')))).every(
        (answer) => answer === 'PONG',
      ),
    );
    waitForRedis();
    expect(total(await burst('search:b'))).toBe(LIMIT);
  });
});
