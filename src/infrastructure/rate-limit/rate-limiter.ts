import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';

export interface RateDecision {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** Seconds until one more request fits (0 when allowed). */
  retryAfterSeconds: number;
  /** Names the request in the log of an allowed one, for `giveBack`. */
  entry: string;
}

/**
 * A sliding window as a log of instants: never more than `limit` accepted requests in any span of `windowSeconds`,
 * whatever its start. The usual fixed window lets twice the limit through around its edge (threat B12). Refused
 * requests are not logged, so they do not push the window on. Limits are at most a few thousand, so a log is small.
 */
export interface RateLimiter {
  consume(key: string, limit: number, windowSeconds: number): Promise<RateDecision>;
  /** Takes an allowed request out of the log again: it came to nothing. Never throws. */
  giveBack(key: string, entry: string): Promise<void>;
}

/** For one process: embedded operation, and the fallback while Redis is down. */
export class MemoryRateLimiter implements RateLimiter {
  private readonly logs = new Map<string, { instant: number; entry: string }[]>();
  private lastSweep = 0;
  /** Entries so far: each has a number of its own, which is cheaper than a random name. */
  private entries = 0;

  constructor(private readonly now: () => number = Date.now) {}

  async consume(key: string, limit: number, windowSeconds: number): Promise<RateDecision> {
    const now = this.now();
    const windowMs = windowSeconds * 1000;
    if (now - this.lastSweep > 60_000) this.sweep(now);
    const log = this.logs.get(key) ?? [];
    // In order of time: what has left the window is at the front.
    const firstKept = log.findIndex(({ instant }) => instant > now - windowMs);
    log.splice(0, firstKept < 0 ? log.length : firstKept);
    const allowed = log.length < limit;
    const entry = String(++this.entries);
    if (allowed) log.push({ instant: now, entry });
    this.logs.set(key, log);
    return decide(allowed, limit, log.length, log[0]?.instant ?? now, now, windowMs, entry);
  }

  async giveBack(key: string, entry: string): Promise<void> {
    const log = this.logs.get(key);
    if (log)
      this.logs.set(
        key,
        log.filter((logged) => logged.entry !== entry),
      );
  }

  /** Forgets keys that have been silent for longer than any window in use (a day). */
  private sweep(now: number): void {
    this.lastSweep = now;
    for (const [key, log] of this.logs) {
      if ((log.at(-1)?.instant ?? 0) < now - 86_400_000) this.logs.delete(key);
    }
  }
}

/** One atomic step in Redis, by Redis' own clock, so that all processes count together. */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[1])
local allowed = 0
if count < tonumber(ARGV[1]) then
  redis.call('ZADD', KEYS[1], now, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], window)
  allowed = 1
  count = count + 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {allowed, count, tostring(oldest[2] or now), tostring(now)}
`;

/** A connection that fails at once while Redis is down: a limiter must never make a request wait (threat B5). */
export function connectLimiterRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1000,
    connectTimeout: 3000,
  });
  redis.on('error', (error: Error) => logger.debug({ reason: error.message }, 'redis connection error'));
  return redis;
}

/** Counts in Redis; while Redis does not answer, each process counts for itself and says so once a minute. */
export class RedisRateLimiter implements RateLimiter {
  private readonly fallback = new MemoryRateLimiter();
  private lastWarning = 0;

  constructor(
    private readonly redis: Redis,
    private readonly logger: Logger,
  ) {}

  async consume(key: string, limit: number, windowSeconds: number): Promise<RateDecision> {
    const windowMs = windowSeconds * 1000;
    try {
      const entry = uuidv7();
      const answer = (await this.redis.eval(SCRIPT, 1, redisKey(key), limit, windowMs, entry)) as [
        number,
        number,
        string,
        string,
      ];
      return decide(answer[0] === 1, limit, answer[1], Number(answer[2]), Number(answer[3]), windowMs, entry);
    } catch (error) {
      if (Date.now() - this.lastWarning > 60_000) {
        this.lastWarning = Date.now();
        this.logger.warn(
          { reason: (error as Error).message },
          'Redis does not answer: rate limits are counted per process',
        );
      }
      return this.fallback.consume(key, limit, windowSeconds);
    }
  }

  async giveBack(key: string, entry: string): Promise<void> {
    await this.fallback.giveBack(key, entry);
    // While Redis is away the entry stays until its hour is over: on the safe side.
    await this.redis.zrem(redisKey(key), entry).catch(() => undefined);
  }
}

const redisKey = (key: string): string => `rate:${key}`;

function decide(
  allowed: boolean,
  limit: number,
  count: number,
  oldest: number,
  now: number,
  windowMs: number,
  entry: string,
): RateDecision {
  return {
    allowed,
    limit,
    remaining: Math.max(0, limit - count),
    retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((oldest + windowMs - now) / 1000)),
    entry,
  };
}
