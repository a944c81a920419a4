import { randomUUID } from 'node:crypto';
import {
  access,
  constants,
  copyFile,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type ByteRange,
  ObjectNotFoundError,
  type ObjectStorage,
  type StoredObject,
  StorageUnavailableError,
} from './object-storage.js';
import { assertSafeKey, assertSafePrefix, InvalidStorageKeyError } from './storage-keys.js';

/** Files being written lie here until they are whole; keys cannot name it, for no segment begins with a dot. */
const TEMPORARY_FOLDER = '.incoming';
/** What a crashed process left behind is removed after this; no upload to local disk takes as long. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;
/** A folder may vanish between its creation and its use when another request deletes the last file in it. */
const ATTEMPTS_WHEN_FOLDER_VANISHES = 5;

/** Stores objects as files below one folder; the key is the path. */
export class LocalStorage implements ObjectStorage {
  readonly provider = 'local';
  readonly bucket = 'local';
  private readonly rootDir: string;
  private prepared: Promise<string> | undefined;

  /** @param rootDir made on first use; may itself be a symbolic link */
  constructor(rootDir: string) {
    this.rootDir = resolve(rootDir);
  }

  async putFile(key: string, sourcePath: string, contentType: string): Promise<StoredObject> {
    assertSafeKey(key);
    // Asked first, so that a missing source is not mistaken for a fault of the store.
    await access(sourcePath, constants.R_OK);
    // Shares the blocks with the source where the file system can (Btrfs, XFS), else copies them.
    return this.write(key, contentType, (temporary) =>
      copyFile(sourcePath, temporary, constants.COPYFILE_FICLONE),
    );
  }

  async putBuffer(key: string, data: Buffer, contentType: string): Promise<StoredObject> {
    assertSafeKey(key);
    return this.write(key, contentType, async (temporary) => {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(data);
      } finally {
        await file.close();
      }
    });
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const path = await this.existingPath(key);
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw readingError(error, key);
    });
    return file.createReadStream(range ? { start: range.start, end: range.end } : {});
  }

  async head(key: string): Promise<StoredObject | null> {
    try {
      const { size } = await stat(await this.existingPath(key));
      return { key, sizeBytes: size };
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return null;
      throw readingError(error, key);
    }
  }

  async localCopy(key: string): Promise<string> {
    return this.existingPath(key);
  }

  async delete(key: string): Promise<void> {
    assertSafeKey(key);
    const root = await this.prepare();
    const path = join(root, key);
    try {
      await assertInside(root, dirname(path));
      await rm(path, { force: true });
    } catch (error) {
      if (isMissing(error)) return;
      throw toStorageError(error);
    }
    await removeEmptyFolders(dirname(path), root);
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    assertSafePrefix(prefix);
    const root = await this.prepare();
    const folder = join(root, prefix.slice(0, prefix.lastIndexOf('/') + 1));
    try {
      await assertInside(root, folder);
    } catch (error) {
      if (isMissing(error)) return;
      throw toStorageError(error);
    }
    for await (const path of filesBelow(folder)) {
      const key = relative(root, path).split(sep).join('/');
      if (!key.startsWith(prefix)) continue;
      const found = await stat(path).catch(() => null);
      // Deleted since the folder was read: the caller may delete while it lists.
      if (found) yield { key, sizeBytes: found.size };
    }
  }

  async healthCheck(): Promise<boolean> {
    try {
      await access(await this.prepare(), constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  /** Writes under a temporary name, makes sure it is on disk, and only then gives it its name. */
  private async write(
    key: string,
    contentType: string,
    fill: (temporaryPath: string) => Promise<void>,
  ): Promise<StoredObject> {
    const root = await this.prepare();
    const temporary = join(root, TEMPORARY_FOLDER, randomUUID());
    try {
      await fill(temporary);
      const sizeBytes = await flush(temporary);
      await this.moveIntoPlace(root, temporary, join(root, key));
      return { key, sizeBytes, contentType };
    } catch (error) {
      await rm(temporary, { force: true });
      throw toStorageError(error);
    }
  }

  private async moveIntoPlace(root: string, temporary: string, target: string): Promise<void> {
    const folder = dirname(target);
    for (let attempt = 1; ; attempt += 1) {
      try {
        // Before and after: a link on the way must not make folders elsewhere, nor receive the file.
        await assertNearestFolderInside(root, folder);
        await mkdir(folder, { recursive: true });
        await assertInside(root, folder);
        await rename(temporary, target);
        break;
      } catch (error) {
        if (!isMissing(error) || attempt === ATTEMPTS_WHEN_FOLDER_VANISHES) throw error;
      }
    }
    await flushFolder(folder);
  }

  /** @throws ObjectNotFoundError; InvalidStorageKeyError when a link on the way leads out of the root */
  private async existingPath(key: string): Promise<string> {
    assertSafeKey(key);
    const root = await this.prepare();
    const path = join(root, key);
    try {
      await assertInside(root, path);
      if ((await stat(path)).isFile()) return path;
    } catch (error) {
      throw readingError(error, key);
    }
    throw notFound(key);
  }

  private prepare(): Promise<string> {
    this.prepared ??= prepareRoot(this.rootDir).catch((error: unknown) => {
      // Tried again on the next call: a volume may be mounted late.
      this.prepared = undefined;
      throw toStorageError(error);
    });
    return this.prepared;
  }
}

/** Makes the folders, gives the root's real path and clears away what crashed processes left. */
async function prepareRoot(rootDir: string): Promise<string> {
  const incoming = join(rootDir, TEMPORARY_FOLDER);
  await mkdir(incoming, { recursive: true });
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > STALE_AFTER_MS) await rm(path, { force: true });
  }
  return realpath(rootDir);
}

/** Keys are safe by themselves; this is about symbolic links that somebody put into the folder. */
async function assertInside(root: string, path: string): Promise<void> {
  const real = await realpath(path);
  if (real !== root && !real.startsWith(root + sep)) {
    throw new InvalidStorageKeyError('The storage key leads out of the storage folder.');
  }
}

async function assertNearestFolderInside(root: string, folder: string): Promise<void> {
  for (let nearest = folder; nearest !== root; nearest = dirname(nearest)) {
    try {
      await assertInside(root, nearest);
      return;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

async function flush(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** A new name is durable once its folder is flushed; Windows cannot open folders, and does not need it. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r').catch((error: unknown) => {
    // The file just put there was deleted again, and its folder with it.
    if (isMissing(error)) return null;
    throw error;
  });
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
}

async function* filesBelow(folder: string): AsyncIterable<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw toStorageError(error);
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    // Links are neither followed nor listed: the storage makes none.
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

async function removeEmptyFolders(from: string, root: string): Promise<void> {
  for (let folder = from; folder !== root && folder.startsWith(root + sep); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      // Not empty, or removed by another request: either way nothing is left to do.
      return;
    }
  }
}

/** Read without `instanceof`, which is false for errors of Node itself where tests run in a context of their own. */
function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

function notFound(key: string, cause?: unknown): ObjectNotFoundError {
  return new ObjectNotFoundError(`There is no stored object ${key}.`, { cause });
}

function readingError(error: unknown, key: string): unknown {
  return isMissing(error) ? notFound(key, error) : toStorageError(error);
}

/** Turns what the file system says into the store's own errors; others (a bug, a bad key) are handed on. */
export function toStorageError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof StorageUnavailableError) return error;
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) {
    return new StorageUnavailableError('The storage is full.', 'full', { cause: error });
  }
  return new StorageUnavailableError(`The storage folder cannot be used (${code}).`, 'unreachable', {
    cause: error,
  });
}
