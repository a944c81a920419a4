import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { S3Storage } from './s3-storage.js';
import { S3TestServer } from './testing/s3-test-server.js';

let folder: string;
let server: S3TestServer;
let storage: S3Storage;
let endpoint: string;

function connect(overrides: Partial<ConstructorParameters<typeof S3Storage>[0]> = {}): S3Storage {
  return new S3Storage({
    endpoint,
    region: 'us-east-1',
    bucket: server.bucket,
    accessKeyId: 'test',
    secretAccessKey: 'test-secret',
    forcePathStyle: true,
    maxAttempts: 2,
    ...overrides,
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 's3-storage-'));
  server = new S3TestServer();
  endpoint = await server.start();
  storage = connect();
});
afterEach(async () => {
  storage.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function source(size: number): Promise<string> {
  const path = join(folder, 'source');
  await writeFile(path, randomBytes(size));
  return path;
}

const unreachable = { name: 'StorageUnavailableError', reason: 'unreachable' };

describe('S3Storage', () => {
  it('keeps the content type', async () => {
    await storage.putBuffer('a/b.webp', Buffer.from('x'), 'image/webp');
    expect(await storage.head('a/b.webp')).toEqual({
      key: 'a/b.webp',
      sizeBytes: 1,
      contentType: 'image/webp',
    });
  });

  it('sends small files in one request and large ones in parts', async () => {
    await storage.putFile('small', await source(1_000), 'image/jpeg');
    expect(server.requests).toEqual(['PUT /test-bucket/small?x-id=PutObject']);
    server.requests.length = 0;
    await storage.putFile('large', await source(20_000_000), 'video/mp4');
    expect(server.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(3);
    expect(server.objects.get('large')).toMatchObject({ contentType: 'video/mp4' });
    expect(server.objects.get('large')?.data.length).toBe(20_000_000);
    expect(server.openUploads.size).toBe(0);
  });

  it('leaves nothing when the connection is cut in the middle of a small upload', async () => {
    server.fault = (method) => (method === 'PUT' ? { cutRequestAt: 0.5 } : undefined);
    await expect(storage.putFile('a/b', await source(2_000_000), 'image/jpeg')).rejects.toMatchObject(
      unreachable,
    );
    await expect(storage.putBuffer('a/c', randomBytes(500_000), 'image/jpeg')).rejects.toMatchObject(
      unreachable,
    );
    expect(server.objects.size).toBe(0);
    server.fault = () => undefined;
    expect(await storage.head('a/b')).toBeNull();
  });

  it('aborts a large upload when one of its parts is cut, so that no part is left to pay for', async () => {
    server.fault = (method, url) =>
      method === 'PUT' && url.searchParams.get('partNumber') === '2' ? { cutRequestAt: 0.5 } : undefined;
    await expect(storage.putFile('large', await source(20_000_000), 'video/mp4')).rejects.toMatchObject(
      unreachable,
    );
    expect(server.objects.size).toBe(0);
    expect(server.openUploads.size).toBe(0);
    expect(server.requests.some((line) => line.startsWith('DELETE') && line.includes('uploadId='))).toBe(
      true,
    );
  });

  it('tries again after a passing fault', async () => {
    let failures = 1;
    server.fault = () => (failures-- > 0 ? { status: 503, code: 'SlowDown' } : undefined);
    await storage.putBuffer('a/b', Buffer.from('x'), 'text/plain');
    expect(server.objects.has('a/b')).toBe(true);
  });

  it.each([
    [503, 'SlowDown', 'unreachable'],
    [500, 'InternalError', 'unreachable'],
    [403, 'AccessDenied', 'unreachable'],
    [404, 'NoSuchBucket', 'unreachable'],
    [507, 'InsufficientStorage', 'full'],
    [507, 'XMinioStorageFull', 'full'],
  ])('takes %i %s for %s', async (status, code, reason) => {
    const path = await source(1_000);
    server.fault = () => ({ status, code });
    const failure = { name: 'StorageUnavailableError', reason };
    await expect(storage.putFile('a/b', path, 'text/plain')).rejects.toMatchObject(failure);
    await expect(storage.putBuffer('a/b', Buffer.from('x'), 'text/plain')).rejects.toMatchObject(failure);
    await expect(storage.read('a/b')).rejects.toMatchObject(failure);
    await expect(storage.delete('a/b')).rejects.toMatchObject(failure);
    await expect(async () => {
      for await (const object of storage.list('')) throw new Error(`unexpected ${object.key}`);
    }).rejects.toMatchObject(failure);
    expect(await storage.healthCheck()).toBe(false);
  });

  it('says that the store cannot be reached when nobody listens', async () => {
    await server.stop();
    await expect(storage.head('a/b')).rejects.toMatchObject(unreachable);
    await expect(storage.putBuffer('a/b', Buffer.from('x'), 'text/plain')).rejects.toMatchObject(unreachable);
    expect(await storage.healthCheck()).toBe(false);
  });

  it('gives up on a store that accepts connections and says nothing', async () => {
    const impatient = connect({ idleTimeoutSeconds: 0.3, maxAttempts: 1 });
    server.fault = () => 'hang';
    const started = performance.now();
    await expect(impatient.head('a/b')).rejects.toMatchObject(unreachable);
    expect(performance.now() - started).toBeLessThan(5_000);
    impatient.close();
  });

  it('leaves no half of a download behind', async () => {
    await storage.putBuffer('a/b.jpg', randomBytes(3_000_000), 'image/jpeg');
    server.fault = () => ({ cutResponseAt: 0.5 });
    await expect(storage.localCopy('a/b.jpg', folder)).rejects.toMatchObject(unreachable);
    expect(await readdir(folder)).toEqual([]);
    await expect(buffer(await storage.read('a/b.jpg'))).rejects.toThrow();
  });

  it('is unhealthy when the bucket is missing', async () => {
    const elsewhere = connect({ bucket: 'another-bucket' });
    expect(await elsewhere.healthCheck()).toBe(false);
    await expect(elsewhere.read('a/b')).rejects.toMatchObject(unreachable);
    elsewhere.close();
  });

  it('takes a 404 to a delete for done, as Google Cloud Storage answers it', async () => {
    server.fault = (method) => (method === 'DELETE' ? { status: 404, code: 'NoSuchKey' } : undefined);
    await expect(storage.delete('a/b')).resolves.toBeUndefined();
  });
});
