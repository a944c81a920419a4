import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { prepared } from '../../src/infrastructure/database/prepared.js';
import { sqlStateOf } from '../../src/infrastructure/database/sql-state.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase, ownDatabaseUrls, type TestDatabaseUrls } from '../harness/database.js';
import { startPgBouncer, type ThrowawayPgBouncer } from '../harness/services/pgbouncer.js';

const USERS = 8;
const TRANSACTIONS = 4000;
const SERVER_CONNECTIONS = 2;

describe('A6: PgBouncer in transaction mode with two server connections', () => {
  let urls: TestDatabaseUrls;
  let pgBouncer: ThrowawayPgBouncer;
  let database: Database;
  let users: string[];
  beforeAll(async () => {
    urls = await ownDatabaseUrls('pgbouncer');
    pgBouncer = await startPgBouncer({ backendUrls: [urls.runtimeUrl], poolSize: SERVER_CONNECTIONS });
    database = await connectTestDatabase({ url: pgBouncer.url, poolMax: 20 });
    users = [];
    for (let index = 0; index < USERS; index += 1) {
      const { id } = await createUser(database);
      users.push(id);
      await database.runAs({ kind: 'user', userId: id }, (tx) =>
        tx.tag.createMany({
          data: Array.from({ length: index + 1 }, () => ({ userId: id, id: uuidv7(), name: uuidv7() })),
        }),
      );
    }
  });
  afterAll(async () => {
    await database.end();
    await pgBouncer.stop();
  });

  /** What the transaction of user `index` sees that it should not; '' when all is well. */
  async function look(tx: Transaction, index: number): Promise<string> {
    const rows = await tx.$queryRaw<{ role: string; user: string; tags: number }[]>`
      SELECT current_user::text AS role, app_user_id()::text AS user, (SELECT count(*)::int FROM tags) AS tags`;
    const [row] = rows;
    return row?.role === 'app_user' && row.user === users[index] && row.tags === index + 1
      ? ''
      : JSON.stringify(row);
  }

  it(`A6: ${TRANSACTIONS} transactions of ${USERS} users, every fifth failing: 0 residue`, async () => {
    const leaks: string[] = [];
    const outcomes = { done: 0, aborted: 0, threw: 0, timedOut: 0 };
    const failures = [
      // A statement that the server refuses.
      (tx: Transaction) => tx.$queryRaw`SELECT 1 / 0`,
      // A caller that gives up.
      async () => {
        throw new Error('gave up');
      },
      // A statement that the server cancels.
      (tx: Transaction) =>
        tx.$queryRaw`SELECT set_config('statement_timeout', '5', true)`.then(
          () => tx.$executeRaw`SELECT pg_sleep(1)`,
        ),
    ];
    // The clients of one API process at a time, far more than server connections.
    let next = 0;
    const client = async (): Promise<void> => {
      for (let number = next++; number < TRANSACTIONS; number = next++) {
        const index = number % USERS;
        const actor: Actor = { kind: 'user', userId: users[index] ?? '' };
        const fail =
          number % 5 === 4 ? failures[number % 150 === 149 ? 2 : Math.floor(number / 5) % 2] : undefined;
        try {
          await database.runAs(actor, async (tx) => {
            const seen = await look(tx, index);
            if (seen) leaks.push(seen);
            if (fail) await fail(tx);
          });
          outcomes.done += 1;
        } catch (error) {
          const state = sqlStateOf(error);
          if (state === '22012') outcomes.aborted += 1;
          else if (state === '57014') outcomes.timedOut += 1;
          else if (error instanceof Error && error.message === 'gave up') outcomes.threw += 1;
          else throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    expect(leaks).toEqual([]);
    expect(outcomes.done).toBe((TRANSACTIONS * 4) / 5);
    expect(outcomes.aborted + outcomes.threw + outcomes.timedOut).toBe(TRANSACTIONS / 5);
    expect(Math.min(outcomes.aborted, outcomes.threw, outcomes.timedOut)).toBeGreaterThan(10);
  }, 180_000);

  it('does without prepared statements once they turn out not to work here, and loses no transaction over it', async () => {
    const fresh = await connectTestDatabase({ url: pgBouncer.url, poolMax: 20 });
    try {
      const count = (index: number): Promise<{ tags: number }[]> =>
        fresh.runAs(
          { kind: 'user', userId: users[index]! },
          (tx) =>
            tx.$queryRaw(prepared(Prisma.sql`SELECT count(*)::int AS tags FROM tags WHERE name <> ${''}`)),
          { readOnly: true, single: true },
        );
      const answers = await Promise.all(Array.from({ length: 400 }, (_, number) => count(number % USERS)));
      expect(answers.map(([row]) => row?.tags)).toEqual(
        Array.from({ length: 400 }, (_, number) => (number % USERS) + 1),
      );
    } finally {
      await fresh.end();
    }
  });

  it('A6: a client that vanishes or cancels in the middle leaves nothing for the next one', async () => {
    const seen: unknown[] = [];
    for (let round = 0; round < 30; round += 1) {
      const client = new pg.Client({ connectionString: pgBouncer.url });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('BEGIN');
      await client.query(
        `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
        [users[round % USERS]],
      );
      let isOver = false;
      const pending = client
        .query('SELECT pg_sleep(5)')
        .catch(() => undefined)
        .finally(() => (isOver = true));
      await sleep(2);
      if (round % 2) {
        // It may not have reached the server yet, and that of the round before may still sleep there.
        while (!isOver) {
          await inspect(
            urls.adminUrl,
            `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(5)' AND state = 'active'`,
          );
          await sleep(2);
        }
        await pending;
        seen.push(round);
        await client.end();
      } else {
        // The socket is cut in the middle of the statement.
        (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
        await pending;
      }
      const { rows } = await inspect(
        pgBouncer.url,
        `SELECT current_user::text AS role, coalesce(current_setting('app.current_user_id', true), '') AS user`,
      );
      expect(rows).toEqual([{ role: 'mediauser', user: '' }]);
    }
    expect(seen).toHaveLength(15);
  }, 180_000);

  it('the contrast: a session-level setting does reach the next client, which is why none is used', async () => {
    const first = new pg.Client({ connectionString: pgBouncer.url });
    await first.connect();
    await first.query(`SELECT set_config('app.current_user_id', $1, false)`, [users[0]]);
    const leaked: unknown[] = [];
    for (let round = 0; round < SERVER_CONNECTIONS * 5; round += 1) {
      const { rows } = await inspect(
        pgBouncer.url,
        `SELECT current_setting('app.current_user_id', true) AS user`,
      );
      leaked.push(rows[0]?.['user']);
    }
    await first.query(`SELECT set_config('app.current_user_id', '', false)`);
    await first.end();
    expect(leaked).toContain(users[0]);
  });

  it('shares its two server connections among all clients', async () => {
    const { rows } = await inspect(
      urls.adminUrl,
      `SELECT count(*)::int AS connections FROM pg_stat_activity WHERE datname = current_database() AND usename = 'mediauser'`,
    );
    expect(rows[0]?.['connections']).toBeLessThanOrEqual(SERVER_CONNECTIONS);
  });
});

async function inspect(url: string, sql: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query<Record<string, unknown>>(sql);
  } finally {
    await client.end();
  }
}
