import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import { runInScope } from '../../src/infrastructure/context/request-context.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { prepared } from '../../src/infrastructure/database/prepared.js';
import {
  TransactionLostError,
  TransactionTimeoutError,
} from '../../src/infrastructure/database/transaction-errors.js';
import { createUser, type TestUser } from '../factories/users.js';
import { connectTestDatabase, testDatabaseUrls } from '../harness/database.js';

/** Raw statements go past Prisma (docs/adr/0010): both must be in one transaction, and neither outlive it. */
let database: Database;
let one: Database;
let users: [TestUser, TestUser];

beforeAll(async () => {
  database = await connectTestDatabase();
  one = await connectTestDatabase({ poolMax: 1 });
  users = [await createUser(database), await createUser(database)];
});
afterAll(async () => {
  await one.end();
  await database.end();
});

const as = (index: 0 | 1): Actor => ({ kind: 'user', userId: users[index].id });
const addTag = (tx: Transaction, index: 0 | 1, name: string): Promise<number> =>
  tx.$executeRaw`INSERT INTO tags (user_id, id, name) VALUES (${users[index].id}::uuid, ${uuidv7()}::uuid, ${name})`;
const countOf = (index: 0 | 1, name: string): Promise<number> =>
  database.runAs(as(index), (tx) => tx.tag.count({ where: { name } }));

it('shows models and raw statements what the other has written', async () => {
  const [first, second] = [uuidv7(), uuidv7()];
  await one.runAs(as(0), async (tx) => {
    expect(await addTag(tx, 0, first)).toBe(1);
    expect(await tx.tag.count({ where: { name: first } })).toBe(1);
    await tx.tag.create({ data: { userId: users[0].id, id: uuidv7(), name: second } });
    expect(await tx.$queryRaw`SELECT count(*)::int AS n FROM tags WHERE name = ${second}`).toEqual([
      { n: 1 },
    ]);
  });
  expect([await countOf(0, first), await countOf(0, second)]).toEqual([1, 1]);
});

it('undoes both when the work throws', async () => {
  const [first, second] = [uuidv7(), uuidv7()];
  const work = one.runAs(as(0), async (tx) => {
    await tx.tag.create({ data: { userId: users[0].id, id: uuidv7(), name: second } });
    await addTag(tx, 0, first);
    throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  expect([await countOf(0, first), await countOf(0, second)]).toEqual([0, 0]);
});

it('says so when a failure was swallowed and nothing was kept', async () => {
  const name = uuidv7();
  const work = one.runAs(as(0), async (tx) => {
    await addTag(tx, 0, name);
    await tx.$queryRaw`SELECT 1 / 0`.catch(() => undefined);
    return 'done';
  });
  await expect(work).rejects.toThrow(TransactionLostError);
  expect(await countOf(0, name)).toBe(0);
  expect(await one.runAs(as(1), (tx) => tx.$queryRaw`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
});

it('lets nothing out on the connection once the transaction has ended, neither raw nor by a model', async () => {
  let kept: Transaction | undefined;
  await one.runAs(as(0), async (tx) => {
    kept = tx;
    await tx.tag.count();
  });
  // The only connection is lent to the other user meanwhile.
  await one.runAs(as(1), async (tx) => {
    await expect(kept!.$queryRaw`SELECT 1`).rejects.toThrow('has ended');
    await expect(kept!.$executeRaw`DELETE FROM tags`).rejects.toThrow('has ended');
    await expect(kept!.tag.count()).rejects.toThrow('has ended');
    expect(await tx.tag.count()).toBe(0);
  });
});

it('runs what was not awaited before its end', async () => {
  const name = uuidv7();
  const notAwaited: Promise<unknown>[] = [];
  await one.runAs(as(0), (tx) => {
    notAwaited.push(addTag(tx, 0, name), tx.$queryRaw`SELECT current_user::text AS role`);
    return Promise.resolve();
  });
  // In the transaction: with its role.
  expect(await Promise.all(notAwaited)).toEqual([1, [{ role: 'app_user' }]]);
  expect(await countOf(0, name)).toBe(1);
});

it('rolls back at its time limit, lets go of its locks and serves the next', async () => {
  const id = uuidv7();
  await database.runAs(as(0), (tx) => tx.tag.create({ data: { userId: users[0].id, id, name: uuidv7() } }));
  const rename = (tx: Transaction): Promise<number> =>
    tx.$executeRaw`UPDATE tags SET name = ${uuidv7()} WHERE user_id = ${users[0].id}::uuid AND id = ${id}::uuid`;
  const sleepsOn = new AbortController();
  const slow = one.runAs(
    as(0),
    async (tx) => {
      await rename(tx);
      await sleep(60_000, undefined, { signal: sleepsOn.signal }).catch(() => undefined);
    },
    { timeoutMs: 200 },
  );
  const refused = expect(slow).rejects.toThrow(TransactionTimeoutError);
  await sleep(300);
  // Not blocked by the row lock of the one that sleeps on for longer than this may take.
  expect(await database.runAs(as(0), rename, { timeoutMs: 20_000 })).toBe(1);
  sleepsOn.abort();
  await refused;
  expect(await one.runAs(as(0), rename)).toBe(1);
});

it('never batches the look-ups of two transactions together', async () => {
  const [mine, theirs] = [uuidv7(), uuidv7()];
  const add = (index: 0 | 1, id: string) =>
    database.runAs(as(index), (tx) =>
      tx.tag.create({ data: { userId: users[index].id, id, name: uuidv7() } }),
    );
  await add(0, mine);
  await add(1, theirs);
  const find = (index: 0 | 1, id: string) =>
    database.runAs(as(index), (tx) =>
      tx.tag.findUnique({ where: { userId_id: { userId: users[index === 0 ? 0 : 1].id, id } } }),
    );
  for (let round = 0; round < 10; round += 1) {
    const found = await Promise.all([find(0, mine), find(1, theirs), find(0, theirs), find(1, mine)]);
    expect(found.map((tag) => tag?.id ?? null)).toEqual([mine, theirs, null, null]);
  }
});

it('refuses writes in a read-only transaction, and those of the next one not', async () => {
  const name = uuidv7();
  await expect(one.runAs(as(0), (tx) => addTag(tx, 0, name), { readOnly: true })).rejects.toThrow(
    'read-only',
  );
  expect(await one.runAs(as(0), (tx) => addTag(tx, 0, name))).toBe(1);
});

it('commits a single statement with the statement itself, and takes no second', async () => {
  const name = uuidv7();
  expect(await one.runAs(as(0), (tx) => addTag(tx, 0, name), { single: true })).toBe(1);
  expect(await countOf(0, name)).toBe(1);
  const two = one.runAs(
    as(0),
    async (tx) => {
      await addTag(tx, 0, uuidv7());
      await addTag(tx, 0, uuidv7());
    },
    { single: true },
  );
  await expect(two).rejects.toThrow('has ended');
  const wrong = one.runAs(as(0), (tx) => tx.$queryRaw`SELECT 1 / 0`, { single: true });
  await expect(wrong).rejects.toMatchObject({ code: '22012' });
  expect(await one.runAs(as(1), (tx) => tx.$queryRaw`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
});

describe('a transaction in two parts', () => {
  const asUser = <T>(index: 0 | 1, work: () => Promise<T>): Promise<T> =>
    runInScope({ requestId: uuidv7(), ipAddress: null, userAgent: null, actor: as(index) }, work);

  it('gives the second what the first came to, and keeps what both did', async () => {
    const names = [uuidv7(), uuidv7(), uuidv7()] as const;
    const answers = await asUser(0, () =>
      one.runInTwo(
        async (tx) => {
          await addTag(tx, 0, names[0]);
          return names[1];
        },
        (tx, name) => Promise.all([addTag(tx, 0, name), addTag(tx, 0, names[2])]),
      ),
    );
    expect(answers).toEqual([1, 1]);
    expect(await Promise.all(names.map((name) => countOf(0, name)))).toEqual([1, 1, 1]);
  });

  const faults: Record<string, (tx: Transaction) => Promise<unknown>> = {
    'a statement of the second fails': (tx) => tx.$queryRaw`SELECT 1 / 0`,
    'a statement of the second cannot be put into words': (tx) => tx.$queryRaw`SELECT ${undefined}::text`,
    'the second throws at once': () => Promise.reject(new Error('no')),
  };
  it.each(Object.keys(faults))('keeps nothing of either when %s', async (fault) => {
    const [first, second] = [uuidv7(), uuidv7()];
    for (const isFaultFirst of [true, false]) {
      const work = asUser(0, () =>
        one.runInTwo(
          (tx) => addTag(tx, 0, first),
          (tx) => {
            const parts = [() => addTag(tx, 0, second), () => faults[fault]!(tx)];
            return Promise.all((isFaultFirst ? parts.reverse() : parts).map((part) => part()));
          },
        ),
      );
      await expect(work).rejects.toThrow();
      expect([await countOf(0, first), await countOf(0, second)]).toEqual([0, 0]);
      expect(await one.runAs(as(1), (tx) => tx.$queryRaw`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
    }
  });

  it('refuses a statement of the second that comes after its end', async () => {
    const [sent, late] = [uuidv7(), uuidv7()];
    const work = asUser(0, () =>
      one.runInTwo(
        () => Promise.resolve(),
        async (tx) => {
          await addTag(tx, 0, sent);
          await addTag(tx, 0, late);
        },
      ),
    );
    await expect(work).rejects.toThrow('has ended');
    expect(await countOf(0, late)).toBe(0);
  });

  it('lets a model take part in the first', async () => {
    const [first, second] = [uuidv7(), uuidv7()];
    await asUser(0, () =>
      one.runInTwo(
        (tx) => tx.tag.create({ data: { userId: users[0].id, id: uuidv7(), name: first } }),
        (tx, tag) => addTag(tx, 0, `${tag.name.slice(0, 8)} ${second}`),
      ),
    );
    expect([await countOf(0, first), await countOf(0, `${first.slice(0, 8)} ${second}`)]).toEqual([1, 1]);
  });

  it('ends nothing inside an open transaction: the outer one decides', async () => {
    const [inner, outer] = [uuidv7(), uuidv7()];
    const work = asUser(0, () =>
      one.run(async (tx) => {
        await one.runInTwo(
          () => Promise.resolve(),
          (joined) => addTag(joined, 0, inner),
        );
        await one.run((joined) => addTag(joined, 0, outer), { single: true });
        expect(await tx.tag.count({ where: { name: { in: [inner, outer] } } })).toBe(2);
        throw new Error('no');
      }),
    );
    await expect(work).rejects.toThrow('no');
    expect([await countOf(0, inner), await countOf(0, outer)]).toEqual([0, 0]);
  });
});

it('answers statements that are asked together each with its own rows, and shows none outside the role', async () => {
  const answers = await one.runAs(as(1), (tx) =>
    Promise.all([
      tx.$queryRaw`SELECT 1 AS n`,
      tx.tag.count(),
      tx.$queryRaw`SELECT current_user::text AS n`,
      tx.$queryRaw`SELECT count(*)::int AS n FROM tags`,
    ]),
  );
  const tags = await one.runAs(as(1), (tx) => tx.tag.count());
  expect(answers).toEqual([[{ n: 1 }], tags, [{ n: 'app_user' }], [{ n: tags }]]);
});

it('runs nothing when what the transaction takes on is refused', async () => {
  const settings = { work_mem: 'nonsense' };
  const work = one.runAs(as(0), (tx) => tx.$queryRaw`SELECT current_user::text AS role`, { settings });
  await expect(work).rejects.toThrow('work_mem');
  expect(await one.runAs(as(0), (tx) => tx.$queryRaw`SELECT current_user::text AS role`)).toEqual([
    { role: 'app_user' },
  ]);
});

it('prepares a marked statement once per connection and serves each user their own rows by it', async () => {
  const statement = (name: string): Prisma.Sql =>
    prepared(Prisma.sql`SELECT count(*)::int AS n FROM tags WHERE name = ${name}`);
  const name = uuidv7();
  await one.runAs(as(0), (tx) => addTag(tx, 0, name));
  for (let round = 0; round < 8; round += 1) {
    const counts = [];
    for (const index of [0, 1] as const)
      counts.push(await one.runAs(as(index), (tx) => tx.$queryRaw(statement(name))));
    expect(counts).toEqual([[{ n: 1 }], [{ n: 0 }]]);
  }
  const kept = await one.runAs(
    as(0),
    (tx) => tx.$queryRaw`SELECT count(*)::int AS n FROM pg_prepared_statements WHERE name ~ '^s[0-9]+_'`,
  );
  // The embedded engine is one session behind all connections, and prepares nothing.
  const { embedded } = await testDatabaseUrls();
  expect(kept).toEqual([{ n: embedded ? 0 : 1 }]);
});

it('keeps a plan for the statement that asks for it, and for no other', async () => {
  const name = uuidv7();
  await one.runAs(as(0), (tx) => addTag(tx, 0, name));
  const statement = () =>
    prepared(
      Prisma.sql`SELECT current_setting('plan_cache_mode') AS mode, count(*)::int AS n FROM tags WHERE name = ${name}`,
      'kept',
    );
  const mode = (tx: Transaction) => tx.$queryRaw`SELECT current_setting('plan_cache_mode') AS mode`;
  const { embedded } = await testDatabaseUrls();
  const kept = embedded ? 'auto' : 'force_generic_plan';
  for (const [index, n] of [
    [0, 1],
    [1, 0],
    [0, 1],
  ] as const) {
    const rows = await one.runAs(as(index), async (tx) => [await tx.$queryRaw(statement()), await mode(tx)]);
    expect(rows).toEqual([[{ mode: kept, n }], [{ mode: 'auto' }]]);
  }
  const alone = await one.runAs(as(0), (tx) => tx.$queryRaw(statement()), { readOnly: true, single: true });
  expect(alone).toEqual([{ mode: kept, n: 1 }]);
});

it('takes an isolation level, with role and user as ever', async () => {
  const rows = await one.runAs(
    as(0),
    (tx) => tx.$queryRaw`
      SELECT current_setting('transaction_isolation') AS level, current_user::text AS role, app_user_id()::text AS user`,
    { isolation: 'Serializable' },
  );
  expect(rows).toEqual([{ level: 'serializable', role: 'app_user', user: users[0].id }]);
});

it('reads columns and writes parameters as Prisma does', async () => {
  const instant = new Date('2026-03-29T01:30:00.123Z');
  const [row] = await database.runAs(
    as(0),
    (tx) => tx.$queryRaw<Record<string, unknown>[]>`SELECT 9007199254740993::bigint AS big,
      ARRAY[1, NULL, 9007199254740993]::bigint[] AS bigs, 1.10::numeric AS price, ARRAY[0.1, 2]::numeric[] AS prices,
      DATE '2026-03-29' AS day, ARRAY[DATE '2026-03-29'] AS days, TIMESTAMP '2026-03-29 02:30:00.5' AS local,
      ARRAY[TIMESTAMP '2026-03-29 02:30:00'] AS locals, '{}'::bigint[] AS none,
      ${instant}::timestamptz AS instant, ${[instant]}::timestamptz[] AS instants,
      ${{ a: [1, null] }}::jsonb AS json, ${Buffer.from('x')}::bytea AS bytes, ${['a,b', 'c"d']}::text[] AS texts,
      ${new Prisma.Decimal('12.345')}::numeric AS decimal, ${10n}::bigint AS whole, ${null}::text AS nothing,
      ${true}::boolean AS yes, 1.5::float8 AS float, ${1.5}::float8 AS given, 7::smallint AS small`,
  );
  expect(row).toEqual({
    big: 9007199254740993n,
    bigs: [1n, null, 9007199254740993n],
    price: new Prisma.Decimal('1.1'),
    prices: [new Prisma.Decimal('0.1'), new Prisma.Decimal(2)],
    day: new Date('2026-03-29T00:00:00Z'),
    days: [new Date('2026-03-29T00:00:00Z')],
    local: new Date('2026-03-29T02:30:00.500Z'),
    locals: [new Date('2026-03-29T02:30:00Z')],
    none: [],
    instant,
    instants: [instant],
    json: { a: [1, null] },
    bytes: Buffer.from('x'),
    texts: ['a,b', 'c"d'],
    decimal: new Prisma.Decimal('12.345'),
    whole: 10n,
    nothing: null,
    yes: true,
    float: 1.5,
    given: 1.5,
    small: 7,
  });
  await expect(
    database.runAs(as(0), (tx) => tx.$queryRaw`SELECT ${undefined}::text AS nothing`),
  ).rejects.toThrow('undefined');
});
