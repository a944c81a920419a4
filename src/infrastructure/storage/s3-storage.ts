import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import {
  type ByteRange,
  ObjectNotFoundError,
  type ObjectStorage,
  type StoredObject,
  StorageUnavailableError,
} from './object-storage.js';
import { assertSafeKey, assertSafePrefix, InvalidStorageKeyError } from './storage-keys.js';

export interface S3StorageOptions {
  /** URL of an S3-compatible store; leave out for AWS. Google Cloud Storage: `https://storage.googleapis.com`. */
  endpoint?: string;
  region: string;
  bucket: string;
  /** Both keys or neither; without them the usual AWS chain applies (environment, instance role, ...). */
  accessKeyId?: string;
  secretAccessKey?: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`; most self-hosted stores need it. */
  forcePathStyle?: boolean;
  /** A connection that is silent for this long is given up. Default 30. */
  idleTimeoutSeconds?: number;
  /** How often one request is tried in all. Default 3. */
  maxAttempts?: number;
}

/** S3 takes at least 5 MiB; with three parts at a time an upload of any size holds about 24 MiB in memory. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_A_TIME = 3;
const CONNECT_TIMEOUT_MS = 5_000;
const HEALTH_TIMEOUT_MS = 3_000;

/** Stores objects in one bucket of any S3-compatible store. */
export class S3Storage implements ObjectStorage {
  readonly provider = 's3';
  readonly bucket: string;
  private readonly client: S3Client;

  constructor(options: S3StorageOptions) {
    this.bucket = options.bucket;
    this.client = new S3Client({
      region: options.region,
      endpoint: options.endpoint,
      forcePathStyle: options.forcePathStyle ?? false,
      maxAttempts: options.maxAttempts ?? 3,
      ...(options.accessKeyId && options.secretAccessKey
        ? { credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey } }
        : {}),
      // The checksums that newer SDKs add by default are refused by Google Cloud Storage and older MinIO and Ceph.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: (options.idleTimeoutSeconds ?? 30) * 1000,
      },
    });
  }

  async putFile(key: string, sourcePath: string, contentType: string): Promise<StoredObject> {
    assertSafeKey(key);
    // Asked first, so that a missing source is not mistaken for a fault of the store.
    const { size: sizeBytes } = await stat(sourcePath);
    const body = createReadStream(sourcePath);
    try {
      // A single PUT up to one part; above it a multipart upload, which is aborted when anything fails.
      await new Upload({
        client: this.client,
        params: { Bucket: this.bucket, Key: key, Body: body, ContentType: contentType },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_A_TIME,
        leavePartsOnError: false,
      }).done();
    } catch (error) {
      throw toStorageError(error, key);
    } finally {
      body.destroy();
    }
    return { key, sizeBytes, contentType };
  }

  async putBuffer(key: string, data: Buffer, contentType: string): Promise<StoredObject> {
    assertSafeKey(key);
    const command = new PutObjectCommand({
      Bucket: this.bucket,
      Key: key,
      Body: data,
      ContentType: contentType,
    });
    try {
      await this.client.send(command);
    } catch (error) {
      throw toStorageError(error, key);
    }
    return { key, sizeBytes: data.length, contentType };
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    return (await this.get(key, range)).stream;
  }

  async head(key: string): Promise<StoredObject | null> {
    assertSafeKey(key);
    try {
      const answer = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return { key, sizeBytes: answer.ContentLength ?? 0, contentType: answer.ContentType };
    } catch (error) {
      const failure = toStorageError(error, key);
      if (failure instanceof ObjectNotFoundError) return null;
      throw failure;
    }
  }

  async localCopy(key: string, workDir: string): Promise<string> {
    const { stream, answer } = await this.get(key);
    const path = join(workDir, `${randomUUID()}${extname(key)}`);
    try {
      await pipeline(stream, createWriteStream(path, { flags: 'wx' }));
      const { size } = await stat(path);
      if (answer.ContentLength !== undefined && size !== answer.ContentLength) {
        throw new StorageUnavailableError('The store ended a download too early.', 'unreachable');
      }
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw toStorageError(error, key);
    }
  }

  async delete(key: string): Promise<void> {
    assertSafeKey(key);
    try {
      await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
    } catch (error) {
      const failure = toStorageError(error, key);
      // Google Cloud Storage answers 404 where S3 answers 204.
      if (!(failure instanceof ObjectNotFoundError)) throw failure;
    }
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    assertSafePrefix(prefix);
    const pages = paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: prefix });
    try {
      for await (const page of pages) {
        for (const { Key: key, Size: sizeBytes = 0 } of page.Contents ?? []) {
          if (key !== undefined) yield { key, sizeBytes };
        }
      }
    } catch (error) {
      throw toStorageError(error, prefix);
    }
  }

  async healthCheck(): Promise<boolean> {
    try {
      const abortSignal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
      await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal });
      return true;
    } catch {
      return false;
    }
  }

  /** Closes the connections that are kept open for the next request. */
  close(): void {
    this.client.destroy();
  }

  private async get(
    key: string,
    range?: ByteRange,
  ): Promise<{ stream: Readable; answer: GetObjectCommandOutput }> {
    assertSafeKey(key);
    try {
      const answer = await this.client.send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Range: range ? `bytes=${range.start}-${range.end}` : undefined,
        }),
      );
      // In Node the body is always an IncomingMessage.
      return { stream: answer.Body as Readable, answer };
    } catch (error) {
      throw toStorageError(error, key);
    }
  }
}

/**
 * Turns what the SDK throws into the store's own errors. Besides a missing object everything counts as
 * unreachable, wrong credentials and a missing bucket too: the user can only try again later, and the operator
 * finds the cause in the log.
 */
export function toStorageError(error: unknown, key: string): unknown {
  if (
    error instanceof StorageUnavailableError ||
    error instanceof ObjectNotFoundError ||
    error instanceof InvalidStorageKeyError
  ) {
    return error;
  }
  const { name = '', $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && name !== 'NoSuchBucket')) {
    return new ObjectNotFoundError(`There is no stored object ${key}.`, { cause: error });
  }
  // 507 is what MinIO, Ceph and SeaweedFS answer; the local disk may be full as well when a copy is made.
  const full =
    status === 507 || /StorageFull|InsufficientStorage|QuotaExceeded|ENOSPC|EDQUOT/.test(nameAndCode(error));
  if (full) return new StorageUnavailableError('The storage is full.', 'full', { cause: error });
  return new StorageUnavailableError(
    `The storage cannot be reached (${status ?? nameAndCode(error)}).`,
    'unreachable',
    {
      cause: error,
    },
  );
}

function nameAndCode(error: unknown): string {
  const { name = '', code = '' } = error as { name?: string; code?: unknown };
  return [name, String(code)].filter((part) => part !== '').join(' ');
}
