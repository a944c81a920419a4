/**
 * npm run bench:transactions: what a transaction costs beside its statements, in milliseconds, on a throw-away PostgreSQL:
 * through `pg` alone, through Prisma alone, and as the product runs it (docs/adr/0010). All ways take turns in one run.
 */
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { pino } from 'pino';
import { Database } from '../src/infrastructure/database/database.js';
import { Prisma, PrismaClient } from '../src/infrastructure/database/generated/client.js';
import { createPool } from '../src/infrastructure/database/pool.js';
import { prepared } from '../src/infrastructure/database/prepared.js';
import { planOf } from '../src/modules/billing/sql/usage.sql.js';
import { BENCH_DATABASE, PROJECT_DIR } from './search/data/cluster.js';
import { Timings } from './search/measure.js';
import { machineFacts, Report, round } from './search/report.js';
import { withThrowawayDatabase } from './throwaway-database.js';

const RUNS = 500;
const WARM_UP = 200;
const STATEMENTS = 5;

type Way = () => Promise<unknown>;

/** The same short transactions, three ways; and what the product can leave out. */
function waysOf(url: string, userId: string): { ways: Record<string, Way>; close: () => Promise<void> } {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const prismaPool = new pg.Pool({ connectionString: url, max: 1 });
  const prisma = new PrismaClient({ adapter: new PrismaPg(prismaPool) });
  const database = new Database(
    createPool(url, {
      ...{ DATABASE_POOL_MAX: 1, DATABASE_POOL_MIN: 0, DATABASE_SSL: 'disable' as const },
      ...{ isProduction: false, embedded: false },
    }),
    { slowQueryMs: 60_000, statementTimeoutMs: 15_000 },
    pino({ level: 'silent' }),
  );
  const actor = { kind: 'user', userId } as const;
  const opening = `BEGIN; SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', '${userId}', true)`;
  const throughPg = async (statements: number): Promise<void> => {
    const client = await pool.connect();
    await client.query(opening);
    for (let number = 0; number < statements; number += 1) await client.query('SELECT $1::int AS n', [1]);
    await client.query('COMMIT');
    client.release();
  };
  const throughPrisma = (statements: number): Promise<void> =>
    prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', ${userId}, true)`;
      for (let number = 0; number < statements; number += 1) await tx.$queryRaw`SELECT ${1}::int AS n`;
    });
  const throughProduct = (statements: number, options: { readOnly?: boolean; single?: boolean } = {}) =>
    database.runAs(
      actor,
      async (tx) => {
        for (let number = 0; number < statements; number += 1) await tx.$queryRaw`SELECT ${1}::int AS n`;
      },
      options,
    );
  const single = { readOnly: true, single: true } as const;
  const ask = (statement: () => Prisma.Sql) =>
    database.runAs(actor, (tx) => tx.$queryRaw(statement()), single);
  return {
    ways: {
      'pg, 1 statement': () => throughPg(1),
      'Prisma, 1 raw statement': () => throughPrisma(1),
      'product, 1 raw statement': () => throughProduct(1),
      'product, 1 raw statement, read-only and single': () => throughProduct(1, single),
      [`pg, ${STATEMENTS} statements`]: () => throughPg(STATEMENTS),
      [`Prisma, ${STATEMENTS} raw statements`]: () => throughPrisma(STATEMENTS),
      [`product, ${STATEMENTS} raw statements`]: () => throughProduct(STATEMENTS),
      'product, 1 findFirst of a file': () =>
        database.runAs(actor, (tx) => tx.mediaFile.findFirst({ where: { userId } })),
      'product, the plan of the user, planned each time': () =>
        ask(() => {
          const { strings, values } = planOf(userId);
          return new Prisma.Sql(strings, values);
        }),
      'product, the plan of the user, prepared': () => ask(() => prepared(planOf(userId))),
    },
    close: async () => {
      await prisma.$disconnect();
      await Promise.all([pool.end(), prismaPool.end(), database.end()]);
    },
  };
}

await withThrowawayDatabase(async (client, adminUrl, postgres) => {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO users (email) VALUES ('bench@example.test') RETURNING id`,
  );
  const { ways, close } = waysOf(postgres.runtimeUrl(BENCH_DATABASE), rows[0]!.id);
  const timings = Object.fromEntries(Object.keys(ways).map((name) => [name, new Timings()]));
  for (let number = -WARM_UP; number < RUNS; number += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const started = performance.now();
      await way();
      if (number >= 0) timings[name]!.add(performance.now() - started);
    }
  }
  await close();
  const report = new Report();
  report.title('Transactions');
  report.table(await machineFacts(adminUrl));
  report.text(
    `Milliseconds of ${RUNS} transactions each, all ways in turn, one connection each, on the loopback interface.`,
  );
  report.table(
    Object.entries(timings).map(([transaction, { p50, p95 }]) => ({
      transaction,
      p50: round(p50),
      p95: round(p95),
    })),
  );
  const name = `${new Date().toISOString().slice(0, 10)}-transactions.md`;
  console.log(`\nWritten to ${report.write(join(PROJECT_DIR, 'bench', 'results'), name)}`);
});
