import { join } from 'node:path';
import { LOOPBACK, withFreePort } from './ports.js';
import {
  endProcess,
  findProgram,
  guardService,
  makeServiceFolder,
  readPid,
  removeService,
  spawnService,
  waitForPort,
  writeServiceFile,
} from './service-process.js';

export interface PgBouncerOptions {
  /**
   * One or more database URLs of the server behind, e.g. the runtime and the owner URL of a throw-away cluster.
   * Host and port come from the first one; the logins of all of them may connect, to any database.
   */
  backendUrls: readonly [string, ...string[]];
  /** Server connections per login and database. Small values show what leaks from one transaction to the next. */
  poolSize?: number;
}

/** A PgBouncer of its own in transaction mode that vanishes with {@link stop}. */
export class ThrowawayPgBouncer {
  readonly folder: string;
  readonly port: number;
  private readonly firstBackendUrl: string;

  /** @param firstBackendUrl the URL that {@link url} leads to */
  constructor(folder: string, port: number, firstBackendUrl: string) {
    this.folder = folder;
    this.port = port;
    this.firstBackendUrl = firstBackendUrl;
  }

  /** The first backend URL, through PgBouncer. */
  get url(): string {
    return this.through(this.firstBackendUrl);
  }

  /** PgBouncer's own console as the first login: `SHOW POOLS`, `SHOW STATS`. Simple query protocol only. */
  get consoleUrl(): string {
    const url = new URL(this.url);
    url.pathname = '/pgbouncer';
    return url.href;
  }

  /** The same login and database as `backendUrl`, through PgBouncer. */
  through(backendUrl: string): string {
    const url = new URL(backendUrl);
    url.hostname = LOOPBACK;
    url.port = String(this.port);
    return url.href;
  }

  /** Stops PgBouncer at once, cutting its clients, and removes its folder. May be called again. */
  async stop(): Promise<void> {
    await endProcess(this.pidFile, 'SIGTERM', 1_000);
    await removeService(this.folder);
  }

  /** The process id of PgBouncer, or undefined while it is down. */
  pid(): Promise<number | undefined> {
    return readPid(this.pidFile);
  }

  /** The file that holds PgBouncer's process id while it runs. */
  get pidFile(): string {
    return join(this.folder, 'pgbouncer.pid');
  }
}

/** Quotes a word for PgBouncer's userlist, where a quote is doubled. */
function quote(word: string): string {
  return `"${decodeURIComponent(word).replaceAll('"', '""')}"`;
}

/**
 * Starts PgBouncer in transaction mode on a free port of 127.0.0.1, as an unprivileged user.
 *
 * Debian 12 has PgBouncer 1.18, which does not know named prepared statements in this mode (1.21 and later do).
 *
 * @throws when pgbouncer is not installed, or with its log when it does not start
 */
export function startPgBouncer({ backendUrls, poolSize = 2 }: PgBouncerOptions): Promise<ThrowawayPgBouncer> {
  return withFreePort(async (port) => {
    const program = findProgram('pgbouncer');
    const folder = await makeServiceFolder('pgbouncer');
    const pgBouncer = new ThrowawayPgBouncer(folder, port, backendUrls[0]);
    guardService({ folder, pidFile: pgBouncer.pidFile, processName: 'pgbouncer' });
    try {
      const backends = backendUrls.map((url) => new URL(url));
      const [first] = backends as [URL];
      const userList = join(folder, 'userlist.txt');
      const logFile = join(folder, 'pgbouncer.log');
      await writeServiceFile(
        userList,
        backends.map(({ username, password }) => `${quote(username)} ${quote(password)}\n`).join(''),
      );
      const lines = [
        '[databases]',
        `* = host=${first.hostname} port=${first.port}`,
        '[pgbouncer]',
        `listen_addr = ${LOOPBACK}`,
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'pool_mode = transaction',
        `default_pool_size = ${poolSize}`,
        'max_client_conn = 500',
        'auth_type = scram-sha-256',
        `auth_file = ${userList}`,
        `admin_users = ${decodeURIComponent(first.username)}`,
        'ignore_startup_parameters = extra_float_digits,options',
        `logfile = ${logFile}`,
        `pidfile = ${pgBouncer.pidFile}`,
      ];
      const configuration = join(folder, 'pgbouncer.ini');
      await writeServiceFile(configuration, `${lines.join('\n')}\n`);
      const child = spawnService(folder, program, ['-q', configuration]);
      await waitForPort(child, { port, pidFile: pgBouncer.pidFile, logFile });
      return pgBouncer;
    } catch (error) {
      await pgBouncer.stop();
      throw error;
    }
  });
}
