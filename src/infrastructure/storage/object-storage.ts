import type { Readable } from 'node:stream';

/** What is known of a stored object. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
  contentType?: string;
}

/** A byte range, both ends inclusive, already checked against the object's size. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Where files live. Two real implementations: a folder on local disk and any S3-compatible store.
 *
 * Keys are made by the server (`tenant/<user uuid>/...`), never from user text. An implementation still
 * refuses a key that is absolute, holds `..`, a backslash or a NUL byte.
 */
export interface ObjectStorage {
  readonly provider: 'local' | 's3';
  /** The bucket (S3) or a fixed name (local); stored beside the key of every file. */
  readonly bucket: string;

  /**
   * Stores a file that already lies on local disk. The object appears whole or not at all
   * (local: write to a temporary name, fsync, rename; S3: single PUT or multipart upload that is aborted on failure).
   * @throws StorageUnavailableError when the store cannot be reached or the disk is full.
   */
  putFile(key: string, sourcePath: string, contentType: string): Promise<StoredObject>;
  /** Stores a small buffer (thumbnails, key frames). Same guarantees as `putFile`. */
  putBuffer(key: string, data: Buffer, contentType: string): Promise<StoredObject>;
  /** Opens the object for reading, whole or one range. @throws ObjectNotFoundError */
  read(key: string, range?: ByteRange): Promise<Readable>;
  /** Size and type of the object, or null when there is none. */
  head(key: string): Promise<StoredObject | null>;
  /**
   * Gives the object as a file on local disk (ffmpeg and sharp want a path). Local storage hands out the stored
   * file itself; S3 downloads into `workDir`. The caller must treat the file as read-only and never delete it
   * unless it lies inside its own `workDir`. @throws ObjectNotFoundError
   */
  localCopy(key: string, workDir: string): Promise<string>;
  /** Deletes the object. Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  /** Lists keys under a prefix, for the orphan sweep. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** True when the store answers; used by the readiness check. */
  healthCheck(): Promise<boolean>;
}

export class ObjectNotFoundError extends Error {
  override name = 'ObjectNotFoundError';
}

export class StorageUnavailableError extends Error {
  override name = 'StorageUnavailableError';
  constructor(
    message: string,
    /** 'full' = no space left (507), 'unreachable' = try again later (503). */
    readonly reason: 'full' | 'unreachable',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
