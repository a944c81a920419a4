import { runProcess } from './child-process.js';
import { findOnPath } from './ffmpeg-locator.js';

/** Address space of one ffmpeg process: the largest frame allowed takes 100 MB, and H.264 may refer to 16 of them. */
const MAX_ADDRESS_SPACE_BYTES = 6 * 1024 ** 3;

export type SandboxMode = 'auto' | 'off';

/** Wraps commands that read untrusted files in what the machine offers for it. */
export interface ProcessSandbox {
  /** Names of the parts in use, for the start-up log: `bubblewrap` (no network, read-only files), `prlimit` (memory). */
  readonly parts: readonly string[];
  /**
   * @param command program and arguments
   * @param writableFolder the only folder the program may write to
   */
  wrap(command: readonly string[], writableFolder?: string): string[];
}

/**
 * Tries out bubblewrap and prlimit. Neither is there on every system (bubblewrap needs user namespaces, which
 * many containers forbid), so each is used only when a trial run works; the limits that ffmpeg itself is given
 * hold in any case.
 */
export async function detectSandbox(mode: SandboxMode): Promise<ProcessSandbox> {
  const bubblewrap = mode === 'off' ? undefined : await tryBubblewrap();
  const prlimit = mode === 'off' ? undefined : await tryPrlimit();
  return {
    parts: [bubblewrap && 'bubblewrap', prlimit && 'prlimit'].filter((part) => part !== undefined),
    wrap: (command, writableFolder) => [
      ...(prlimit ?? []),
      ...(bubblewrap ?? []),
      ...(bubblewrap && writableFolder ? ['--bind', writableFolder, writableFolder] : []),
      ...(bubblewrap ? ['--'] : []),
      ...command,
    ],
  };
}

async function tryBubblewrap(): Promise<string[] | undefined> {
  const bwrap = process.platform === 'linux' ? findOnPath('bwrap') : undefined;
  if (!bwrap) return undefined;
  const prefix = [
    bwrap,
    '--unshare-net',
    '--unshare-pid',
    '--unshare-ipc',
    '--die-with-parent',
    '--new-session',
    ...['--ro-bind', '/', '/'],
    ...['--dev', '/dev'],
    ...['--proc', '/proc'],
  ];
  return (await works([...prefix, '--', process.execPath, '--version'])) ? prefix : undefined;
}

async function tryPrlimit(): Promise<string[] | undefined> {
  const prlimit = process.platform === 'linux' ? findOnPath('prlimit') : undefined;
  if (!prlimit) return undefined;
  const prefix = [prlimit, `--as=${MAX_ADDRESS_SPACE_BYTES}`, '--core=0', '--'];
  return (await works([...prefix, findOnPath('true') ?? '/bin/true'])) ? prefix : undefined;
}

async function works(command: string[]): Promise<boolean> {
  try {
    await runProcess(command, { timeoutMs: 10_000, maxOutputBytes: 4_096 });
    return true;
  } catch {
    return false;
  }
}
