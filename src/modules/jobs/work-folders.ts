import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(tmpdir(), 'ai-media-search-jobs');

/** Makes a fresh folder for one job. Its name starts with the process id, so that leftovers can be told. */
export async function makeWorkFolder(): Promise<string> {
  // Other users of the machine have no business with people's files.
  await mkdir(ROOT, { recursive: true, mode: 0o700 });
  return mkdtemp(path.join(ROOT, `${process.pid}-`));
}

/** Never throws: a folder that cannot be removed now is swept at a later start. */
export async function removeWorkFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined);
}

/** Removes the folders of processes that were killed. Returns how many. */
export async function sweepWorkFolders(): Promise<number> {
  const names = await readdir(ROOT).catch(() => []);
  let swept = 0;
  for (const name of names) {
    const pid = Number.parseInt(name, 10);
    if (!Number.isInteger(pid) || pid === process.pid || isAlive(pid)) continue;
    await removeWorkFolder(path.join(ROOT, name));
    swept += 1;
  }
  return swept;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
