import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** PGlite starts in 1 to 5 s; a cold disk may need far longer, a hang must still end. */
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

interface RunningServer {
  pid: number;
  url: string;
  /** Path of the Unix socket, or "host:port". */
  address: string;
}

/**
 * The embedded database of one data folder: started by the first process that asks, shared with later ones (a seed
 * or migration command beside a running server), stopped by the process that started it.
 */
export class EmbeddedDatabase {
  /** Connection string; only its owner's account can open the socket. */
  readonly url: string;
  readonly #child: ChildProcess | null;
  readonly #cleanUp: () => Promise<void>;

  private constructor(url: string, child: ChildProcess | null, cleanUp: () => Promise<void>) {
    this.url = url;
    this.#child = child;
    this.#cleanUp = cleanUp;
  }

  /**
   * @param dataDir folder of the application's data; the database lives in its sub-folder `postgres`.
   * @throws when the server does not come up in 90 s; the message holds what it printed.
   */
  static async open(dataDir: string): Promise<EmbeddedDatabase> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    // One opener at a time: two engines on one folder would destroy it.
    const unlock = await lock(path.join(dataDir, 'embedded-database.lock'));
    try {
      return await EmbeddedDatabase.#openLocked(dataDir);
    } finally {
      await unlock();
    }
  }

  static async #openLocked(dataDir: string): Promise<EmbeddedDatabase> {
    const registration = path.join(dataDir, 'embedded-database.json');
    const running = await readRunningServer(registration);
    if (running) return new EmbeddedDatabase(running.url, null, async () => undefined);

    // Unix socket paths are limited to about 100 bytes, so the socket lives in a private temporary folder.
    const socketDir = await mkdtemp(path.join(os.tmpdir(), 'media-search-'));
    const useTcp = process.platform === 'win32';
    const socketPath = path.join(socketDir, '.s.PGSQL.5432');
    const child = fork(serverScript(), [path.join(dataDir, 'postgres'), useTcp ? 'tcp' : socketPath], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--no-warnings'],
      serialization: 'json',
    });
    const port = await waitUntilReady(child);
    const url = useTcp
      ? `postgresql://postgres@127.0.0.1:${port}/postgres`
      : `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketDir)}`;
    const address = useTcp ? `127.0.0.1:${port}` : socketPath;
    const server: RunningServer = { pid: child.pid ?? 0, url, address };
    await writeFile(registration, JSON.stringify(server), { mode: 0o600 });
    // The child must not keep a finished command alive.
    child.unref();
    child.channel?.unref();
    (child.stdout as unknown as { unref?: () => void } | null)?.unref?.();
    (child.stderr as unknown as { unref?: () => void } | null)?.unref?.();
    return new EmbeddedDatabase(url, child, async () => {
      await rm(registration, { force: true });
      await rm(socketDir, { recursive: true, force: true });
    });
  }

  /** True when this process started the server, and so has to stop it. */
  get isOwner(): boolean {
    return this.#child !== null;
  }

  /** Shuts the server down in order. Does nothing when another process owns it. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      child.ref();
      if (child.connected) child.send('stop');
      else child.kill('SIGKILL');
      await exited;
      clearTimeout(timer);
    }
    await this.#cleanUp();
  }
}

/** The compiled file in production; the TypeScript source in tests, which Node 24 runs as it is. */
function serverScript(): string {
  const compiled = fileURLToPath(new URL('./embedded-server.process.js', import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/\.js$/, '.ts');
}

function waitUntilReady(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const fail = (reason: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`The embedded database did not start: ${reason}. ${output}`.trim()));
    };
    const timer = setTimeout(() => fail(`no answer in ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`it ended with ${code === null ? `signal ${signal}` : `code ${code}`}`);
    });
    child.on('message', (message: { ready?: boolean; port?: number | null }) => {
      if (!message.ready) return;
      clearTimeout(timer);
      child.removeAllListeners('exit').removeAllListeners('error');
      // When the engine is killed its pipes break; who uses the database learns of it from the connection.
      for (const emitter of [child, child.stdout, child.stderr]) emitter?.on('error', () => undefined);
      resolve(message.port ?? null);
    });
  });
}

/** Takes a lock file; one whose process is gone is taken over. @returns how to give it back */
async function lock(file: string): Promise<() => Promise<void>> {
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(POLL_MS)) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    // A file without a number is being written at this moment, or was left half-written long ago.
    if ((holder > 0 && !isAlive(holder)) || Date.now() > deadline) await rm(file, { force: true });
  }
}

/** The server that another live process runs on the same folder, if it answers. */
async function readRunningServer(registration: string): Promise<RunningServer | null> {
  let server: RunningServer;
  try {
    server = JSON.parse(await readFile(registration, 'utf8')) as RunningServer;
  } catch {
    // No registration, or one that was cut short: start afresh.
    return null;
  }
  if (!isAlive(server.pid)) return null;
  if (await answers(server.address)) return server;
  // It is shutting down: its last pages must be on disk before another engine opens the folder.
  for (let waited = 0; waited < STOP_TIMEOUT_MS && isAlive(server.pid); waited += POLL_MS)
    await sleep(POLL_MS);
  return null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, of another account.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const [host, port] = address.split(':');
    const socket = address.startsWith('/') ? connect(address) : connect(Number(port), host ?? '127.0.0.1');
    socket.setTimeout(2000, () => socket.destroy(new Error('timeout')));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
