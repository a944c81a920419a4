import pg from 'pg';
import { pino } from 'pino';
import { createPool } from './src/infrastructure/database/pool.ts';
import { Database } from './src/infrastructure/database/database.ts';
import { Prisma } from './src/infrastructure/database/generated/client.ts';
const url = process.argv[2]!;
const pool = createPool(url, { DATABASE_POOL_MAX: 5, DATABASE_POOL_MIN: 0, DATABASE_SSL: 'disable', isProduction: false } as never);
const db = new Database(pool, { slowQueryMs: 60000, statementTimeoutMs: 15000 }, pino({ level: 'silent' }));
const actor = { kind: 'user', userId: '01941f29-7c00-713a-ab7e-50e739c84a5b' } as const;
const client = new pg.Client(url); await client.connect();
const opening = `BEGIN; SELECT set_config('role','app_user',true), set_config('app.current_user_id','${actor.userId}',true), set_config('statement_timeout','15000',true)`;
async function time(name: string, n: number, fn: () => Promise<unknown>) {
  for (let i = 0; i < 100; i++) await fn();
  const ts: number[] = [];
  const c0 = process.cpuUsage();
  for (let i = 0; i < n; i++) { const s = performance.now(); await fn(); ts.push(performance.now() - s); }
  const c = process.cpuUsage(c0);
  ts.sort((a, b) => a - b);
  console.log(name.padEnd(40), 'p50', ts[n >> 1]!.toFixed(3), 'cpu/call', ((c.user + c.system) / n / 1000).toFixed(3));
}
const N = 500;
for (let round = 0; round < 2; round++) {
  await time('pg select 1 $1', N, () => client.query('SELECT $1::int AS a', [1]));
  await time('pg tx 0 statements', N, async () => { await client.query(opening); await client.query('COMMIT'); });
  await time('pg tx 1 statement', N, async () => { await client.query(opening); await client.query('SELECT $1::int AS a', [1]); await client.query('COMMIT'); });
  await time('pg tx 5 statements', N, async () => { await client.query(opening); for (let i = 0; i < 5; i++) await client.query('SELECT $1::int AS a', [1]); await client.query('COMMIT'); });
  await time('prisma tx 0', N, () => db.runAs(actor, async () => 1));
  await time('prisma tx 1 raw', N, () => db.runAs(actor, (tx) => tx.$queryRaw(Prisma.sql`SELECT ${1}::int AS a`)));
  await time('prisma tx 5 raw', N, () => db.runAs(actor, async (tx) => { for (let i = 0; i < 5; i++) await tx.$queryRaw(Prisma.sql`SELECT ${1}::int AS a`); }));
  await time('prisma tx 5 findFirst', N, () => db.runAs(actor, async (tx) => { for (let i = 0; i < 5; i++) await tx.mediaFile.findFirst({ where: { userId: actor.userId } }); }));
}
await client.end(); await db.end();
