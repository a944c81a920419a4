import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import { currentScope } from '../../src/infrastructure/context/request-context.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import { TransactionTimeoutError } from '../../src/infrastructure/database/transaction-errors.js';
import { createUser, type TestUser } from '../factories/users.js';
import { actingAs, connectTestDatabase } from '../harness/database.js';

const asUser = (user: { id: string }): Actor => ({ kind: 'user', userId: user.id });

interface Context {
  role: string;
  user: string | null;
  visible: number;
}

/** Role, user and number of visible tags, as the database sees them. */
async function context(tx: Transaction): Promise<Context> {
  const [row] = await tx.$queryRaw<Context[]>`
    SELECT current_user::text AS role, app_user_id()::text AS user, (SELECT count(*)::int FROM tags) AS visible`;
  if (!row) throw new Error('no row');
  return row;
}

const addTag = (tx: Transaction, userId: string, name = `tag ${uuidv7()}`): Promise<unknown> =>
  tx.tag.create({ data: { userId, id: uuidv7(), name } });

describe('the context of a transaction (C12, A6)', () => {
  let database: Database;
  let one: Database;
  let users: TestUser[];
  beforeAll(async () => {
    database = await connectTestDatabase({ poolMax: 5 });
    one = await connectTestDatabase({ poolMax: 1 });
    users = [];
    // User n has n + 1 tags, so that a count tells whose rows were seen.
    for (let index = 0; index < 4; index += 1) {
      const user = await createUser(one);
      users.push(user);
      await one.runAs(asUser(user), async (tx) => {
        for (let tag = 0; tag <= index; tag += 1) await addTag(tx, user.id);
      });
    }
  });
  afterAll(async () => {
    await database.end();
    await one.end();
  });
  const user = (index: number): TestUser => users[index % users.length] as TestUser;

  it('A6: interleaved users on one connection each see their own rows', async () => {
    const seen = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        one.runAs(asUser(user(index)), async (tx) => {
          await sleep(index % 3);
          return context(tx);
        }),
      ),
    );
    seen.forEach((row, index) => {
      expect(row).toEqual({ role: 'app_user', user: user(index).id, visible: (index % users.length) + 1 });
    });
  });

  it('C14: takes on app_user, app_admin or app_system, never the rights of the login', async () => {
    const rights = (tx: Transaction): Promise<{ role: string; super: boolean; bypass: boolean }[]> =>
      tx.$queryRaw`SELECT current_user::text AS role, rolsuper AS super, rolbypassrls AS bypass
        FROM pg_roles WHERE rolname = current_user`;
    const held = [
      await one.runAs(asUser(user(0)), rights),
      await one.runAs({ kind: 'admin', userId: user(0).id }, rights),
      await one.runAsSystem('start-up', rights),
    ].flat();
    const plain = { super: false, bypass: false };
    expect(held).toEqual([
      { role: 'app_user', ...plain },
      { role: 'app_admin', ...plain },
      { role: 'app_system', ...plain },
    ]);
  });

  it('A6: leaves neither role nor user behind, and the empty setting shows no rows (C13)', async () => {
    await one.runAs(asUser(user(2)), context);
    const facts = await one.inspectServer();
    expect(facts.tables).toBeGreaterThan(20);
    // The system has no user: the setting is '' and app_user_id() is NULL, not an error.
    const left = await one.runAsSystem(
      'start-up',
      (tx) =>
        tx.$queryRaw<{ setting: string; user: string | null }[]>`
        SELECT current_setting('app.current_user_id', true) AS setting, app_user_id()::text AS user`,
    );
    expect(left).toEqual([{ setting: '', user: null }]);
  });

  it('A6: a failed, an aborted and a timed-out transaction leave nothing behind', async () => {
    const failures = [
      (tx: Transaction) => tx.$queryRaw`SELECT 1 / 0`,
      (tx: Transaction) => addTag(tx, user(1).id),
      async () => {
        throw new Error('the caller gave up');
      },
      async (tx: Transaction) => {
        // The transaction is aborted; what comes after it fails as well.
        await tx.$queryRaw`SELECT * FROM no_such_table`.catch(() => undefined);
        await context(tx);
      },
    ];
    for (const fail of failures) {
      await expect(one.runAs(asUser(user(0)), fail)).rejects.toThrow();
      expect(await one.runAs(asUser(user(3)), context)).toEqual({
        role: 'app_user',
        user: user(3).id,
        visible: 4,
      });
    }
    await expect(
      one.runAs(
        asUser(user(0)),
        async (tx) => {
          await sleep(400);
          return context(tx);
        },
        { timeoutMs: 150 },
      ),
    ).rejects.toThrow(TransactionTimeoutError);
    expect(await one.runAs(asUser(user(1)), context)).toEqual({
      role: 'app_user',
      user: user(1).id,
      visible: 2,
    });
  });

  it('A11: what was written before a throw is gone', async () => {
    const name = `rolled back ${uuidv7()}`;
    await expect(
      database.runAs(asUser(user(0)), async (tx) => {
        await addTag(tx, user(0).id, name);
        expect(await tx.tag.count({ where: { name } })).toBe(1);
        throw new Error('second step failed');
      }),
    ).rejects.toThrow('second step failed');
    expect(await database.runAs(asUser(user(0)), (tx) => tx.tag.count({ where: { name } }))).toBe(0);
  });

  it('A11: the same for a later statement that the database refuses', async () => {
    const name = `refused ${uuidv7()}`;
    await expect(
      database.runAs(asUser(user(0)), async (tx) => {
        await addTag(tx, user(0).id, name);
        await addTag(tx, user(0).id, name.toUpperCase());
      }),
    ).rejects.toMatchObject({ code: 'P2002' });
    expect(await database.runAs(asUser(user(0)), (tx) => tx.tag.count({ where: { name } }))).toBe(0);
  });

  it('A7: refuses to run for nobody', async () => {
    expect(() => database.run(context)).toThrow('without an actor');
    await expect(database.runAs({ kind: 'user', userId: 'not-a-uuid' }, context)).rejects.toThrow(
      'no valid user id',
    );
  });

  it('joins the open transaction, and only in the name of the same actor', async () => {
    const name = `joined ${uuidv7()}`;
    await actingAs(asUser(user(0)), async () => {
      await expect(
        one.run(async () => {
          await one.run((tx) => addTag(tx, user(0).id, name));
          throw new Error('outer step failed');
        }),
      ).rejects.toThrow('outer step failed');
      expect(await one.run((tx) => tx.tag.count({ where: { name } }))).toBe(0);
    });
    await one.runAs(asUser(user(0)), async (tx) => {
      await expect(one.runAs(asUser(user(1)), context)).rejects.toThrow('cannot join');
      await expect(one.runAs({ kind: 'admin', userId: user(0).id }, context)).rejects.toThrow('cannot join');
      await expect(one.runAsSystem('maintenance', context)).rejects.toThrow('cannot join');
      // The outer one is unharmed, and its own actor may still join.
      expect((await context(tx)).user).toBe(user(0).id);
      expect((await one.run(context)).user).toBe(user(0).id);
    });
  });

  it('A10: 200 transactions of mixed users with timers, microtasks and several statements: no mix-up', async () => {
    const wrong: number[] = [];
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        actingAs(asUser(user(index)), async () => {
          if (index % 2) await sleep(index % 7);
          await database.run(async (tx) => {
            for (let statement = 0; statement < 2; statement += 1) {
              if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
              const row = await context(tx);
              const own = currentScope()?.actor?.userId;
              if (
                row.user !== user(index).id ||
                own !== row.user ||
                row.visible !== (index % users.length) + 1
              )
                wrong.push(index);
            }
          });
        }),
      ),
    );
    expect(wrong).toEqual([]);
    expect(database.getPoolInfo()).toMatchObject({ max: 5, waitingCount: 0 });
  });

  it.each([
    ['serialization failure', '40001'],
    ['deadlock', '40P01'],
  ])('runs a transaction again after a %s, with its context', async (_name, sqlState) => {
    let attempts = 0;
    const seen = await database.runAs(asUser(user(2)), async (tx) => {
      attempts += 1;
      await addTag(tx, user(2).id, `attempt ${uuidv7()}`);
      if (attempts < 3) {
        await tx.$executeRaw`SELECT set_config('test.state', ${sqlState}, true)`;
        await tx.$executeRaw`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = current_setting('test.state'); END $$`;
      }
      return context(tx);
    });
    expect(attempts).toBe(3);
    // 3 tags of its own, and one of the last attempt only; the next row starts from there.
    expect(seen.visible).toBe(sqlState === '40001' ? 4 : 5);
  });

  it('gives up after four attempts, and does not repeat other failures', async () => {
    let attempts = 0;
    const failing = (sqlState: string) => (): Promise<unknown> =>
      database.runAs(asUser(user(3)), async (tx) => {
        attempts += 1;
        await tx.$executeRaw`SELECT set_config('test.state', ${sqlState}, true)`;
        await tx.$executeRaw`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = current_setting('test.state'); END $$`;
      });
    await expect(failing('40001')()).rejects.toThrow();
    expect(attempts).toBe(4);
    attempts = 0;
    await expect(failing('23514')()).rejects.toThrow();
    expect(attempts).toBe(1);
  });
});
