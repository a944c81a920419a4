import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { accessSync, chownSync, constants, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOOPBACK } from './ports.js';

const execFileAsync = promisify(execFile);

/** The user that services run as: PostgreSQL and PgBouncer refuse to run as root. */
interface ServiceUser {
  uid: number;
  gid: number;
}

function numericId(flag: '-u' | '-g', name: string): number {
  return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

/**
 * The unprivileged user for child processes: none when this process is unprivileged itself, else the system
 * user of the PostgreSQL packages.
 *
 * @throws when this process is root and the machine has no user `postgres`
 */
function serviceUser(): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    return { uid: numericId('-u', 'postgres'), gid: numericId('-g', 'postgres') };
  } catch {
    throw new Error(
      'Running as root, and there is no system user "postgres" to run the services as. ' +
        'Install PostgreSQL (scripts/services.sh ensure-pgvector) or run the tests as another user.',
    );
  }
}

/** PG* variables of the caller's shell must not reach initdb or psql, so children get this instead. */
function cleanEnvironment(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', TZ: 'UTC' };
}

/** Makes a folder below the system's temporary one that belongs to the service user. Returns its path. */
export async function makeServiceFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `ai-media-search-${name}-`));
  const user = serviceUser();
  if (user) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** Makes a folder at a given place, which must be free, that belongs to the service user. Returns its path. */
export async function makeKeptFolder(path: string): Promise<string> {
  await mkdir(path, { mode: 0o700 });
  const user = serviceUser();
  if (user) chownSync(path, user.uid, user.gid);
  return path;
}

/** Writes a file that only the service user can read. */
export async function writeServiceFile(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  const user = serviceUser();
  if (user) chownSync(path, user.uid, user.gid);
}

/**
 * Finds a program in the given folders, then on the PATH, then where Debian keeps daemons.
 *
 * @throws with what to do when it is in none of them
 */
export function findProgram(name: string, folders: readonly string[] = []): string {
  const searched = [...folders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of searched) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look in the next folder.
    }
  }
  throw new Error(`${name} is not installed. Run scripts/services.sh ensure-pgvector (docs/services.md).`);
}

/**
 * Runs a program to its end as the service user, inside `folder`.
 *
 * @returns its standard output
 * @throws with the program's own words when it ends with an error or takes longer than 60 s
 */
export async function runAsService(
  folder: string,
  program: string,
  args: readonly string[],
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, args, {
      ...serviceUser(),
      cwd: folder,
      env: cleanEnvironment(folder),
      timeout: 60_000,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${program} failed: ${(stderr + stdout).trim() || message}`, { cause: error });
  }
}

/** Starts a program that stays in the foreground, as the service user, without keeping this process alive. */
export function spawnService(folder: string, program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, {
    ...serviceUser(),
    cwd: folder,
    env: cleanEnvironment(folder),
    stdio: 'ignore',
    // A session of its own, so that Ctrl-C in the terminal reaches the tests and not their services.
    detached: true,
  });
  child.unref();
  return child;
}

/** Whether a process lives. A zombie, which waits only for its parent to notice, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const stat = `/proc/${pid}/stat`;
  try {
    return !existsSync('/proc/self/stat') || !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
  } catch {
    return false;
  }
}

/** The process id on the first line of a pid file, or undefined when there is no such file. */
export async function readPid(pidFile: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  return Number.isNaN(pid) ? undefined : pid;
}

/**
 * Ends the process named in a pid file, waits until it is gone and removes the file.
 * After `graceMilliseconds` it is killed. Without a pid file there is nothing to do.
 *
 * @throws when the process lives even after SIGKILL
 */
export async function endProcess(
  pidFile: string,
  signal: NodeJS.Signals,
  graceMilliseconds = 5_000,
): Promise<void> {
  const pid = await readPid(pidFile);
  if (pid === undefined) return;
  for (const [index, step] of [signal, 'SIGKILL' as const].entries()) {
    if (isRunning(pid)) process.kill(pid, step);
    const deadline = performance.now() + (index === 0 ? graceMilliseconds : 5_000);
    while (isRunning(pid) && performance.now() < deadline) await sleep(10);
  }
  if (isRunning(pid)) throw new Error(`Process ${pid} is still there after SIGKILL`);
  await rm(pidFile, { force: true });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, LOOPBACK);
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

/**
 * Waits until a child process has written its pid file and its port accepts connections.
 *
 * @throws with the service's log when the child ends first, or after 15 s
 */
export async function waitForPort(
  child: ChildProcess,
  { port, pidFile, logFile }: { port: number; pidFile: string; logFile: string },
): Promise<void> {
  let spawnError: Error | undefined;
  child.once('error', (error) => (spawnError = error));
  const deadline = performance.now() + 15_000;
  while (
    child.exitCode === null &&
    child.signalCode === null &&
    !spawnError &&
    performance.now() < deadline
  ) {
    // The pid file tells our service from a stranger that took the port first.
    if ((await readPid(pidFile)) === child.pid && (await accepts(port))) return;
    await sleep(10);
  }
  const log = await readFile(logFile, 'utf8').catch(() => '');
  if (child.exitCode === null) child.kill('SIGKILL');
  throw new Error(
    `${child.spawnfile} did not start on port ${port}. ${spawnError?.message ?? ''}\n${log}`.trim(),
  );
}

let guard: ChildProcess | undefined;
const guardedFolders = new Set<string>();

function tellGuard(message: object): void {
  if (!guard) {
    const program = fileURLToPath(new URL('./guard-process.ts', import.meta.url));
    guard = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    guard.unref();
    (guard.stdin as Socket).unref();
  }
  guard.stdin?.write(`${JSON.stringify(message)}\n`);
}

/**
 * Has a service stopped and its folder removed when this process ends without having done so itself,
 * in whatever way it ends (see guard-process.ts).
 */
export function guardService(service: { folder: string; pidFile: string; processName: string }): void {
  guardedFolders.add(service.folder);
  tellGuard({ add: service });
}

/** Removes the folder of a service that was stopped, and takes it off the guard's list. */
export async function removeService(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  if (!guardedFolders.delete(folder)) return;
  tellGuard({ remove: folder });
  if (guardedFolders.size === 0) {
    guard?.stdin?.end();
    guard = undefined;
  }
}
