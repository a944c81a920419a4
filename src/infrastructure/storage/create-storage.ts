import { LocalStorage } from './local-storage.js';
import type { ObjectStorage } from './object-storage.js';
import { S3Storage, type S3StorageOptions } from './s3-storage.js';

export type StorageOptions = { driver: 'local'; rootDir: string } | ({ driver: 's3' } & S3StorageOptions);

/** Makes the storage that the configuration names. Nothing is connected or created before the first use. */
export function createStorage(options: StorageOptions): ObjectStorage {
  return options.driver === 'local' ? new LocalStorage(options.rootDir) : new S3Storage(options);
}
