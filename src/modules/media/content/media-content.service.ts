import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../../infrastructure/database/database.js';
import type { MediaFile } from '../../../infrastructure/database/generated/client.js';
import { AppError, errors } from '../../../infrastructure/errors/app-error.js';
import { OBJECT_STORAGE } from '../../../infrastructure/infrastructure.tokens.js';
import {
  ObjectNotFoundError,
  type ByteRange,
  type ObjectStorage,
} from '../../../infrastructure/storage/object-storage.js';
import { currentUserId } from '../../../infrastructure/context/current-user.js';
import { MediaRepository } from '../media.repository.js';
import type { OutgoingFile } from './send-object.js';

/** Types that a browser shows without running anything. Everything else is only ever downloaded. */
const INLINE_TYPES: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/quicktime',
]);

/** Opens originals, thumbnails and key frames of the current user for sending. */
@Injectable()
export class MediaContentService {
  constructor(
    private readonly database: Database,
    private readonly media: MediaRepository,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
  ) {}

  /** The file as it was uploaded. @throws AppError 404 */
  async original(id: string, disposition: 'attachment' | 'inline'): Promise<OutgoingFile> {
    const file = await this.mustFind(id);
    return {
      sizeBytes: Number(file.fileSizeBytes),
      mimeType: file.mimeType,
      etag: `"${file.fileHash}"`,
      lastModified: file.uploadedAt,
      filename: file.originalFilename,
      disposition: disposition === 'inline' && INLINE_TYPES.has(file.mimeType) ? 'inline' : 'attachment',
      open: (range) => this.read(file.s3Key, range),
    };
  }

  /** The small WebP picture. @throws AppError 404, with code `thumbnail-not-ready` until there is one */
  async thumbnail(id: string): Promise<OutgoingFile> {
    const file = await this.mustFind(id);
    if (!file.thumbnailS3Key) {
      throw new AppError(
        404,
        'thumbnail-not-ready',
        'Not found',
        'The thumbnail is not made yet. Try again in a moment.',
      );
    }
    return this.smallPicture(file.thumbnailS3Key, `thumbnail-${id}`, file.updatedAt);
  }

  /** One key frame of a video. @throws AppError 404 */
  async keyframe(id: string, keyframeId: string): Promise<OutgoingFile> {
    const keyframe = await this.database.run((tx) =>
      this.media.keyframe(tx, currentUserId(), id, keyframeId),
    );
    if (!keyframe) throw errors.notFound('key frame');
    return this.smallPicture(keyframe.storageKey, `keyframe-${keyframeId}`, keyframe.createdAt);
  }

  /** Pictures of some ten kilobytes are read whole: their ETag is the hash of what is sent, whenever they were remade. */
  private async smallPicture(key: string, name: string, lastModified: Date): Promise<OutgoingFile> {
    const data = await buffer(await this.read(key));
    const [mimeType, extension] = pictureType(data);
    return {
      sizeBytes: data.length,
      mimeType,
      etag: `"${createHash('sha256').update(data).digest('base64url').slice(0, 22)}"`,
      lastModified,
      filename: `${name}.${extension}`,
      disposition: 'inline',
      open: async (range) => Readable.from([range ? data.subarray(range.start, range.end + 1) : data]),
    };
  }

  private async read(key: string, range?: ByteRange): Promise<Readable> {
    try {
      return await this.storage.read(key, range);
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      throw new AppError(
        404,
        'file-missing',
        'Not found',
        'The stored file is missing. Tell the operator; upload it again.',
        {
          cause: error,
        },
      );
    }
  }

  private async mustFind(id: string): Promise<MediaFile> {
    const file = await this.database.run((tx) => this.media.findActive(tx, currentUserId(), id));
    if (!file) throw errors.notFound('media file');
    return file;
  }
}

/** Our own pictures are WebP or JPEG; which, their first bytes say. */
function pictureType(data: Buffer): [mimeType: string, extension: string] {
  return data.subarray(0, 2).equals(Buffer.from([0xff, 0xd8]))
    ? ['image/jpeg', 'jpg']
    : ['image/webp', 'webp'];
}
