import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { AppConfig } from '../../../infrastructure/config/config.js';
import { APP_CONFIG } from '../../../infrastructure/infrastructure.tokens.js';

/** No upload lasts this long; what is older was left by a process that died. */
const STALE_AFTER_MS = 24 * 3_600_000;

/** The folder in which uploads wait until they have been looked at. */
@Injectable()
export class StagingArea {
  readonly directory: string;

  constructor(@Inject(APP_CONFIG) config: Pick<AppConfig, 'DATA_DIR'>) {
    this.directory = path.resolve(config.DATA_DIR, 'staging');
  }

  /** Makes the folder; readable by this account alone. */
  async prepare(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
  }

  /** Makes an empty folder for what is worked out of one staged file. The caller discards it. */
  async makeFolder(): Promise<string> {
    return mkdtemp(path.join(this.directory, 'work-'));
  }

  /** Removes staged files and folders. Those that are gone already are no error. */
  async discard(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map((file) => rm(file, { force: true, recursive: true })));
  }

  /** Removes what crashed uploads left behind. @returns the number of files removed */
  async removeStale(now = Date.now()): Promise<number> {
    await this.prepare();
    let removed = 0;
    for (const name of await readdir(this.directory)) {
      const file = path.join(this.directory, name);
      const info = await stat(file).catch(() => null);
      if (!info || now - info.mtimeMs < STALE_AFTER_MS) continue;
      await rm(file, { force: true, recursive: true });
      removed += 1;
    }
    return removed;
  }
}
