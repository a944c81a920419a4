import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import { assertSafeDatabase } from '../../src/infrastructure/database/boot-checks.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { prepared } from '../../src/infrastructure/database/prepared.js';
import { isUnavailable, sqlStateOf } from '../../src/infrastructure/database/sql-state.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';
import { startPostgres, type ThrowawayPostgres } from '../harness/services/postgres.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS_DIR = `${PROJECT_DIR}prisma/migrations`;

describe('the connection layer on a server of its own', () => {
  let postgres: ThrowawayPostgres;
  let database: Database;
  let userId: string;
  let actor: Actor;
  beforeAll(async () => {
    postgres = await startPostgres();
    await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(), PROJECT_DIR);
    database = await connectTestDatabase({ url: postgres.runtimeUrl(), poolMax: 10 });
    userId = (await createUser(database)).id;
    actor = { kind: 'user', userId };
  });
  afterAll(async () => {
    await database.end();
    await postgres.stop();
  });

  const asAdmin = async (statement: string): Promise<void> => {
    const url = new URL(postgres.adminUrl);
    url.pathname = new URL(postgres.ownerUrl()).pathname;
    const client = new pg.Client({ connectionString: url.toString() });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };

  /** What the start-up checks say to a login; '' when they let it pass. */
  async function bootWith(url: string, poolMax = 5): Promise<string> {
    const candidate = await connectTestDatabase({ url, poolMax: 2 });
    try {
      const options = { embedded: false, poolMax, migrationsDir: MIGRATIONS_DIR };
      await assertSafeDatabase(candidate, options, pino({ level: 'silent' }));
      return '';
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    } finally {
      await candidate.end();
    }
  }

  const login = (name: string): string => {
    const url = new URL(postgres.runtimeUrl());
    url.username = name;
    url.password = 'test';
    return url.toString();
  };

  it('A9: starts with the runtime login', async () => {
    expect(await bootWith(postgres.runtimeUrl())).toBe('');
  });

  it('A9: refuses the owner of the tables', async () => {
    expect(await bootWith(postgres.ownerUrl())).toMatch(/^UnsafeDatabaseError: .*owns \d+ tables/);
  });

  it('A9: refuses a superuser', async () => {
    const url = new URL(postgres.adminUrl);
    url.pathname = new URL(postgres.ownerUrl()).pathname;
    expect(await bootWith(url.toString())).toContain('logs in as a superuser');
  });

  it('A9: refuses BYPASSRLS, and a member of the owner', async () => {
    await asAdmin(`CREATE ROLE bypassing LOGIN BYPASSRLS PASSWORD 'test';
      GRANT app_user, app_admin, app_system TO bypassing; GRANT CONNECT ON DATABASE ai_media_search TO bypassing`);
    expect(await bootWith(login('bypassing'))).toContain('with BYPASSRLS');
    await asAdmin(`ALTER ROLE bypassing NOBYPASSRLS; GRANT ai_media_owner TO bypassing`);
    expect(await bootWith(login('bypassing'))).toMatch(/owns \d+ tables/);
  });

  it('A9: refuses a login that was not given the roles', async () => {
    await asAdmin(
      `CREATE ROLE stranger LOGIN PASSWORD 'test'; GRANT CONNECT ON DATABASE ai_media_search TO stranger`,
    );
    expect(await bootWith(login('stranger'))).toContain('GRANT app_user, app_admin, app_system');
  });

  it('C35: refuses a pool that the server cannot hold', async () => {
    expect(await bootWith(postgres.runtimeUrl(), 98)).toContain('DATABASE_POOL_MAX=98');
  });

  it('refuses a database that lacks a migration, or all of them', async () => {
    await asAdmin(
      `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name LIKE '%row_level_security'`,
    );
    expect(await bootWith(postgres.runtimeUrl())).toContain('1 migrations are not applied');
    await asAdmin(`UPDATE _prisma_migrations SET rolled_back_at = NULL`);
    await postgres.createDatabase('empty_database', 'template0');
    expect(await bootWith(postgres.runtimeUrl('empty_database'))).toContain('npm run db:migrate');
  });

  it('prepares its statements anew when a table was changed under them, and keeps preparing', async () => {
    await asAdmin(
      'CREATE TABLE changing (a integer); INSERT INTO changing VALUES (1); GRANT SELECT ON changing TO app_user',
    );
    const statement = (): Prisma.Sql => prepared(Prisma.sql`SELECT * FROM changing`);
    // On every connection of the pool at once.
    const readAll = (): Promise<unknown[]> =>
      Promise.all(
        Array.from({ length: database.getPoolInfo().max }, () =>
          database.runAs(actor, async (tx) => {
            const rows = await tx.$queryRaw(statement());
            await tx.$queryRaw`SELECT pg_sleep(0.05)::text`;
            return rows;
          }),
        ),
      );
    const { max } = database.getPoolInfo();
    expect(await readAll()).toEqual(Array.from({ length: max }, () => [{ a: 1 }]));
    await asAdmin('ALTER TABLE changing ADD COLUMN b integer DEFAULT 2');
    expect(await readAll()).toEqual(Array.from({ length: max }, () => [{ a: 1, b: 2 }]));
    const names = await database.runAs(actor, async (tx) => {
      await tx.$queryRaw(statement());
      return tx.$queryRaw<{ name: string }[]>`
        SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT * FROM changing' ORDER BY prepare_time`;
    });
    expect(names.at(-1)!.name).toMatch(/^s1_/);
    await asAdmin('DROP TABLE changing');
  });

  it('A6: a statement over its time is cancelled and leaves nothing behind', async () => {
    const failed = await database
      .runAs(actor, (tx) =>
        tx.$queryRaw`SELECT set_config('statement_timeout', '50', true)`.then(
          () => tx.$executeRaw`SELECT pg_sleep(5)`,
        ),
      )
      .catch((error: unknown) => sqlStateOf(error));
    expect(failed).toBe('57014');
    const [row] = await database.runAs(
      actor,
      (tx) => tx.$queryRaw<{ limit: string }[]>`SELECT current_setting('statement_timeout') AS limit`,
    );
    expect(row).toEqual({ limit: '15s' });
  });

  it('003-14 connection: a session does not see what another one has not committed', async () => {
    const other = await connectTestDatabase({ url: postgres.runtimeUrl(), poolMax: 1 });
    const name = `uncommitted ${uuidv7()}`;
    const count = (): Promise<number> => other.runAs(actor, (tx) => tx.tag.count({ where: { name } }));
    const during = await database.runAs(actor, async (tx) => {
      await tx.tag.create({ data: { userId, id: uuidv7(), name } });
      return count();
    });
    expect([during, await count()]).toEqual([0, 1]);
    await other.end();
  });

  it('two transactions that lock each other out: both end, none is lost', async () => {
    const add = (first: string, second: string) => (): Promise<unknown> =>
      database.runAs(actor, async (tx) => {
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${first}))`;
        await sleep(60);
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${second}))`;
        await tx.tag.create({ data: { userId, id: uuidv7(), name: `deadlock ${uuidv7()}` } });
      });
    await Promise.all([add('a', 'b')(), add('b', 'a')()]);
    const made = await database.runAs(actor, (tx) =>
      tx.tag.count({ where: { name: { startsWith: 'deadlock' } } }),
    );
    expect(made).toBe(2);
  });

  it('serializable transactions that collide are run again: no update is lost', async () => {
    const tag = await database.runAs(actor, (tx) =>
      tx.tag.create({ data: { userId, id: uuidv7(), name: uuidv7(), description: '0' } }),
    );
    const key = { userId_id: { userId, id: tag.id } };
    const increment = (): Promise<unknown> =>
      database.runAs(
        actor,
        async (tx) => {
          const row = await tx.tag.findUniqueOrThrow({ where: key });
          await sleep(5);
          await tx.tag.update({ where: key, data: { description: String(Number(row.description) + 1) } });
        },
        { isolation: 'Serializable' },
      );
    const results = await Promise.allSettled([increment(), increment(), increment()]);
    const done = results.filter(({ status }) => status === 'fulfilled').length;
    const row = await database.runAs(actor, (tx) => tx.tag.findUniqueOrThrow({ where: key }));
    expect(done).toBeGreaterThanOrEqual(2);
    expect(Number(row.description)).toBe(done);
  });

  it('B7: crashes of the server lose nothing that was acknowledged, and the pool recovers', async () => {
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    let running = true;
    const writer = async (): Promise<void> => {
      while (running) {
        const id = uuidv7();
        try {
          await database.runAs(actor, (tx) => tx.tag.create({ data: { userId, id, name: `crash ${id}` } }));
          acknowledged.push(id);
        } catch (error) {
          refused.push(error);
          await sleep(50);
        }
      }
    };
    const writers = Array.from({ length: 4 }, writer);
    for (let crash = 0; crash < 3; crash += 1) {
      const before = acknowledged.length;
      while (acknowledged.length < before + 20) await sleep(20);
      await postgres.restartImmediate();
    }
    const back = performance.now();
    const before = acknowledged.length;
    while (acknowledged.length < before + 20) await sleep(20);
    const recovery = performance.now() - back;
    running = false;
    await Promise.all(writers);
    const rows = await database.runAs(actor, (tx) =>
      tx.tag.findMany({ where: { name: { startsWith: 'crash' } }, select: { id: true } }),
    );
    const present = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);
    // Each refusal reads as "the database is away" (503), never as a fault of the caller's.
    expect(refused.filter((error) => !isUnavailable(error)).map(String)).toEqual([]);
    expect(recovery).toBeLessThan(15_000);
    expect(await database.healthCheck()).toBe(true);
  });

  it('says that the database is away while it is', async () => {
    await postgres.crash();
    expect(await database.healthCheck()).toBe(false);
    const error = await database.runAs(actor, (tx) => tx.tag.count()).catch((reason: unknown) => reason);
    await postgres.start();
    expect(isUnavailable(error)).toBe(true);
    expect(await database.healthCheck()).toBe(true);
  });
});
