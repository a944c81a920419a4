import { join } from 'node:path';
import { Redis } from 'ioredis';
import { LOOPBACK, withFreePort } from './ports.js';
import {
  endProcess,
  findProgram,
  guardService,
  makeServiceFolder,
  readPid,
  removeService,
  spawnService,
  waitForPort,
  writeServiceFile,
} from './service-process.js';

/** What another process needs to use a Redis that this one started. Plain JSON. */
export interface RedisDescription {
  folder: string;
  port: number;
}

/** A redis-server of its own that keeps nothing on disk and vanishes with {@link stop}. */
export class ThrowawayRedis {
  readonly description: RedisDescription;

  /** @param description plain JSON; `new ThrowawayRedis(description)` in another process gives the same server */
  constructor(description: RedisDescription) {
    this.description = description;
  }

  get port(): number {
    return this.description.port;
  }

  /** As in `REDIS_URL`. */
  get url(): string {
    return `redis://${LOOPBACK}:${this.port}`;
  }

  /** Deletes every key of every database: what a job transport must survive. */
  async flushAll(): Promise<void> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    try {
      await client.connect();
      await client.flushall();
    } finally {
      client.disconnect();
    }
  }

  /** Kills the server (SIGKILL) and leaves it down until {@link restart}. */
  async kill(): Promise<void> {
    await endProcess(this.pidFile, 'SIGKILL');
  }

  /** Starts the server on the same port, after killing it where it runs. It comes back empty. */
  async restart(): Promise<void> {
    await this.kill();
    const { folder, port } = this.description;
    const child = spawnService(folder, findProgram('redis-server'), [join(folder, 'redis.conf')]);
    await waitForPort(child, { port, pidFile: this.pidFile, logFile: join(folder, 'redis.log') });
  }

  /** Stops the server and removes its folder. May be called again. */
  async stop(): Promise<void> {
    await endProcess(this.pidFile, 'SIGTERM');
    await removeService(this.description.folder);
  }

  /** The process id of the server, or undefined while it is down. */
  pid(): Promise<number | undefined> {
    return readPid(this.pidFile);
  }

  /** The file that holds the server's process id while it runs. */
  get pidFile(): string {
    return join(this.description.folder, 'redis.pid');
  }
}

/**
 * Starts a redis-server on a free port of 127.0.0.1, as an unprivileged user, without persistence and without
 * eviction (Bull loses jobs to any other policy).
 *
 * @throws when redis-server is not installed, or with its log when it does not start
 */
export function startRedis(): Promise<ThrowawayRedis> {
  return withFreePort(async (port) => {
    findProgram('redis-server');
    const folder = await makeServiceFolder('redis');
    const redis = new ThrowawayRedis({ folder, port });
    guardService({ folder, pidFile: redis.pidFile, processName: 'redis-server' });
    try {
      const lines = [
        `bind ${LOOPBACK}`,
        `port ${port}`,
        `dir ${folder}`,
        `pidfile ${redis.pidFile}`,
        `logfile ${join(folder, 'redis.log')}`,
        'daemonize no',
        'save ""',
        'appendonly no',
        'maxmemory-policy noeviction',
      ];
      await writeServiceFile(join(folder, 'redis.conf'), `${lines.join('\n')}\n`);
      await redis.restart();
      return redis;
    } catch (error) {
      await redis.stop();
      throw error;
    }
  });
}
