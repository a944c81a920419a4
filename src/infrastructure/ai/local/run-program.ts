import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** Exit code, or null when the program was killed. */
  exitCode: number | null;
  stdout: string;
  /** The last part of it. */
  stderr: string;
  timedOut: boolean;
}

export interface ProgramOptions {
  /** Sent to the program's standard input. */
  input?: Buffer;
  timeoutMilliseconds: number;
  /** The program is killed when it writes more than this. */
  maxOutputBytes: number;
  signal?: AbortSignal;
  env?: NodeJS.ProcessEnv;
}

const MAX_STDERR_CHARACTERS = 2000;

/**
 * Runs a program without a shell: every argument reaches it as it is.
 * @throws the system error when the program cannot be started (ENOENT: not there)
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: options.env, shell: false });
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let timedOut = false;
    const kill = (): void => {
      child.kill('SIGKILL');
      // A program behind a wrapper script outlives it and keeps the pipes open: without this, `close` never comes.
      child.stdout.destroy();
      child.stderr.destroy();
      child.stdin.destroy();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeoutMilliseconds);
    options.signal?.addEventListener('abort', kill, { once: true });
    if (options.signal?.aborted) kill();

    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > options.maxOutputBytes) kill();
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR_CHARACTERS);
    });
    // A program that ends before it has read everything breaks the pipe; its exit code tells the story.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);

    const finish = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', kill);
    };
    child.on('error', (error) => {
      finish();
      reject(error);
    });
    child.on('close', (exitCode) => {
      finish();
      resolve({ exitCode, stdout: Buffer.concat(chunks).toString('utf8'), stderr, timedOut });
    });
  });
}
