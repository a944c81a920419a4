import { join } from 'node:path';
import { type AudioOptions, FfmpegTools, type FfmpegToolsOptions, type KeyframeOptions } from './ffmpeg.js';
import type { FfmpegBinaries } from './ffmpeg-locator.js';
import { detectFileType } from './file-type-detector.js';
import { ImageTools, type ImageToolsOptions } from './image-tools.js';
import type {
  ExtractedKeyframe,
  ImageProbe,
  InspectedMedia,
  InspectionLimits,
  MediaProbe,
  Thumbnail,
  TranscriptCue,
  VideoProbe,
  DetectedType,
  WorkingCopy,
} from './media-tools.types.js';
import { Semaphore } from './semaphore.js';

export interface MediaToolsOptions extends ImageToolsOptions, FfmpegToolsOptions {
  /** Pieces of decoding that run at a time, pictures and videos together. Default 2. */
  maxConcurrentDecodes?: number;
}

/**
 * The one door to everything that opens an uploaded file. At most `maxConcurrentDecodes` files are worked on at a
 * time, which bounds memory (about 400 MB for a picture of 100 megapixels); the others wait their turn.
 */
export class MediaTools {
  private readonly images: ImageTools;
  private readonly videos: FfmpegTools;
  private readonly decodes: Semaphore;

  constructor(options: MediaToolsOptions = {}) {
    this.images = new ImageTools(options);
    this.videos = new FfmpegTools(options);
    this.decodes = new Semaphore(options.maxConcurrentDecodes ?? 2);
  }

  /**
   * Which ffmpeg is used; a source of `bundled` is an old build and deserves a warning at start-up.
   * @throws MediaToolMissingError
   */
  async describe(): Promise<FfmpegBinaries & { sandbox: readonly string[] }> {
    return this.videos.describe();
  }

  /**
   * Decides whether an uploaded file is accepted: type by its bytes, limits by its header, then whether it can be
   * decoded (a picture whole, of a video the first frame).
   * @throws MediaRejectedError; MediaToolMissingError for a video when there is no ffmpeg
   */
  async inspect(path: string, limits: InspectionLimits, signal?: AbortSignal): Promise<InspectedMedia> {
    const detected = await detectFileType(path);
    const probe = await this.decodes.run<MediaProbe>(
      () =>
        detected.fileType === 'image'
          ? this.images.probe(path, detected, signal)
          : this.videos.probe(path, detected, { maxDurationSeconds: limits.maxVideoDurationSeconds, signal }),
      signal,
    );
    return { detected, probe };
  }

  /**
   * Makes what the pipeline needs of a picture with one pass over the original: the upright working copy
   * (`upright.png` when it has transparency, else `upright.jpg`) and the thumbnail.
   * @param workDir an existing folder of the caller
   * @throws MediaRejectedError
   */
  async prepareImage(
    path: string,
    detected: DetectedType,
    workDir: string,
    options: { hasAlpha: boolean; maxSide?: number; signal?: AbortSignal },
  ): Promise<{ workingCopy: WorkingCopy; thumbnail: Thumbnail }> {
    const outPath = join(workDir, options.hasAlpha ? 'upright.png' : 'upright.jpg');
    return this.decodes.run(async () => {
      const workingCopy = await this.images.upright(path, detected, outPath, options);
      // From the copy, which is small and upright: a large HEIC would take seconds to decode again.
      const copyType: DetectedType = {
        fileType: 'image',
        mimeType: workingCopy.mimeType,
        extension: options.hasAlpha ? 'png' : 'jpg',
      };
      const thumbnail = await this.images.thumbnail(outPath, copyType, options.signal);
      return { workingCopy, thumbnail };
    }, options.signal);
  }

  /**
   * `inspect` of a picture, with its upright working copy (a JPEG) out of the same decoding: for one that is looked at
   * once and not kept.
   * @param workDir an existing folder of the caller
   * @throws MediaRejectedError
   */
  async openPicture(
    path: string,
    detected: DetectedType,
    workDir: string,
    signal?: AbortSignal,
  ): Promise<{ probe: ImageProbe; workingCopy: WorkingCopy }> {
    const outPath = join(workDir, 'upright.jpg');
    return this.decodes.run(() => this.images.probeAndCopy(path, detected, outPath, { signal }), signal);
  }

  /** The thumbnail of an accepted picture or video. @throws MediaRejectedError */
  async thumbnail(path: string, media: InspectedMedia, signal?: AbortSignal): Promise<Thumbnail> {
    const { detected, probe } = media;
    return this.decodes.run(
      () =>
        probe.fileType === 'video'
          ? this.videos.thumbnail(path, probe, signal)
          : this.images.thumbnail(path, detected, signal),
      signal,
    );
  }

  /** See `FfmpegTools.keyframes`. */
  async keyframes(
    path: string,
    probe: VideoProbe,
    outDir: string,
    options: KeyframeOptions = {},
  ): Promise<ExtractedKeyframe[]> {
    return this.decodes.run(() => this.videos.keyframes(path, probe, outDir, options), options.signal);
  }

  /** See `FfmpegTools.subtitles`. */
  async subtitles(path: string, trackIndex: number, signal?: AbortSignal): Promise<TranscriptCue[]> {
    return this.decodes.run(() => this.videos.subtitles(path, trackIndex, signal), signal);
  }

  /** See `FfmpegTools.extractAudio`. */
  async extractAudio(
    path: string,
    outPath: string,
    options: AudioOptions = {},
  ): Promise<{ sizeBytes: number }> {
    return this.decodes.run(() => this.videos.extractAudio(path, outPath, options), options.signal);
  }
}
