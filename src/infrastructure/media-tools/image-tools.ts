import { readFile, stat } from 'node:fs/promises';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { summariseExif } from './exif-summary.js';
import { decodeHeif, openPixels, tooLarge, type DecodedPixels } from './heif-decoder.js';
import { isCutIsoFile } from './iso-boxes.js';
import {
  type DetectedType,
  type ImageProbe,
  MediaRejectedError,
  type Thumbnail,
  type WorkingCopy,
} from './media-tools.types.js';
import { sharp, sharpDecodesHevc } from './sharp-setup.js';

export interface ImageToolsOptions {
  /** Largest picture, width x height of one frame. Default 100 megapixels, about 400 MB once decoded. */
  maxInputPixels?: number;
  /** Most frames or pages of one file. Default 1,000: more is a video. */
  maxFrames?: number;
  /** A single decode is given up after this. Default 60; a noisy progressive JPEG of 99 megapixels took 2.1. */
  decodeTimeoutSeconds?: number;
}

/** Of a working copy. */
interface CopyOptions {
  maxSide?: number;
  signal?: AbortSignal;
}

/** Longer side of thumbnails, in pixels. */
export const THUMBNAIL_MAX_SIDE = 512;
/** Longer side of working copies, in pixels; what vision models are given at most, and enough for OCR. */
export const WORKING_COPY_MAX_SIDE = 2048;

/** A TIFF keeps its tags anywhere in the file, so it has to be read whole; larger ones go without a summary. */
const MAX_TIFF_BYTES_FOR_TAGS = 32 * 1024 * 1024;

const LOADER_OF_TYPE: Record<string, string> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/tiff': 'tiff',
  'image/avif': 'heif',
  'image/heic': 'heif',
  'image/heif': 'heif',
};

/**
 * `error` refuses what cannot be decoded to its end (cut files, broken checksums) and lets mere warnings pass:
 * bytes after the end, odd metadata and extra restart markers are common in photographs that look right.
 */
const FAIL_ON = 'error';

/** Reads pictures of the accepted types; every method takes a path on local disk and what the detector said. */
export class ImageTools {
  private readonly maxInputPixels: number;
  private readonly maxFrames: number;
  private readonly decodeTimeoutSeconds: number;

  constructor(options: ImageToolsOptions = {}) {
    this.maxInputPixels = options.maxInputPixels ?? 100_000_000;
    this.maxFrames = options.maxFrames ?? 1_000;
    this.decodeTimeoutSeconds = options.decodeTimeoutSeconds ?? 60;
  }

  /**
   * Judges a picture by its header first, then decodes it once from beginning to end.
   * @throws MediaRejectedError `image-too-large`, `too-many-frames` (both before any decoding), `corrupt-media`
   */
  async probe(path: string, detected: DetectedType, signal?: AbortSignal): Promise<ImageProbe> {
    const metadata = await this.readHeader(path, detected);
    await this.decodeOnce(path, metadata, signal);
    return toProbe(path, detected, metadata);
  }

  /**
   * `probe` and `upright` in one: what takes seconds to decode (HEIC) is decoded once.
   * @throws MediaRejectedError as both do
   */
  async probeAndCopy(
    path: string,
    detected: DetectedType,
    outPath: string,
    options: CopyOptions = {},
  ): Promise<{ probe: ImageProbe; workingCopy: WorkingCopy }> {
    const metadata = await this.readHeader(path, detected);
    const pixels = await this.decodeOnce(path, metadata, options.signal);
    const work = (picture: Sharp) => writeUpright(picture, outPath, options);
    const workingCopy = await this.convert(path, metadata, pixels, options.signal, work);
    return { probe: await toProbe(path, detected, metadata), workingCopy };
  }

  /**
   * Writes an upright sRGB copy without metadata for the analysis, scaled down to `maxSide` pixels and never up.
   * An animation gives its first frame. `outPath` ending in `.png` keeps transparency; any other name gives a
   * JPEG on white ground.
   * @throws MediaRejectedError
   */
  async upright(
    path: string,
    detected: DetectedType,
    outPath: string,
    options: CopyOptions = {},
  ): Promise<WorkingCopy> {
    const metadata = await this.readHeader(path, detected);
    const work = (picture: Sharp) => writeUpright(picture, outPath, options);
    return this.convert(path, metadata, null, options.signal, work);
  }

  /**
   * Makes an upright WebP of at most 512 pixels a side, without metadata, transparency kept, first frame only.
   * @throws MediaRejectedError
   */
  async thumbnail(path: string, detected: DetectedType, signal?: AbortSignal): Promise<Thumbnail> {
    return this.convert(path, await this.readHeader(path, detected), null, signal, encodeThumbnail);
  }

  private async readHeader(path: string, detected: DetectedType): Promise<Metadata> {
    let metadata: Metadata;
    try {
      // No pixel limit here: sharp's own error could not be told from damage, and nothing is decoded yet.
      metadata = await sharp(path, { limitInputPixels: false, failOn: FAIL_ON }).metadata();
    } catch (error) {
      throw corrupt(error);
    }
    if (metadata.format !== LOADER_OF_TYPE[detected.mimeType]) {
      throw corrupt(new Error(`Detected ${detected.mimeType}, but it opens as ${metadata.format}.`));
    }
    const frameHeight = metadata.pageHeight ?? metadata.height;
    if (metadata.width * frameHeight > this.maxInputPixels) {
      throw tooLarge(`${metadata.width} x ${frameHeight}`, this.maxInputPixels);
    }
    if ((metadata.pages ?? 1) > this.maxFrames) {
      throw new MediaRejectedError(
        'too-many-frames',
        `The picture has ${metadata.pages} frames; at most ${this.maxFrames} are accepted. Upload it as a video.`,
      );
    }
    return metadata;
  }

  /** @returns the pixels, where sharp could not give them again in no time */
  private async decodeOnce(
    path: string,
    metadata: Metadata,
    signal?: AbortSignal,
  ): Promise<DecodedPixels | null> {
    // Scaling down keeps memory small: sharp streams the rows and only the small result is held.
    const decode = (picture: Sharp) => picture.resize(64, 64, { fit: 'inside' }).raw().toBuffer();
    try {
      if (metadata.format === 'heif' && (await isCutIsoFile(path)))
        throw new Error('The file ends inside a box.');
      if (needsLibHeif(metadata)) return await this.decodeWithLibHeif(path, signal);
      const picture = this.open(path, { pages: this.framesToCheck(metadata) });
      await decode(picture);
      return null;
    } catch (error) {
      throw asRejection(error, signal);
    }
  }

  /** All frames of an animation as far as they stay within the pixel limit together; one page of a document. */
  private framesToCheck(metadata: Metadata): number {
    const animated = metadata.format === 'gif' || metadata.format === 'webp';
    if (!animated || !metadata.pages) return 1;
    const framePixels = metadata.width * (metadata.pageHeight ?? metadata.height);
    return Math.max(1, Math.min(metadata.pages, Math.floor(this.maxInputPixels / framePixels)));
  }

  /** @param pixels of a picture that libheif has decoded before, else null */
  private async convert<T>(
    path: string,
    metadata: Metadata,
    pixels: DecodedPixels | null,
    signal: AbortSignal | undefined,
    work: (picture: Sharp) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    try {
      const picture = needsLibHeif(metadata)
        ? await openPixels(pixels ?? (await this.decodeWithLibHeif(path, signal)), metadata.icc)
        : this.open(path, {});
      return await work(picture.timeout({ seconds: this.decodeTimeoutSeconds }));
    } catch (error) {
      throw asRejection(error, signal);
    }
  }

  private open(path: string, options: SharpOptions): Sharp {
    return sharp(path, {
      limitInputPixels: this.maxInputPixels,
      failOn: FAIL_ON,
      sequentialRead: true,
      ...options,
    }).timeout({ seconds: this.decodeTimeoutSeconds });
  }

  private async decodeWithLibHeif(path: string, signal?: AbortSignal): Promise<DecodedPixels> {
    return decodeHeif(path, {
      maxPixels: this.maxInputPixels,
      timeoutMs: this.decodeTimeoutSeconds * 1000,
      signal,
    });
  }
}

/** Encodes the thumbnail of an open picture; also used for video frames. */
export async function encodeThumbnail(picture: Sharp): Promise<Thumbnail> {
  const { data, info } = await uprightWithin(picture, THUMBNAIL_MAX_SIDE)
    .webp({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

async function writeUpright(picture: Sharp, outPath: string, { maxSide }: CopyOptions): Promise<WorkingCopy> {
  const scaled = uprightWithin(picture, maxSide ?? WORKING_COPY_MAX_SIDE);
  const asPng = outPath.toLowerCase().endsWith('.png');
  const encoded = asPng
    ? scaled.png({ compressionLevel: 6 })
    : scaled.flatten({ background: '#ffffff' }).jpeg({ quality: 90 });
  const { width, height } = await encoded.toFile(outPath);
  return { path: outPath, mimeType: asPng ? 'image/png' : 'image/jpeg', width, height };
}

async function toProbe(path: string, detected: DetectedType, metadata: Metadata): Promise<ImageProbe> {
  const { width, height } = metadata.autoOrient;
  return {
    fileType: 'image',
    mimeType: detected.mimeType,
    width,
    height,
    orientation: metadata.orientation ?? 1,
    hasAlpha: metadata.hasAlpha,
    frames: metadata.pages ?? 1,
    exif: summariseExif(await exifBlock(path, metadata)),
  };
}

/** sharp leaves metadata out and converts to sRGB unless told otherwise. */
function uprightWithin(picture: Sharp, maxSide: number): Sharp {
  return picture.autoOrient().resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true });
}

function needsLibHeif(metadata: Metadata): boolean {
  return metadata.format === 'heif' && metadata.compression !== 'av1' && !sharpDecodesHevc;
}

async function exifBlock(path: string, metadata: Metadata): Promise<Buffer | undefined> {
  if (metadata.format !== 'tiff') return metadata.exif;
  const { size } = await stat(path);
  return size <= MAX_TIFF_BYTES_FOR_TAGS ? readFile(path) : undefined;
}

function asRejection(error: unknown, signal?: AbortSignal): unknown {
  return signal?.aborted || error instanceof MediaRejectedError || isFileSystemError(error)
    ? error
    : corrupt(error);
}

/** A full disk or a missing folder is no fault of the picture. */
function isFileSystemError(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string };
  return typeof code === 'string' || /unable to open for write|No space left/i.test(message);
}

function corrupt(cause: unknown): MediaRejectedError {
  return new MediaRejectedError(
    'corrupt-media',
    'The picture is damaged or incomplete and cannot be decoded. Export or download it again and retry the upload.',
    { cause },
  );
}
