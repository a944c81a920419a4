import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startPgBouncer } from '../harness/services/pgbouncer.js';
import { applyInitScript, startPostgres, type ThrowawayPostgres } from '../harness/services/postgres.js';
import { startRedis } from '../harness/services/redis.js';
import { isRunning } from '../harness/services/service-process.js';

/** Runs one statement on a connection of its own and returns the rows. */
async function query<Row extends pg.QueryResultRow>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  // A crash test cuts connections: the error belongs to the query that runs, not to the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function pidOf(service: { pid(): Promise<number | undefined> }): Promise<number> {
  const pid = await service.pid();
  if (pid === undefined) throw new Error('the service has no pid file');
  return pid;
}

describe('throw-away PostgreSQL', () => {
  let postgres: ThrowawayPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it('has pgvector 0.8 or later and the extensions of the product', async () => {
    const [row] = await query<{ distance: number }>(
      postgres.runtimeUrl(),
      `SELECT '[1,2,3]'::vector <-> '[1,2,5]'::halfvec(3)::vector AS distance`,
    );
    expect(row?.distance).toBe(2);
    const extensions = await query<{ extname: string; extversion: string }>(
      postgres.ownerUrl(),
      'SELECT extname, extversion FROM pg_extension',
    );
    const names = extensions.map(({ extname }) => extname);
    const expected = ['uuid-ossp', 'pgcrypto', 'vector', 'pg_trgm', 'btree_gin', 'btree_gist', 'unaccent'];
    expect(names).toEqual(expect.arrayContaining(expected));
    expect(extensions.find(({ extname }) => extname === 'vector')?.extversion).toMatch(
      /^0\.([89]|\d\d)\.|^[1-9]/,
    );
  });

  it('listens on the loopback address only', async () => {
    const [row] = await query(postgres.adminUrl, `SELECT current_setting('listen_addresses') AS addresses`);
    expect(row).toEqual({ addresses: '127.0.0.1' });
  });

  it('gives no role a way around row-level security, and the runtime login nothing of its own', async () => {
    const roles = await query(
      postgres.adminUrl,
      `SELECT rolname, rolsuper OR rolbypassrls OR rolcreatedb OR rolreplication AS privileged,
              rolcanlogin AS login, rolinherit AS inherit, rolcreaterole AS createrole
         FROM pg_roles WHERE rolname !~ '^(pg_|postgres$)' ORDER BY rolname`,
    );
    const group = { privileged: false, login: false, inherit: true, createrole: false };
    expect(roles).toEqual([
      { ...group, rolname: 'ai_media_owner', login: true, createrole: true },
      { ...group, rolname: 'app_admin' },
      { ...group, rolname: 'app_definer' },
      { ...group, rolname: 'app_system' },
      { ...group, rolname: 'app_user' },
      { ...group, rolname: 'mediauser', login: true, inherit: false },
      { ...group, rolname: 'search_reader' },
    ]);
    const owned = await query(
      postgres.adminUrl,
      `SELECT d.datname, pg_get_userbyid(d.datdba) AS owner FROM pg_database d WHERE d.datname = 'ai_media_search'`,
    );
    expect(owned).toEqual([{ datname: 'ai_media_search', owner: 'ai_media_owner' }]);
    await expect(query(postgres.runtimeUrl(), 'CREATE TABLE public.mine (id int)')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(query(postgres.runtimeUrl(), 'SET ROLE ai_media_owner')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(query(postgres.runtimeUrl(), 'SET ROLE search_reader')).rejects.toMatchObject({
      code: '42501',
    });
    const taken = await query(postgres.runtimeUrl(), `SELECT set_config('role', 'app_user', false) AS role`);
    expect(taken).toEqual([{ role: 'app_user' }]);
  });

  it('lets the owner hand a function over to a definer role', async () => {
    await query(
      postgres.ownerUrl(),
      `CREATE FUNCTION handed_over() RETURNS int LANGUAGE sql AS 'SELECT 1';
       GRANT CREATE ON SCHEMA public TO search_reader;
       ALTER FUNCTION handed_over() OWNER TO search_reader;
       REVOKE CREATE ON SCHEMA public FROM search_reader`,
    );
    const rows = await query(
      postgres.ownerUrl(),
      `SELECT pg_get_userbyid(proowner) AS owner FROM pg_proc WHERE proname = 'handed_over'`,
    );
    expect(rows).toEqual([{ owner: 'search_reader' }]);
  });

  it('sets the limits of the logins', async () => {
    const settings = ['jit', 'max_parallel_workers_per_gather', 'statement_timeout', 'lock_timeout'].map(
      (name) => `current_setting('${name}')`,
    );
    const [row] = await query(postgres.runtimeUrl(), `SELECT ARRAY[${settings.join(',')}] AS values`);
    expect(row).toEqual({ values: ['off', '0', '30s', '10s'] });
    const [owner] = await query(postgres.ownerUrl(), 'SHOW max_parallel_maintenance_workers');
    expect(owner).toEqual({ max_parallel_maintenance_workers: '0' });
  });

  it('can be prepared again without an error or a change', async () => {
    const catalog = `SELECT (SELECT array_agg(r.* ORDER BY rolname)::text FROM pg_roles r) AS roles,
                            (SELECT array_agg(m.* ORDER BY roleid, member)::text FROM pg_auth_members m) AS members`;
    const before = await query(postgres.adminUrl, catalog);
    await applyInitScript(postgres);
    expect(await query(postgres.adminUrl, catalog)).toEqual(before);
  });

  it('copies a template, and drops the copy under an open connection', async () => {
    await postgres.createDatabase('template_of_test');
    await query(postgres.ownerUrl('template_of_test'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await postgres.createDatabase('copy of "it"', 'template_of_test');
    expect(await query(postgres.ownerUrl('copy of "it"'), 'SELECT answer FROM kept')).toEqual([
      { answer: 42 },
    ]);
    expect(await query(postgres.runtimeUrl('copy of "it"'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);

    const open = new pg.Client({ connectionString: postgres.runtimeUrl('copy of "it"') });
    open.on('error', () => undefined);
    await open.connect();
    await postgres.dropDatabase('copy of "it"');
    await expect(open.query('SELECT 1')).rejects.toThrow();
    await postgres.dropDatabase('copy of "it"');
    await postgres.dropDatabase('template_of_test');
    const left = await query(
      postgres.adminUrl,
      `SELECT datname FROM pg_database WHERE datname ~ 'it|of_test'`,
    );
    expect(left).toEqual([]);
  });

  it('comes back from a crash on the same port with what was committed', async () => {
    await query(postgres.ownerUrl(), 'CREATE TABLE survivor AS SELECT generate_series(1, 1000) AS id');
    const before = await pidOf(postgres);
    const cut = new pg.Client({ connectionString: postgres.runtimeUrl() });
    cut.on('error', () => undefined);
    await cut.connect();
    await postgres.restartImmediate();
    await expect(cut.query('SELECT 1')).rejects.toThrow();
    expect(await pidOf(postgres)).not.toBe(before);
    const rows = await query(postgres.ownerUrl(), 'SELECT count(*)::int AS rows FROM survivor');
    expect(rows).toEqual([{ rows: 1000 }]);
  });

  it('is down between crash and start', async () => {
    await postgres.crash();
    await expect(query(postgres.runtimeUrl(), 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await postgres.start();
    expect(await query(postgres.runtimeUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('answers through PgBouncer, which shares one connection between transactions', async () => {
    const pgBouncer = await startPgBouncer({
      backendUrls: [postgres.runtimeUrl(), postgres.ownerUrl()],
      poolSize: 1,
    });
    const clients = [0, 1].map(() => new pg.Client({ connectionString: pgBouncer.url }));
    try {
      await Promise.all(clients.map((client) => client.connect()));
      const backendPids = new Set<number>();
      for (const client of [...clients, ...clients]) {
        await client.query('BEGIN');
        await client.query(`SELECT set_config('app.current_user_id', 'left behind?', true)`);
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await client.query('COMMIT');
        rows.forEach(({ pid }) => backendPids.add(pid));
        const after = await client.query(`SELECT current_setting('app.current_user_id', true) AS left`);
        expect(after.rows).toEqual([{ left: '' }]);
      }
      expect(backendPids.size).toBe(1);
      expect(await query(pgBouncer.through(postgres.ownerUrl()), 'SELECT current_user AS name')).toEqual([
        { name: 'ai_media_owner' },
      ]);
      const settings = await query<{ key: string; value: string }>(pgBouncer.consoleUrl, 'SHOW CONFIG');
      expect(settings.find(({ key }) => key === 'pool_mode')?.value).toBe('transaction');
    } finally {
      await Promise.all(clients.map((client) => client.end()));
      const pid = await pidOf(pgBouncer);
      await pgBouncer.stop();
      expect([isRunning(pid), existsSync(pgBouncer.folder)]).toEqual([false, false]);
    }
  });
});

describe('throw-away Redis', () => {
  it('answers, forgets on flush, restarts on its port and leaves nothing', async () => {
    const redis = await startRedis();
    const client = new Redis(redis.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    try {
      expect(await client.ping()).toBe('PONG');
      await client.set('key', 'value');
      await redis.flushAll();
      expect(await client.get('key')).toBeNull();

      const [port, pid] = [redis.port, await pidOf(redis)];
      await redis.kill();
      expect([isRunning(pid), await redis.pid()]).toEqual([false, undefined]);
      await redis.restart();
      expect(redis.port).toBe(port);
      expect(await client.ping()).toBe('PONG');
      const policy = await client.config('GET', 'maxmemory-policy');
      expect(policy).toEqual(['maxmemory-policy', 'noeviction']);
    } finally {
      client.disconnect();
      const pid = await pidOf(redis);
      await redis.stop();
      expect([isRunning(pid), existsSync(redis.description.folder)]).toEqual([false, false]);
    }
  });
});

/**
 * A program that starts both services, prints their process ids and folders, and waits.
 * Node strips the types itself; the hook finds the `.ts` file behind the `.js` that NodeNext imports name.
 */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve: (specifier, context, next) =>
      next(context.parentURL?.startsWith(process.argv[1]) ? specifier.replace(/\\.js$/, '.ts') : specifier, context),
  });
  const [{ startPostgres }, { startRedis }] = await Promise.all([
    import(new URL('postgres.ts', process.argv[1])),
    import(new URL('redis.ts', process.argv[1])),
  ]);
  const services = await Promise.all([startPostgres(), startRedis()]);
  const pids = await Promise.all(services.map((service) => service.pid()));
  console.log(JSON.stringify({ pids, folders: services.map(({ description }) => description.folder) }));
  setInterval(() => undefined, 1_000);
`;

describe('the guard', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)('stops everything when the process ends by %s', async (signal) => {
    const folder = new URL('../harness/services/', import.meta.url).href;
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Ends without a line when the program fails, and JSON.parse then says so.
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
    const { pids, folders } = JSON.parse(line ?? '') as { pids: number[]; folders: string[] };
    expect(pids.map(isRunning)).toEqual([true, true]);

    child.kill(signal);
    for (let waited = 0; waited < 300 && folders.some((path) => existsSync(path)); waited += 1)
      await sleep(100);
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(folders.map((path) => existsSync(path))).toEqual([false, false]);
    expect(folders.every((path) => existsSync(dirname(path)))).toBe(true);
  });
});
