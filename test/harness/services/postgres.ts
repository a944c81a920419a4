import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { LOOPBACK, withFreePort } from './ports.js';
import {
  endProcess,
  findProgram,
  guardService,
  isRunning,
  makeKeptFolder,
  makeServiceFolder,
  readPid,
  removeService,
  runAsService,
  writeServiceFile,
} from './service-process.js';

const INIT_SCRIPT = fileURLToPath(new URL('../../../scripts/init-db.sql', import.meta.url));
const MINIMUM_POSTGRES_MAJOR = 15;

/** The database that scripts/init-db.sql makes; the default template of every test database. */
export const PREPARED_DATABASE = 'ai_media_search';

// The cluster listens on the loopback address only and lives as long as a test run, so these are no secrets.
const LOGINS = {
  admin: { user: 'postgres', password: 'test-admin' },
  owner: { user: 'ai_media_owner', password: 'test-owner' },
  runtime: { user: 'mediauser', password: 'test-runtime' },
} as const;

/**
 * Unsafe when the machine loses power, which makes it fast; the connection limit is that of production.
 * `synchronous_commit` stays on: turned off, a crash of the server loses acknowledged commits (seen), and tests crash
 * it on purpose. With `fsync` off a commit is one write into the page cache.
 */
const THROWAWAY_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  fsync: 'off',
  synchronous_commit: 'on',
  full_page_writes: 'off',
  max_wal_size: '1GB',
  timezone: 'UTC',
};

/** What another process needs to use a cluster that this one started. Plain JSON. */
export interface PostgresDescription {
  binFolder: string;
  folder: string;
  port: number;
}

export interface PostgresOptions {
  /** Server settings on top of those of a throw-away cluster, e.g. `{ max_connections: '20' }`. */
  settings?: Readonly<Record<string, string>>;
  /** A folder that is made for the cluster and outlives this process, as does the server: for benchmarks. */
  keepIn?: string;
}

/** A PostgreSQL cluster of its own, prepared by scripts/init-db.sql, that vanishes with {@link stop}. */
export class ThrowawayPostgres {
  readonly description: PostgresDescription;

  /** @param description plain JSON; `new ThrowawayPostgres(description)` in another process gives the same cluster */
  constructor(description: PostgresDescription) {
    this.description = description;
  }

  get port(): number {
    return this.description.port;
  }

  /** Superuser on the database `postgres`: to make databases and to read catalogs, never for code under test. */
  get adminUrl(): string {
    return this.url('admin', 'postgres');
  }

  /** The owner role, as in `DATABASE_MIGRATION_URL`. */
  ownerUrl(database: string = PREPARED_DATABASE): string {
    return this.url('owner', database);
  }

  /** The runtime login, as in `DATABASE_URL`: owns nothing, bypasses nothing. */
  runtimeUrl(database: string = PREPARED_DATABASE): string {
    return this.url('runtime', database);
  }

  /**
   * Makes a database as a copy of another one, which must have no open connection.
   * Copying a migrated schema is far cheaper than migrating again.
   */
  async createDatabase(name: string, template: string = PREPARED_DATABASE): Promise<void> {
    const [database, source] = [pg.escapeIdentifier(name), pg.escapeIdentifier(template)];
    await this.asAdmin(
      `CREATE DATABASE ${database} OWNER ${LOGINS.owner.user} TEMPLATE ${source}`,
      // A copy does not take the access rights of its template along.
      `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
      `GRANT CONNECT ON DATABASE ${database} TO ${LOGINS.runtime.user}`,
    );
  }

  /** Drops a database and ends the connections to it. Nothing happens when it is not there. */
  async dropDatabase(name: string): Promise<void> {
    await this.asAdmin(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  }

  /**
   * Crashes the server and starts it again on the same port: every session is cut without a goodbye and the
   * server recovers from its log. Resolves when it answers again.
   */
  async restartImmediate(): Promise<void> {
    await this.crash();
    await this.start();
  }

  /** Crashes the server and leaves it down until {@link start}. */
  async crash(): Promise<void> {
    await this.control('stop', '-m', 'immediate');
  }

  /** Stops the server in good order and keeps its folder, for {@link start}. */
  async shutDown(): Promise<void> {
    await this.control('stop', '-m', 'fast');
  }

  /** Starts the server, after {@link crash} or {@link shutDown}. Resolves when it answers. */
  async start(): Promise<void> {
    await this.control('start', '-l', this.logFile, '-o', `-p ${this.port}`).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await readFile(this.logFile, 'utf8').catch(() => '')}`);
    });
  }

  /** Stops the server and removes its folder. May be called again. */
  async stop(): Promise<void> {
    // SIGQUIT: the data go anyway, so there is no shutdown checkpoint to wait for.
    await endProcess(this.pidFile, 'SIGQUIT');
    await removeService(this.description.folder);
  }

  /** The process id of the server, or undefined while it is down. */
  pid(): Promise<number | undefined> {
    return readPid(this.pidFile);
  }

  /** The file that holds the server's process id while it runs. */
  get pidFile(): string {
    return join(this.description.folder, 'data', 'postmaster.pid');
  }

  private get logFile(): string {
    return join(this.description.folder, 'postgres.log');
  }

  private url(login: keyof typeof LOGINS, database: string): string {
    const { user, password } = LOGINS[login];
    return `postgresql://${user}:${password}@${LOOPBACK}:${this.port}/${encodeURIComponent(database)}`;
  }

  private async control(...args: string[]): Promise<void> {
    const { binFolder, folder } = this.description;
    const common = ['-D', join(folder, 'data'), '-w', '-t', '30'];
    await runAsService(folder, join(binFolder, 'pg_ctl'), [...args, ...common]);
  }

  private async asAdmin(...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.adminUrl });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }
}

/** The folder of the newest PostgreSQL server (15 or later) in Debian's layout, else the one on the PATH. */
function findBinFolder(): string {
  const root = '/usr/lib/postgresql';
  const newestFirst = (existsSync(root) ? readdirSync(root) : [])
    .map(Number)
    .filter((major) => major >= MINIMUM_POSTGRES_MAJOR)
    .sort((first, second) => second - first)
    .map((major) => join(root, String(major), 'bin'));
  return dirname(findProgram('initdb', newestFirst));
}

/** pg_stat_statements belongs to contrib, which may be missing, and preloading what is missing stops the start. */
async function preloadSetting(folder: string, binFolder: string): Promise<Record<string, string>> {
  const library = await runAsService(folder, findProgram('pg_config', [binFolder]), ['--pkglibdir']);
  const found = ['so', 'dylib'].some((suffix) =>
    existsSync(join(library.trim(), `pg_stat_statements.${suffix}`)),
  );
  return found ? { shared_preload_libraries: 'pg_stat_statements' } : {};
}

async function initialiseCluster(
  { folder, binFolder, port }: PostgresDescription,
  settings: PostgresOptions['settings'],
): Promise<void> {
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'admin-password');
  await writeServiceFile(passwordFile, LOGINS.admin.password);
  // macOS has no C.UTF-8; nothing in the application relies on the order of a collation.
  const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  await runAsService(folder, join(binFolder, 'initdb'), [
    ...['-D', data, '-U', LOGINS.admin.user, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', locale, '--no-sync'],
  ]);
  const preload = await preloadSetting(folder, binFolder);
  const lines = Object.entries({ ...THROWAWAY_SETTINGS, ...preload, port: String(port), ...settings }).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  await writeServiceFile(join(data, 'postgresql.auto.conf'), lines.join(''));
}

/**
 * Applies scripts/init-db.sql with the fixed test passwords; it may be applied again.
 * It is copied first, because the service user may not be able to read the project.
 *
 * @throws with psql's words, e.g. when the server has no pgvector
 */
export async function applyInitScript(postgres: ThrowawayPostgres): Promise<void> {
  const { folder, binFolder } = postgres.description;
  const script = join(folder, 'init-db.sql');
  await writeServiceFile(script, await readFile(INIT_SCRIPT, 'utf8'));
  const variables = [
    `database=${PREPARED_DATABASE}`,
    `owner_password=${LOGINS.owner.password}`,
    `runtime_password=${LOGINS.runtime.password}`,
  ];
  await runAsService(folder, findProgram('psql', [binFolder]), [
    ...[postgres.adminUrl, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', script],
    ...variables.flatMap((variable) => ['-v', variable]),
  ]);
}

/** The cluster that `startPostgres({ keepIn })` left in a folder: started again on a free port unless it still runs. */
export async function reopenPostgres(folder: string): Promise<ThrowawayPostgres> {
  const binFolder = findBinFolder();
  const stopped = new ThrowawayPostgres({ binFolder, folder, port: 0 });
  const pid = await stopped.pid();
  if (pid !== undefined && isRunning(pid)) {
    // PostgreSQL's pid file names its port on the fourth line.
    const port = Number((await readFile(stopped.pidFile, 'utf8')).split('\n')[3]);
    return new ThrowawayPostgres({ binFolder, folder, port });
  }
  return withFreePort(async (port) => {
    const postgres = new ThrowawayPostgres({ binFolder, folder, port });
    await postgres.start();
    return postgres;
  });
}

/**
 * Starts a PostgreSQL cluster in a fresh temporary folder, on a free port of 127.0.0.1, as an unprivileged user,
 * and prepares it with scripts/init-db.sql. It is stopped by {@link ThrowawayPostgres.stop}, or by the guard when
 * this process ends without that.
 *
 * @throws when there is no PostgreSQL >= 15 or no pgvector >= 0.8 (the message names the command that installs
 *   them), or with the server's own words when it does not start
 */
export function startPostgres({ settings, keepIn }: PostgresOptions = {}): Promise<ThrowawayPostgres> {
  return withFreePort(async (port) => {
    const binFolder = findBinFolder();
    const folder = keepIn ? await makeKeptFolder(keepIn) : await makeServiceFolder('postgres');
    const postgres = new ThrowawayPostgres({ binFolder, folder, port });
    if (!keepIn) guardService({ folder, pidFile: postgres.pidFile, processName: 'postgres' });
    try {
      await initialiseCluster(postgres.description, settings);
      await postgres.start();
      await applyInitScript(postgres);
      return postgres;
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  });
}
