import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createStorage } from './create-storage.js';
import { ObjectNotFoundError, type ObjectStorage } from './object-storage.js';
import { InvalidStorageKeyError } from './storage-keys.js';
import { S3TestServer } from './testing/s3-test-server.js';

/** What every storage does, run against both. */
interface Subject {
  storage: ObjectStorage;
  dispose(): Promise<void>;
}

const SUBJECTS: Record<string, (folder: string) => Promise<Subject>> = {
  local: (folder) =>
    Promise.resolve({
      storage: createStorage({ driver: 'local', rootDir: join(folder, 'objects') }),
      dispose: () => Promise.resolve(),
    }),
  s3: async () => {
    const server = new S3TestServer();
    const storage = createStorage({
      driver: 's3',
      endpoint: await server.start(),
      region: 'us-east-1',
      bucket: server.bucket,
      accessKeyId: 'test',
      secretAccessKey: 'test-secret',
      forcePathStyle: true,
    });
    return { storage, dispose: () => server.stop() };
  },
};

describe.each(Object.entries(SUBJECTS))('%s storage', (name, create) => {
  let folder: string;
  let workDir: string;
  let subject: Subject;
  let storage: ObjectStorage;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'storage-'));
    workDir = join(folder, 'work');
    await mkdir(workDir);
    subject = await create(folder);
    storage = subject.storage;
  });
  afterEach(async () => {
    await subject.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  async function keys(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of storage.list(prefix)) found.push(key);
    return found;
  }

  it('says what it is', () => {
    expect(storage.provider).toBe(name);
    expect(storage.bucket).toBe(name === 'local' ? 'local' : 'test-bucket');
  });

  it.each([0, 1, 100_000, 12_000_000])('gives back a file of %i bytes unchanged', async (size) => {
    const content = randomBytes(size);
    const source = join(workDir, 'source');
    await writeFile(source, content);
    const stored = await storage.putFile('tenant/u/media/m/original.jpg', source, 'image/jpeg');
    expect(stored).toEqual({
      key: 'tenant/u/media/m/original.jpg',
      sizeBytes: size,
      contentType: 'image/jpeg',
    });
    expect((await buffer(await storage.read(stored.key))).equals(content)).toBe(true);
    expect(await storage.head(stored.key)).toMatchObject({ key: stored.key, sizeBytes: size });
    // The caller's own file stays.
    expect((await readFile(source)).equals(content)).toBe(true);
  });

  it('stores buffers, and replaces an object as a whole', async () => {
    await storage.putBuffer('a/thumbnail.webp', Buffer.from('a longer first version'), 'image/webp');
    const second = await storage.putBuffer('a/thumbnail.webp', Buffer.from('second'), 'image/webp');
    expect(second).toEqual({ key: 'a/thumbnail.webp', sizeBytes: 6, contentType: 'image/webp' });
    expect((await buffer(await storage.read('a/thumbnail.webp'))).toString()).toBe('second');
  });

  it('reads ranges with both ends included', async () => {
    await storage.putBuffer('a/b', Buffer.from('0123456789'), 'text/plain');
    const range = async (start: number, end: number) =>
      (await buffer(await storage.read('a/b', { start, end }))).toString();
    expect(await range(0, 0)).toBe('0');
    expect(await range(3, 6)).toBe('3456');
    expect(await range(9, 9)).toBe('9');
    expect(await range(0, 9)).toBe('0123456789');
  });

  it('gives a local copy of the same bytes', async () => {
    const content = randomBytes(50_000);
    await storage.putBuffer('a/original.jpg', content, 'image/jpeg');
    const path = await storage.localCopy('a/original.jpg', workDir);
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(path.endsWith('.jpg')).toBe(true);
  });

  it('says that an object is missing, and deletes a missing one without complaint', async () => {
    await expect(storage.read('no/such')).rejects.toBeInstanceOf(ObjectNotFoundError);
    await expect(storage.localCopy('no/such', workDir)).rejects.toBeInstanceOf(ObjectNotFoundError);
    expect(await storage.head('no/such')).toBeNull();
    await storage.delete('no/such');
    expect(await readdir(workDir)).toEqual([]);
    await storage.putBuffer('a/b/c', Buffer.from('x'), 'text/plain');
    // A folder, or what lies below a file, is no object.
    expect(await storage.head('a/b')).toBeNull();
    expect(await storage.head('a/b/c/d')).toBeNull();
  });

  it('deletes what it is told and nothing else', async () => {
    for (const key of ['t/a/1', 't/a/2', 't/b/1'])
      await storage.putBuffer(key, Buffer.from(key), 'text/plain');
    await storage.delete('t/a/1');
    expect(await keys('')).toEqual(['t/a/2', 't/b/1']);
    await storage.delete('t/a/2');
    expect(await keys('t/')).toEqual(['t/b/1']);
    expect((await buffer(await storage.read('t/b/1'))).toString()).toBe('t/b/1');
  });

  it('lists by prefix, with sizes, over several pages, while the caller deletes', async () => {
    const all = Array.from({ length: 8 }, (_, index) => `tenant/u1/media/m${index}/original.jpg`);
    for (const key of [...all, 'tenant/u10/media/x/original.jpg']) {
      await storage.putBuffer(key, Buffer.from('12345'), 'image/jpeg');
    }
    expect(await keys('tenant/u1/')).toEqual(all);
    expect(await keys('tenant/u1')).toHaveLength(9);
    expect(await keys('tenant/u1/media/m3')).toEqual([all[3]]);
    expect(await keys('tenant/nobody/')).toEqual([]);
    for await (const { key, sizeBytes } of storage.list('tenant/u1/')) {
      expect(sizeBytes).toBe(5);
      await storage.delete(key);
    }
    expect(await keys('')).toEqual(['tenant/u10/media/x/original.jpg']);
  });

  it('refuses unsafe keys in every method', async () => {
    const source = join(workDir, 'source');
    await writeFile(source, 'x');
    for (const key of ['../x', '/x', 'a/../../x', 'a\\..\\x', 'a\0', '.incoming/x', '']) {
      const attempts = [
        storage.putFile(key, source, 'text/plain'),
        storage.putBuffer(key, Buffer.from('x'), 'text/plain'),
        storage.read(key),
        storage.head(key),
        storage.localCopy(key, workDir),
        storage.delete(key),
      ];
      for (const attempt of attempts) await expect(attempt).rejects.toBeInstanceOf(InvalidStorageKeyError);
    }
    await expect(keys('../')).rejects.toBeInstanceOf(InvalidStorageKeyError);
    expect(await keys('')).toEqual([]);
  });

  it('does not blame the store when the file to be stored is missing', async () => {
    await expect(storage.putFile('a/b', join(workDir, 'missing'), 'text/plain')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('stores many objects at the same time', async () => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const key = `t/${index % 4}/${index}`;
        await storage.putBuffer(key, Buffer.from(String(index)), 'text/plain');
        if (index % 2) await storage.delete(key);
      }),
    );
    const left = await keys('t/');
    expect(left).toHaveLength(20);
    for (const key of left)
      expect((await buffer(await storage.read(key))).toString()).toBe(key.split('/')[2]);
  });

  it('is healthy', async () => {
    expect(await storage.healthCheck()).toBe(true);
  });
});
