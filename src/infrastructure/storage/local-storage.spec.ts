import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import fc from 'fast-check';
import { LocalStorage, toStorageError } from './local-storage.js';
import { ObjectNotFoundError, StorageUnavailableError } from './object-storage.js';
import { InvalidStorageKeyError } from './storage-keys.js';

let folder: string;
let root: string;
let storage: LocalStorage;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-storage-'));
  root = join(folder, 'objects');
  storage = new LocalStorage(root);
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const put = (key: string) => storage.putBuffer(key, Buffer.from('content'), 'text/plain');

describe('LocalStorage', () => {
  it('leaves no temporary file and no empty folder behind', async () => {
    await put('tenant/u/media/m/original.jpg');
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
    await storage.delete('tenant/u/media/m/original.jpg');
    expect(await readdir(root)).toEqual(['.incoming']);
  });

  it('hands out the stored file itself', async () => {
    await put('a/b.txt');
    expect(await storage.localCopy('a/b.txt')).toBe(join(root, 'a', 'b.txt'));
  });

  it('clears away what a crashed process left, but not what is being written', async () => {
    await mkdir(join(root, '.incoming'), { recursive: true });
    await writeFile(join(root, '.incoming', 'old'), 'x');
    await utimes(join(root, '.incoming', 'old'), 0, 0);
    await writeFile(join(root, '.incoming', 'fresh'), 'x');
    expect(await storage.healthCheck()).toBe(true);
    expect(await readdir(join(root, '.incoming'))).toEqual(['fresh']);
    const listed: string[] = [];
    for await (const { key } of storage.list('')) listed.push(key);
    expect(listed).toEqual([]);
  });

  it('leaves nothing when the file cannot be put into place', async () => {
    await put('a/b');
    // A file where a folder is needed.
    await expect(put('a/b/c')).rejects.toMatchObject({
      name: 'StorageUnavailableError',
      reason: 'unreachable',
    });
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
    expect(await readFile(join(root, 'a', 'b'), 'utf8')).toBe('content');
  });

  it('does not follow links that lead out of its folder', async () => {
    await put('tenant/u/x');
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(root, 'tenant', 'link'));
    await symlink(join(outside, 'secret'), join(root, 'tenant', 'file'));

    for (const key of ['tenant/link/secret', 'tenant/file']) {
      await expect(storage.read(key)).rejects.toBeInstanceOf(InvalidStorageKeyError);
      await expect(storage.head(key)).rejects.toBeInstanceOf(InvalidStorageKeyError);
      await expect(storage.localCopy(key)).rejects.toBeInstanceOf(InvalidStorageKeyError);
    }
    await expect(put('tenant/link/deep/new')).rejects.toBeInstanceOf(InvalidStorageKeyError);
    await expect(storage.delete('tenant/link/secret')).rejects.toBeInstanceOf(InvalidStorageKeyError);
    // Replacing a link replaces the link, not what it points to.
    await put('tenant/file');
    expect((await lstat(join(root, 'tenant', 'file'))).isSymbolicLink()).toBe(false);
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
    const listed: string[] = [];
    for await (const { key } of storage.list('')) listed.push(key);
    expect(listed).toEqual(['tenant/file', 'tenant/u/x']);
  });

  it('works where its own folder is reached through a link', async () => {
    await mkdir(join(folder, 'volume'));
    await symlink(join(folder, 'volume'), join(folder, 'mounted'));
    const linked = new LocalStorage(join(folder, 'mounted'));
    await linked.putBuffer('a/b', Buffer.from('x'), 'text/plain');
    expect(await linked.head('a/b')).toEqual({ key: 'a/b', sizeBytes: 1 });
  });

  it('stays below its folder whatever the key is', async () => {
    const pieces = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      '\0',
      'a',
      'b',
      '~',
      ' ',
      ':',
      '%2e',
      '\u202e',
      '-',
      '_',
    );
    const hostile = fc.array(pieces, { minLength: 1, maxLength: 10 }).map((parts) => parts.join(''));
    await storage.healthCheck();
    await fc.assert(
      fc.asyncProperty(hostile, async (key) => {
        try {
          await put(key);
          expect((await storage.localCopy(key)).startsWith(root + sep)).toBe(true);
          await storage.delete(key);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidStorageKeyError);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(await readdir(folder)).toEqual(['objects']);
  });

  it('is unhealthy while its folder cannot be made, and recovers', async () => {
    await writeFile(root, 'a file in the way');
    expect(await storage.healthCheck()).toBe(false);
    await expect(put('a/b')).rejects.toBeInstanceOf(StorageUnavailableError);
    await rm(root);
    expect(await storage.healthCheck()).toBe(true);
    expect(await put('a/b')).toMatchObject({ sizeBytes: 7 });
  });

  it('keeps an object readable for a reader that began before it was deleted', async () => {
    await put('a/b');
    const stream = await storage.read('a/b');
    await storage.delete('a/b');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('content');
    await expect(storage.read('a/b')).rejects.toBeInstanceOf(ObjectNotFoundError);
  });

  it('stores a file that may only be read', async () => {
    const source = join(folder, 'source');
    await writeFile(source, 'read-only');
    await chmod(source, 0o444);
    expect(await storage.putFile('a/b', source, 'text/plain')).toMatchObject({ sizeBytes: 9 });
  });
});

describe('toStorageError', () => {
  const fault = (code: string) => toStorageError(Object.assign(new Error(code), { code }));
  it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('takes %s for a full disk', (code) => {
    expect(fault(code)).toMatchObject({ name: 'StorageUnavailableError', reason: 'full' });
  });
  it.each(['EIO', 'EROFS', 'EACCES', 'EMFILE'])('takes %s for a store that cannot be used now', (code) => {
    expect(fault(code)).toMatchObject({ name: 'StorageUnavailableError', reason: 'unreachable' });
  });
  it('hands on what is no fault of the file system', () => {
    const bug = new TypeError('bug');
    expect(toStorageError(bug)).toBe(bug);
  });
});
