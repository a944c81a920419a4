import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { PROJECT_DIR } from './data/cluster.js';

const FOLDER = join(PROJECT_DIR, 'bench', 'search', 'peers');
const requirePeer = createRequire(join(FOLDER, 'package.json'));
const INSTALL_LIMIT_MS = 600_000;

/**
 * Installs the peers into a folder of their own unless they are there: about 550 MB, no install script is run.
 * @returns null, or why it did not work
 */
export async function installPeers(): Promise<string | null> {
  if (existsSync(join(FOLDER, 'node_modules', 'usearch'))) return null;
  try {
    await promisify(execFile)(
      'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', FOLDER],
      {
        timeout: INSTALL_LIMIT_MS,
      },
    );
    return null;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    return (stderr.trim().split('\n')[0] ?? '') || message;
  }
}

/** Loads a package of bench/search/peers. @throws when it is not installed or does not run here */
export async function loadPeer<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(requirePeer.resolve(name)).href)) as T;
}

/** The installed version, for the legend. */
export function peerVersion(name: string): string {
  const lock = requirePeer('./package-lock.json') as { packages: Record<string, { version?: string }> };
  return lock.packages[`node_modules/${name}`]?.version ?? 'unknown';
}
