import { spawn } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';

export interface RunOptions {
  /** The process is killed (SIGKILL) after this. */
  timeoutMs: number;
  /** The process is killed when its standard output grows past this. */
  maxOutputBytes: number;
  signal?: AbortSignal;
  /** Gives way to everything else on the machine: for work that nobody waits for. */
  background?: boolean;
  /** What error messages call the program, when the command begins with a wrapper. Default: its first word. */
  name?: string;
}

export interface RunResult {
  stdout: Buffer;
  /** The last 16 KiB of standard error. */
  stderr: string;
}

export type ProcessFailure = 'exit' | 'timeout' | 'output-limit' | 'not-startable';

/** A child process that did not end well. */
export class ProcessFailedError extends Error {
  override name = 'ProcessFailedError';
  constructor(
    readonly failure: ProcessFailure,
    message: string,
    /** The last 16 KiB of what it said. May quote file paths: for logs, not for users. */
    readonly stderr: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const STDERR_BYTES_KEPT = 16 * 1024;
/** On the scale of -20 to 19: jobs give way to the API, which shares the machine in small installations. */
const BACKGROUND_PRIORITY = 10;

/**
 * Runs a program without a shell and with nothing on its standard input.
 * @param command program and arguments
 * @returns its output when it exits with 0
 * @throws ProcessFailedError; the signal's reason when aborted
 */
export async function runProcess(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const [file = '', ...args] = command;
  const name = options.name ?? file;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let errorText = '';
    let killedFor: ProcessFailure | undefined;

    const kill = (reason?: ProcessFailure) => {
      killedFor ??= reason;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => kill('timeout'), options.timeoutMs);
    const onAbort = () => kill();
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };

    child.stdout.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes > options.maxOutputBytes) kill('output-limit');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errorText = (errorText + chunk.toString('utf8')).slice(-STDERR_BYTES_KEPT);
    });
    if (options.background) child.once('spawn', () => lowerPriority(child.pid));
    child.once('error', (cause) => {
      settle();
      reject(
        new ProcessFailedError('not-startable', `${name} cannot be started: ${cause.message}`, '', { cause }),
      );
    });
    child.once('close', (exitCode, exitSignal) => {
      settle();
      if (signal?.aborted) reject(signal.reason as Error);
      else if (killedFor === 'timeout') fail('timeout', `gave no result within ${options.timeoutMs} ms`);
      else if (killedFor === 'output-limit')
        fail('output-limit', `wrote more than ${options.maxOutputBytes} bytes`);
      else if (exitCode !== 0) fail('exit', `ended with ${exitSignal ?? `code ${exitCode}`}`);
      else resolve({ stdout: Buffer.concat(output), stderr: errorText });
    });
    const fail = (failure: ProcessFailure, what: string) =>
      reject(new ProcessFailedError(failure, `${name} ${what}.`, errorText));
  });
}

function lowerPriority(pid: number | undefined): void {
  try {
    // It runs at this process's own priority: where that is lower already, nothing must raise it.
    if (pid !== undefined && getPriority() < BACKGROUND_PRIORITY) setPriority(pid, BACKGROUND_PRIORITY);
  } catch {
    // The process may already have ended, and some containers forbid it; neither matters.
  }
}
