import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import { Database } from '../../src/infrastructure/database/database.js';
import { createPool } from '../../src/infrastructure/database/pool.js';
import { assertSafeDatabase } from '../../src/infrastructure/database/boot-checks.js';
import { isUnavailable, sqlStateOf } from '../../src/infrastructure/database/sql-state.js';
import { createUser } from '../factories/users.js';
import { actingAs, connectTestDatabase, testDatabaseUrls } from '../harness/database.js';

/** The connection tests of document 003. The sources of the URL are in src/infrastructure/config/secrets.spec.ts. */
describe('003-14 connection', () => {
  let database: Database;
  let actor: Actor;
  let userId: string;
  beforeAll(async () => {
    database = await connectTestDatabase({ poolMax: 3 });
    userId = (await createUser(database)).id;
    actor = { kind: 'user', userId };
  });
  afterAll(() => database.end());

  const addTag = (name = uuidv7()): Promise<{ name: string }> =>
    database.run((tx) => tx.tag.create({ data: { userId, id: uuidv7(), name } }));
  const hasTag = (name: string): Promise<boolean> =>
    database.run(async (tx) => (await tx.tag.count({ where: { name } })) === 1);

  /** A database whose log lines are kept; `slowQueryMs` 0 logs every statement. */
  async function withLog(
    slowQueryMs: number,
    url?: string,
  ): Promise<{ logged: Database; lines: Record<string, unknown>[] }> {
    const lines: Record<string, unknown>[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    });
    const { runtimeUrl, embedded } = await testDatabaseUrls();
    const settings = {
      embedded,
      DATABASE_POOL_MAX: 2,
      DATABASE_POOL_MIN: 0,
      DATABASE_SSL: 'auto' as const,
      isProduction: false,
    };
    const pool = createPool(url ?? runtimeUrl, settings);
    return {
      logged: new Database(pool, { slowQueryMs, statementTimeoutMs: 15_000 }, pino({ level: 'debug' }, sink)),
      lines,
    };
  }

  it('003-14 connection: it opens and answers', async () => {
    expect(await database.healthCheck()).toBe(true);
  });

  it('003-14 connection: a server that is not there is unhealthy, and no exception', async () => {
    const { logged, lines } = await withLog(60_000, 'postgresql://nobody@127.0.0.1:1/nothing');
    expect(await logged.healthCheck()).toBe(false);
    const error = await logged.runAs(actor, (tx) => tx.tag.count()).catch((reason: unknown) => reason);
    expect(isUnavailable(error)).toBe(true);
    expect(lines.map(({ msg }) => msg)).toContain('database health check failed');
    await logged.end();
  });

  it('003-14 connection: the pool opens on demand and never beyond its size', async () => {
    await actingAs(actor, () =>
      Promise.all(Array.from({ length: 12 }, () => database.run((tx) => tx.tag.count()))),
    );
    const info = database.getPoolInfo();
    expect(info).toMatchObject({ max: 3, waitingCount: 0 });
    expect(info.totalCount).toBeGreaterThan(0);
    expect(info.totalCount).toBeLessThanOrEqual(3);
  });

  it('003-14 connection: every connection goes back to the pool', async () => {
    const { totalCount, idleCount } = database.getPoolInfo();
    expect(idleCount).toBe(totalCount);
  });

  it('003-14 connection: a session commits on success', () =>
    actingAs(actor, async () => {
      const { name } = await addTag();
      expect(await hasTag(name)).toBe(true);
    }));

  it('003-14 connection: a session rolls back on an error, and throws it on', () =>
    actingAs(actor, async () => {
      const name = uuidv7();
      await expect(
        database.run(async () => {
          await addTag(name);
          throw new Error('the caller failed');
        }),
      ).rejects.toThrow('the caller failed');
      expect(await hasTag(name)).toBe(false);
    }));

  it('003-14 connection: a session rolls back on an error of the database', () =>
    actingAs(actor, async () => {
      const name = uuidv7();
      const error = await database
        .run(async () => {
          await addTag(name);
          await addTag(name);
        })
        .catch((reason: unknown) => reason);
      expect(sqlStateOf(error)).toBe('23505');
      expect(await hasTag(name)).toBe(false);
    }));

  it('003-14 connection: a session after a failed one works', () =>
    actingAs(actor, async () => {
      await expect(database.run((tx) => tx.$queryRaw`SELECT no_such_column`)).rejects.toThrow();
      expect(await hasTag((await addTag()).name)).toBe(true);
    }));

  it('003-14 connection: a session takes many statements', () =>
    actingAs(actor, async () => {
      const names = Array.from({ length: 5 }, () => uuidv7());
      await database.run(async () => {
        for (const name of names) await addTag(name);
      });
      expect(await database.run((tx) => tx.tag.count({ where: { name: { in: names } } }))).toBe(5);
    }));

  it('003-14 connection: the isolation level can be chosen', () =>
    actingAs(actor, async () => {
      const level = await database.run(
        (tx) => tx.$queryRaw<{ level: string }[]>`SELECT current_setting('transaction_isolation') AS level`,
        {
          isolation: 'Serializable',
        },
      );
      expect(level).toEqual([{ level: 'serializable' }]);
    }));

  it('003-14 connection: the client of a transaction is useless after it', async () => {
    const kept = await actingAs(actor, () => database.run(async (tx) => ({ tx })));
    await expect(kept.tx.tag.count()).rejects.toThrow('the transaction has ended');
  });

  it('003-14 connection: facts of the server and the start-up checks', async () => {
    const { embedded } = await testDatabaseUrls();
    const options = { embedded, poolMax: 3, migrationsDir: 'prisma/migrations' };
    const facts = await assertSafeDatabase(database, options, pino({ level: 'silent' }));
    expect(facts.serverVersion).toBeGreaterThanOrEqual(150_000);
    expect(facts.vectorVersion).toMatch(/^0\.([89]|\d\d)|^[1-9]/);
    expect(facts.isSuperuser).toBe(embedded);
  });

  it('003-14 connection, C52: slow statements are logged, cut short and without their values', async () => {
    const { logged, lines } = await withLog(0);
    const secret = `secret ${uuidv7()}`;
    await logged.runAs(actor, (tx) => tx.tag.count({ where: { name: secret } }));
    const slow = lines.filter(({ msg }) => msg === 'slow query');
    expect(slow.length).toBeGreaterThan(0);
    for (const { query, durationMs } of slow) {
      expect(String(query).length).toBeLessThanOrEqual(100);
      expect(typeof durationMs).toBe('number');
    }
    expect(JSON.stringify(lines)).not.toContain(secret);
    await logged.end();
  });

  it('003-14 connection, C52: a failure is logged by its SQLSTATE, without its values', async () => {
    const { logged, lines } = await withLog(60_000);
    const secret = `secret ${uuidv7()}`;
    const add = (): Promise<unknown> =>
      logged.runAs(actor, (tx) => tx.tag.create({ data: { userId, id: uuidv7(), name: secret } }));
    await add();
    await expect(add()).rejects.toThrow();
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'transaction failed', sqlState: '23505' }));
    expect(JSON.stringify(lines)).not.toContain(secret);
    await logged.end();
  });

  it('003-14 connection: the time of each transaction is observed, with its outcome', async () => {
    const seen: string[] = [];
    const { runtimeUrl, embedded } = await testDatabaseUrls();
    const pool = createPool(runtimeUrl, {
      embedded,
      DATABASE_POOL_MAX: 1,
      DATABASE_POOL_MIN: 0,
      DATABASE_SSL: 'auto',
      isProduction: false,
    });
    const observed = new Database(
      pool,
      { slowQueryMs: 60_000, statementTimeoutMs: 15_000 },
      pino({ level: 'silent' }),
      (ms, outcome) => {
        expect(ms).toBeGreaterThan(0);
        seen.push(outcome);
      },
    );
    await observed.runAs(actor, (tx) => tx.tag.count());
    await observed.runAs(actor, (tx) => tx.$queryRaw`SELECT 1 / 0`).catch(() => undefined);
    expect(seen).toEqual(['ok', 'error']);
    await observed.end();
  });

  it('003-14 connection: closing waits for what is under way, may be repeated, and nothing runs afterwards', async () => {
    const closing = await connectTestDatabase({ poolMax: 2 });
    const under = closing.runAs(actor, async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return tx.tag.count();
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await closing.end();
    expect(await under).toBeGreaterThan(0);
    await closing.end();
    expect(closing.getPoolInfo().totalCount).toBe(0);
    await expect(closing.runAs(actor, (tx) => tx.tag.count())).rejects.toThrow();
  });

  it('000-30: a simple query answers in less than 100 ms', async () => {
    const times: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      const started = performance.now();
      await database.runAs(actor, (tx) => tx.tag.findMany({ take: 10 }));
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    // What the database takes: the quickest quarter. The others may have waited for whatever else the machine does.
    expect(times[Math.floor(times.length / 4)]).toBeLessThan(100);
  });
});
