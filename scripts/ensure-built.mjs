/**
 * Builds dist/ when it is missing or older than the sources, so that `npm start` works right after `npm ci` and starts
 * at once the next time. In an image that ships dist/ without src/ there is nothing to do.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = path.join(root, 'dist', '.built-from');
const lock = path.join(root, 'node_modules', '.build-lock');

/** Newest change of anything that the build reads, and how many files there are (a deleted file counts as well). */
function stampOfSources() {
  let newest = 0;
  let files = 0;
  for (const folder of ['src', 'prisma/schema']) {
    for (const entry of readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.parentPath.includes('generated')) continue;
      files += 1;
      newest = Math.max(newest, statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
    }
  }
  return `${files} ${newest}`;
}

const isCurrent = (stamp) => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;

if (existsSync(path.join(root, 'src'))) {
  const stamp = stampOfSources();
  if (!isCurrent(stamp)) {
    // An API and a worker that start together: one builds, the other waits.
    for (let waited = 0; ; waited += 250) {
      try {
        mkdirSync(lock);
        break;
      } catch {
        if (waited > 120_000) rmSync(lock, { recursive: true, force: true });
        await sleep(250);
      }
    }
    try {
      if (!isCurrent(stamp)) {
        console.log('building ...');
        const build = spawnSync('npm', ['run', '--silent', 'build'], {
          cwd: root,
          encoding: 'utf8',
          shell: process.platform === 'win32',
        });
        if (build.status !== 0) {
          console.error(build.stdout, build.stderr);
          process.exitCode = 1;
        } else writeFileSync(stampFile, stamp);
      }
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}
