import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Prisma } from '../src/infrastructure/database/generated/client.js';
import { plannedSender, preparationOf } from '../src/infrastructure/database/prepared.js';
import { SEARCH_SETTINGS } from '../src/modules/search/sql/search.sql.js';

export interface UserTransactionOptions {
  /** null: whoever is logged in, such as a superuser, whom no policy concerns. */
  role?: 'app_user' | null;
  /** Settings of the transaction. Without: those of a search. */
  settings?: Readonly<Record<string, string>>;
}

/** Runs `work` in a transaction as the application opens one for a request of this user, on a connection of `pg`. */
export async function inUserTransaction<T>(
  client: pg.Client,
  userId: string,
  work: () => Promise<T>,
  { role = 'app_user', settings = SEARCH_SETTINGS }: UserTransactionOptions = {},
): Promise<T> {
  await client.query('BEGIN');
  try {
    const all = { ...(role === null ? {} : { role }), 'app.current_user_id': userId, ...settings };
    const calls = Object.keys(all).map((name, index) => `set_config('${name}', $${index + 1}, true)`);
    await client.query(`SELECT ${calls.join(', ')}`, Object.values(all));
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Sends what the application sends, prepared where the application prepares it. */
export async function send<Row = Record<string, unknown>>(
  client: pg.Client,
  sql: Prisma.Sql,
): Promise<Row[]> {
  const { text, values } = sql;
  const statement: pg.QueryConfig = { ...preparationOf(sql, text), text, values };
  const { rows } = await plannedSender((message) => client.query(message as pg.QueryConfig))(statement);
  return rows as Row[];
}

/** Prints what PostgreSQL does for a statement. */
export async function printPlan(client: pg.Client, { text, values }: Prisma.Sql): Promise<void> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, values);
  console.log(rows.map((row) => row['QUERY PLAN']).join('\n'), '\n');
}

/** Time of one statement, in milliseconds. */
export interface Cost {
  /** As its caller waits, the median. */
  wait: number;
  /** On the server's processor, the median; NaN where the system does not tell. A busy machine does not count. */
  processor: number;
}

/** Runs a statement some times, in a transaction that is open. */
export async function costOf(client: pg.Client, sql: Prisma.Sql, runs: number): Promise<Cost> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const { pid } = rows[0]!;
  const [waits, processors]: [number[], number[]] = [[], []];
  await send(client, sql);
  for (let run = 0; run < runs; run += 1) {
    const before = await processorMs(pid);
    const started = performance.now();
    await send(client, sql);
    waits.push(performance.now() - started);
    processors.push((await processorMs(pid)) - before);
  }
  return { wait: median(waits), processor: median(processors) };
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;

/** Time on the processor so far of a process. */
async function processorMs(pid: number): Promise<number> {
  const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => 'NaN')).split(' ');
  return Number(nanoseconds) / 1e6;
}
