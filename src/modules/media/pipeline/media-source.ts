import path from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../../infrastructure/database/database.js';
import type { MediaFile, Prisma } from '../../../infrastructure/database/generated/client.js';
import { OBJECT_STORAGE } from '../../../infrastructure/infrastructure.tokens.js';
import type {
  DetectedType,
  InspectedMedia,
  VideoProbe,
} from '../../../infrastructure/media-tools/media-tools.types.js';
import { MediaTools } from '../../../infrastructure/media-tools/media-tools.js';
import type { ObjectStorage } from '../../../infrastructure/storage/object-storage.js';
import type { JobContext } from '../../jobs/jobs.types.js';
import { mediaDeleted } from './job-failures.js';
import { lockMedia, type LockedMediaRow } from './sql/projection.sql.js';

/** The file that a job is about. */
export interface OpenMedia {
  media: MediaFile;
  /** The original on local disk: read only, and never to be deleted by the job. */
  path: string;
}

/** Where the jobs of the pipeline get their file from, its row and its bytes. */
@Injectable()
export class MediaSource {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(MediaTools) private readonly mediaTools: MediaTools,
  ) {}

  /** The row of the job's file. @throws JobFailure `media-deleted` when it is gone, in the trash or somebody else's */
  async load(context: JobContext): Promise<MediaFile> {
    const { userId, mediaFileId } = context.job;
    const media = await this.database.run((tx) =>
      tx.mediaFile.findFirst({ where: { userId, id: mediaFileId, deletedAt: null } }),
    );
    if (!media) throw mediaDeleted();
    return media;
  }

  /** Row and original. @throws JobFailure `media-deleted`; ObjectNotFoundError; StorageUnavailableError */
  async open(context: JobContext): Promise<OpenMedia> {
    const media = await this.load(context);
    return { media, path: await this.storage.localCopy(media.s3Key, context.workDir) };
  }

  /**
   * What media_probe found out, from the row; looked up in the file again only when that job failed.
   * @throws MediaRejectedError
   */
  async inspection({ media, path: file }: OpenMedia, signal: AbortSignal): Promise<InspectedMedia> {
    return (
      inspectionFromRow(media) ?? this.mediaTools.inspect(file, { maxVideoDurationSeconds: null }, signal)
    );
  }
}

/** Type of a file as the upload detected it by its bytes. */
export function detectedTypeOf(media: Pick<MediaFile, 'fileType' | 'mimeType' | 's3Key'>): DetectedType {
  return {
    fileType: media.fileType === 'video' ? 'video' : 'image',
    mimeType: media.mimeType,
    extension: path.posix.extname(media.s3Key).slice(1),
  };
}

/** The probe as media_probe stored it; null when it has not (yet) been stored. */
export function inspectionFromRow(media: MediaFile): InspectedMedia | null {
  const { width, height, durationSeconds, mimeType } = media;
  if (width === null || height === null) return null;
  const detected = detectedTypeOf(media);
  if (detected.fileType === 'image') {
    const orientation = media.orientation ?? 1;
    return {
      detected,
      probe: {
        fileType: 'image',
        mimeType,
        width,
        height,
        orientation,
        hasAlpha: false,
        frames: 1,
        exif: {},
      },
    };
  }
  const exif = media.exif as Partial<VideoProbe>;
  if (durationSeconds === null || !exif.videoCodec || !Array.isArray(exif.subtitleTracks)) return null;
  return {
    detected,
    probe: {
      fileType: 'video',
      mimeType,
      width,
      height,
      durationSeconds: Number(durationSeconds),
      frameRate: media.frameRate === null ? null : Number(media.frameRate),
      rotationDegrees: exif.rotationDegrees ?? 0,
      hasAudio: media.hasAudio,
      videoCodec: exif.videoCodec,
      audioCodec: exif.audioCodec ?? null,
      subtitleTracks: exif.subtitleTracks,
      tags: exif.tags ?? {},
    },
  };
}

/** First statement of every commit: see `lockMedia`. @throws JobFailure `media-deleted` */
export async function lockJobMedia(tx: Transaction, job: JobContext['job']): Promise<void> {
  const rows = await tx.$queryRaw<LockedMediaRow[]>(lockMedia(job));
  if (rows.length === 0) throw mediaDeleted();
}

/** Writes columns of the job's file. */
export async function updateJobMedia(
  tx: Transaction,
  { userId, mediaFileId }: JobContext['job'],
  data: Prisma.MediaFileUncheckedUpdateManyInput,
): Promise<void> {
  await tx.mediaFile.updateMany({ where: { userId, id: mediaFileId }, data });
}
