/** Kinds of file that the product accepts. */
export type FileType = 'image' | 'video';

/** Result of the magic-byte check. */
export interface DetectedType {
  fileType: FileType;
  /** One of SUPPORTED_MIME_TYPES. */
  mimeType: string;
  /** File extension without a dot, from the content and never from the file's name. */
  extension: string;
}

/** Why a file is refused. `code` is stable and becomes the problem type of the HTTP answer. */
export type MediaRejectionCode =
  | 'empty-file'
  | 'unsupported-media-type'
  | 'corrupt-media'
  | 'image-too-large'
  | 'video-too-long'
  | 'video-without-streams'
  | 'too-many-frames';

export class MediaRejectedError extends Error {
  override name = 'MediaRejectedError';
  constructor(
    readonly code: MediaRejectionCode,
    /** Says what is wrong and what to do, in words that can be shown to the uploader. */
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the probe of an image says; width and height are those of the upright picture. */
export interface ImageProbe {
  fileType: 'image';
  mimeType: string;
  width: number;
  height: number;
  /** EXIF orientation 1..8 as stored in the file (1 when absent). */
  orientation: number;
  hasAlpha: boolean;
  frames: number;
  /** Selected EXIF fields in camelCase, plain JSON values; empty when there is no EXIF block. */
  exif: ExifSummary;
}

export interface ExifSummary {
  /** ISO 8601 without zone when the camera stored none. */
  takenAt?: string;
  cameraMake?: string;
  cameraModel?: string;
  lensModel?: string;
  software?: string;
  exposureTimeSeconds?: number;
  fNumber?: number;
  iso?: number;
  focalLengthMm?: number;
  latitude?: number;
  longitude?: number;
  altitudeMetres?: number;
  description?: string;
  artist?: string;
  copyright?: string;
}

/** What ffprobe says of a video; width and height are those of the upright picture (rotation applied). */
export interface VideoProbe {
  fileType: 'video';
  mimeType: string;
  width: number;
  height: number;
  durationSeconds: number;
  frameRate: number | null;
  rotationDegrees: number;
  hasAudio: boolean;
  videoCodec: string;
  audioCodec: string | null;
  /** Index (ffmpeg's stream index) and ISO 639 language of each text subtitle track. */
  subtitleTracks: { index: number; codec: string; language: string | null }[];
  /** Container tags such as title, creation_time; plain strings, capped. */
  tags: Record<string, string>;
}

export type MediaProbe = ImageProbe | VideoProbe;

/** One line of speech or subtitle. Times are seconds from the start of the video. */
export interface TranscriptCue {
  startSeconds: number;
  endSeconds: number;
  text: string;
}

/** A still picture taken from a video, lying on local disk. */
export interface ExtractedKeyframe {
  timestampSeconds: number;
  /** JPEG file inside the work folder of the caller. */
  path: string;
  width: number;
  height: number;
}

/** A small WebP picture for lists, without metadata. */
export interface Thumbnail {
  data: Buffer;
  width: number;
  height: number;
}

/** An upright sRGB copy of a picture, without metadata, lying on local disk; what the analysis reads. */
export interface WorkingCopy {
  path: string;
  mimeType: 'image/jpeg' | 'image/png';
  width: number;
  height: number;
}

/** Limits of the plan that `MediaTools.inspect` enforces; `null` = unlimited. */
export interface InspectionLimits {
  maxVideoDurationSeconds: number | null;
}

/** What is known of a file once it has been accepted. */
export interface InspectedMedia {
  detected: DetectedType;
  probe: MediaProbe;
}
