import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { runProcess } from './child-process.js';

/** Where a program was found: set by the operator, on the PATH, or inside an npm package. */
export type BinarySource = 'configured' | 'path' | 'bundled';

export interface LocatedBinary {
  path: string;
  source: BinarySource;
  /** First line of `-version`, e.g. `ffmpeg version 5.1.9 ...`. */
  version: string;
}

export interface FfmpegBinaries {
  ffmpeg: LocatedBinary;
  ffprobe: LocatedBinary;
}

/** ffmpeg or ffprobe is missing or does not run; an operator has to act. */
export class MediaToolMissingError extends Error {
  override name = 'MediaToolMissingError';
}

/**
 * Finds ffmpeg and ffprobe: the configured paths, then the PATH, then the binaries inside `@ffmpeg-installer/*`
 * and `@ffprobe-installer/*`. Those are old builds, so a caller should warn when a source is `bundled`.
 * Each candidate is tried out; a configured one that does not run is an error and never silently replaced.
 * @throws MediaToolMissingError
 */
export async function locateFfmpeg(configured: {
  ffmpegPath?: string;
  ffprobePath?: string;
}): Promise<FfmpegBinaries> {
  const [ffmpeg, ffprobe] = await Promise.all([
    locate('ffmpeg', 'FFMPEG_PATH', configured.ffmpegPath),
    locate('ffprobe', 'FFPROBE_PATH', configured.ffprobePath),
  ]);
  return { ffmpeg, ffprobe };
}

async function locate(
  name: 'ffmpeg' | 'ffprobe',
  setting: string,
  configured?: string,
): Promise<LocatedBinary> {
  if (configured) {
    const found = await tryOut(configured, 'configured');
    if (found) return found;
    throw new MediaToolMissingError(`${setting} points to "${configured}", which does not run.`);
  }
  const onPath = findOnPath(name);
  const bundled = findBundled(name);
  const found =
    (onPath && (await tryOut(onPath, 'path'))) ||
    (bundled && (await tryOut(bundled, 'bundled'))) ||
    undefined;
  if (found) return found;
  throw new MediaToolMissingError(
    `${name} was not found. Install ffmpeg (e.g. "apt-get install ffmpeg") or set ${setting}.`,
  );
}

async function tryOut(path: string, source: BinarySource): Promise<LocatedBinary | undefined> {
  try {
    const { stdout } = await runProcess([path, '-version'], { timeoutMs: 10_000, maxOutputBytes: 65_536 });
    return { path, source, version: stdout.toString('utf8').split('\n', 1)[0] ?? '' };
  } catch {
    return undefined;
  }
}

/** The first executable file of that name on the PATH, or undefined. */
export function findOnPath(name: string): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, file))
    .find(isExecutable);
}

function findBundled(name: 'ffmpeg' | 'ffprobe'): string | undefined {
  try {
    // The platform's package is an optional dependency of the installer package, so it is resolved from there.
    const fromHere = createRequire(import.meta.url);
    const installer = fromHere.resolve(`@${name}-installer/${name}/package.json`);
    const platform = `@${name}-installer/${process.platform}-${process.arch}/package.json`;
    const folder = dirname(createRequire(installer).resolve(platform));
    const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
    // With install scripts switched off (npm ci --ignore-scripts) the executable bit may be missing.
    if (!isExecutable(path)) chmodSync(path, 0o755);
    return path;
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
