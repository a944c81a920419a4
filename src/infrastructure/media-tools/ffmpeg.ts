import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ProcessFailedError, type RunResult, runProcess } from './child-process.js';
import {
  fileUrl,
  FIRST_VIDEO,
  fitInside,
  IMAGE_SEQUENCE_RATE,
  inputArguments,
  jpegScale,
  keyframeFilters,
  MAX_FRAME_PIXELS,
} from './ffmpeg-arguments.js';
import { type FfmpegBinaries, locateFfmpeg } from './ffmpeg-locator.js';
import { parseFfprobe } from './ffprobe-output.js';
import { detectFileType } from './file-type-detector.js';
import { encodeThumbnail } from './image-tools.js';
import {
  candidatePattern,
  type CandidateFile,
  greySignature,
  readCandidates,
  removeCandidates,
} from './keyframe-candidates.js';
import { greyStatistics, isBlack, selectKeyframes } from './keyframe-selection.js';
import type {
  DetectedType,
  ExtractedKeyframe,
  Thumbnail,
  TranscriptCue,
  VideoProbe,
} from './media-tools.types.js';
import { detectSandbox, type ProcessSandbox, type SandboxMode } from './process-sandbox.js';
import { sharp } from './sharp-setup.js';
import { parseSubtitles } from './subtitles.js';
import {
  asVideoRejection,
  codecNotSupported,
  frameTooLarge,
  undecodableVideo,
  videoTooLong,
} from './video-errors.js';

export interface FfmpegToolsOptions {
  ffmpegPath?: string;
  ffprobePath?: string;
  /** Time limit for looking at a video (probe, thumbnail). Default 60. */
  probeTimeoutSeconds?: number;
  /** Time limit for going through a whole video (key frames, sound, subtitles). Default 1,800. */
  processingTimeoutSeconds?: number;
  /** `auto` (default) uses bubblewrap and prlimit where they work. */
  sandbox?: SandboxMode;
}

export interface KeyframeOptions {
  /** Most frames to give. Default 40. */
  max?: number;
  /** Least distance between two frames. Default 1. */
  minGapSeconds?: number;
  /** 0..1; ffmpeg's scene score from which a frame counts as a cut. Default 0.3, as its documentation advises. */
  sceneThreshold?: number;
  signal?: AbortSignal;
}

export interface AudioOptions {
  /** Default `mp3` (32 kbit/s: one hour is about 14 MB); `wav` is 16-bit PCM. */
  format?: 'mp3' | 'wav';
  /** Hertz. Default 16,000, what speech models work with. */
  sampleRate?: number;
  startSeconds?: number;
  durationSeconds?: number;
  signal?: AbortSignal;
}

/** Key frames are for looking at and for vision models, not for printing. */
const KEYFRAME_MAX_SIDE = 1280;
/**
 * From here on only the frames that the encoder marked as key frames are decoded. Measured with 150 s of 1080p
 * H.264 (a key frame every 10 s): 0.6 s of CPU time instead of 33 s.
 */
const LONG_VIDEO_SECONDS = 1_200;
const MEGABYTE = 1024 * 1024;
const MAX_JSON_BYTES = 4 * MEGABYTE;
const MAX_AUDIO_BYTES = 2048 * MEGABYTE;

/** Runs ffprobe and ffmpeg on local files: no shell, one fixed demuxer, no network, time and output limits. */
export class FfmpegTools {
  private readonly probeTimeoutMs: number;
  private readonly processingTimeoutMs: number;
  private located: Promise<{ binaries: FfmpegBinaries; sandbox: ProcessSandbox }> | undefined;

  constructor(private readonly options: FfmpegToolsOptions = {}) {
    this.probeTimeoutMs = (options.probeTimeoutSeconds ?? 60) * 1000;
    this.processingTimeoutMs = (options.processingTimeoutSeconds ?? 1_800) * 1000;
  }

  /**
   * Which binaries and which parts of the sandbox are in use; found on the first call and kept.
   * @throws MediaToolMissingError
   */
  async describe(): Promise<FfmpegBinaries & { sandbox: readonly string[] }> {
    const { binaries, sandbox } = await this.locate();
    return { ...binaries, sandbox: sandbox.parts };
  }

  /**
   * Reads what a video is and decodes its first frame. The duration is measured by going through the packets
   * when the container states none or states less than there is.
   * @throws MediaRejectedError `video-without-streams`, `video-too-long`, `image-too-large` (frame size),
   *   `unsupported-media-type` (no decoder for it), `corrupt-media`
   */
  async probe(
    path: string,
    detected: DetectedType,
    options: { maxDurationSeconds?: number | null; signal?: AbortSignal } = {},
  ): Promise<VideoProbe> {
    const { signal } = options;
    const input = inputArguments(path, detected.mimeType);
    try {
      const { binaries, sandbox } = await this.locate();
      const { stdout } = await runProcess(
        sandbox.wrap([
          binaries.ffprobe.path,
          ...['-hide_banner', '-v', 'error', '-of', 'json', '-show_format', '-show_streams'],
          // With room above the limit, so that the refusal below can name the size.
          ...inputArguments(path, detected.mimeType, 4 * MAX_FRAME_PIXELS),
        ]),
        { timeoutMs: this.probeTimeoutMs, maxOutputBytes: MAX_JSON_BYTES, signal, name: 'ffprobe' },
      );
      const probe = parseFfprobe(stdout.toString('utf8'), detected.mimeType);
      if (probe.width * probe.height > MAX_FRAME_PIXELS) throw frameTooLarge(probe, MAX_FRAME_PIXELS);

      const measured = await this.measureDuration(input, signal);
      // A header may claim less than the file plays, which would get around a plan's limit.
      if (measured > probe.durationSeconds + 1) probe.durationSeconds = measured;
      const limit = options.maxDurationSeconds ?? null;
      if (limit !== null && probe.durationSeconds > limit) throw videoTooLong(probe.durationSeconds, limit);

      await this.decodeFirstFrame(input, probe.videoCodec, signal);
      return probe;
    } catch (error) {
      throw asVideoRejection(error);
    }
  }

  /**
   * Takes stills where the scene changes and at regular distances, so that a static or short video has at least
   * one. Black frames and repetitions are left out; a long video is thinned evenly.
   * @param outDir an existing folder of the caller; receives `keyframe-000.jpg`, ...
   * @returns in order of time, at most `max`; upright JPEGs of at most 1,280 pixels a side, each with the exact
   *   time of its frame
   * @throws MediaRejectedError `corrupt-media` when no frame can be decoded; ProcessFailedError on time-out
   */
  async keyframes(
    path: string,
    probe: VideoProbe,
    outDir: string,
    options: KeyframeOptions = {},
  ): Promise<ExtractedKeyframe[]> {
    const long = probe.durationSeconds > LONG_VIDEO_SECONDS;
    let candidates = await this.extractCandidates(path, probe, outDir, options, long);
    // Some encoders set next to no key frames; then there is no way around decoding everything.
    if (long && candidates.length < 4) {
      await removeCandidates(candidates);
      candidates = await this.extractCandidates(path, probe, outDir, options, false);
    }
    if (candidates.length === 0) throw undecodableVideo();

    const chosen = selectKeyframes(candidates, {
      durationSeconds: probe.durationSeconds,
      minGapSeconds: options.minGapSeconds ?? 1,
      max: options.max ?? 40,
    });
    const keyframes: ExtractedKeyframe[] = [];
    for (const index of chosen) {
      const candidate = candidates[index] as CandidateFile;
      const target = join(outDir, `keyframe-${String(keyframes.length).padStart(3, '0')}.jpg`);
      await rename(candidate.path, target);
      const { timestampSeconds, width, height } = candidate;
      keyframes.push({ timestampSeconds, path: target, width, height });
    }
    await removeCandidates(candidates.filter((_, index) => !chosen.includes(index)));
    return keyframes;
  }

  /**
   * Makes a WebP thumbnail from the first of a few places in the video that is neither black nor flat, or from
   * the one with most contrast.
   * @throws MediaRejectedError `corrupt-media`
   */
  async thumbnail(path: string, probe: VideoProbe, signal?: AbortSignal): Promise<Thumbnail> {
    const input = inputArguments(path, probe.mimeType);
    let best: { picture: Buffer; deviation: number } | undefined;
    for (const share of [0.1, 0.3, 0.5, 0.8, 0]) {
      const picture = await this.frameAt(input, probe, share * probe.durationSeconds, signal);
      if (!picture) continue;
      const signature = await greySignature(picture);
      const { deviation } = greyStatistics(signature);
      if (!best || deviation > best.deviation) best = { picture, deviation };
      if (deviation > 12 && !isBlack({ signature })) break;
    }
    if (!best) throw undecodableVideo();
    return encodeThumbnail(sharp(best.picture));
  }

  /**
   * Reads one text subtitle track.
   * @param trackIndex ffmpeg's stream index, from `VideoProbe.subtitleTracks`
   * @throws MediaRejectedError `corrupt-media`; ProcessFailedError on time-out
   */
  async subtitles(path: string, trackIndex: number, signal?: AbortSignal): Promise<TranscriptCue[]> {
    const { mimeType } = await detectFileType(path);
    const { stdout } = await this.processVideo(
      [...inputArguments(path, mimeType), '-map', `0:${trackIndex}`, '-f', 'webvtt', 'pipe:1'],
      { maxOutputBytes: 20 * MEGABYTE, signal },
    );
    return parseSubtitles(stdout.toString('utf8'));
  }

  /**
   * Writes the first sound track as mono, for speech to text.
   * @param outPath must not exist yet or may be overwritten; only its folder is writable for ffmpeg
   * @returns the file's size in bytes
   * @throws MediaRejectedError `corrupt-media` when there is no sound that can be decoded; ProcessFailedError
   */
  async extractAudio(
    path: string,
    outPath: string,
    options: AudioOptions = {},
  ): Promise<{ sizeBytes: number }> {
    const { mimeType } = await detectFileType(path);
    const target = resolve(outPath);
    const encoding =
      options.format === 'wav'
        ? ['-c:a', 'pcm_s16le', '-f', 'wav']
        : ['-c:a', 'libmp3lame', '-b:a', '32k', '-f', 'mp3'];
    await this.processVideo(
      [
        ...(options.startSeconds ? ['-ss', String(options.startSeconds)] : []),
        ...inputArguments(path, mimeType),
        ...(options.durationSeconds ? ['-t', String(options.durationSeconds)] : []),
        ...['-map', '0:a:0', '-ac', '1', '-ar', String(options.sampleRate ?? 16_000)],
        ...encoding,
        ...['-fs', String(MAX_AUDIO_BYTES), '-y', fileUrl(target)],
      ],
      { writableFolder: dirname(target), signal: options.signal },
    );
    return { sizeBytes: (await stat(target)).size };
  }

  private async extractCandidates(
    path: string,
    probe: VideoProbe,
    outDir: string,
    options: KeyframeOptions,
    encoderKeyframesOnly: boolean,
  ): Promise<CandidateFile[]> {
    const max = options.max ?? 40;
    // At most about four candidates for each frame that is kept, however long the video is.
    const gap = Math.max(options.minGapSeconds ?? 1, probe.durationSeconds / (max * 4));
    const regular = Math.max(gap, Math.min(5, probe.durationSeconds / 4), probe.durationSeconds / (max * 2));
    const size = fitInside(probe, KEYFRAME_MAX_SIDE);
    const folder = resolve(outDir);
    await mkdir(folder, { recursive: true });

    const filters = keyframeFilters(size, {
      gapSeconds: gap,
      regularSeconds: regular,
      sceneThreshold: options.sceneThreshold ?? 0.3,
    });
    const { stdout } = await this.processVideo(
      [
        ...(encoderKeyframesOnly ? ['-skip_frame', 'nokey'] : []),
        ...inputArguments(path, probe.mimeType),
        ...FIRST_VIDEO,
        ...['-vf', filters, '-r', String(IMAGE_SEQUENCE_RATE), '-q:v', '3', '-f', 'image2', '-y'],
        fileUrl(candidatePattern(folder)),
      ],
      { writableFolder: folder, maxOutputBytes: MEGABYTE, signal: options.signal },
    );
    return readCandidates(stdout.toString('utf8'), folder, size);
  }

  /** One frame as an upright JPEG, or undefined when there is none at that time. */
  private async frameAt(input: string[], probe: VideoProbe, seconds: number, signal?: AbortSignal) {
    const size = fitInside(probe, KEYFRAME_MAX_SIDE);
    const { stdout } = await this.processVideo(
      [
        ...['-ss', seconds.toFixed(3)],
        ...input,
        ...FIRST_VIDEO,
        ...['-frames:v', '1', '-vf', `${jpegScale(size)},format=yuvj420p`],
        ...['-q:v', '3', '-c:v', 'mjpeg', '-f', 'image2pipe', 'pipe:1'],
      ],
      { timeoutMs: this.probeTimeoutMs, maxOutputBytes: 20 * MEGABYTE, signal },
    );
    return stdout.length > 0 ? stdout : undefined;
  }

  /** Seconds up to the end of the last packet of picture and sound; reads the file once and decodes nothing. */
  private async measureDuration(input: string[], signal?: AbortSignal): Promise<number> {
    const { stdout } = await this.run(
      [
        ...input,
        ...FIRST_VIDEO,
        ...['-map', '0:a:0?', '-c', 'copy'],
        ...['-progress', 'pipe:1', '-f', 'null', '-'],
      ],
      { timeoutMs: this.probeTimeoutMs, maxOutputBytes: MAX_JSON_BYTES, signal },
    );
    // Named out_time_ms, yet it has always been microseconds; the last block is the final one.
    const last = [...stdout.toString('utf8').matchAll(/^out_time_ms=(\d+)$/gm)].at(-1);
    return last ? Number(last[1]) / 1e6 : 0;
  }

  private async decodeFirstFrame(input: string[], codec: string, signal?: AbortSignal): Promise<void> {
    const side = 16;
    const { stdout, stderr } = await this.run(
      [
        ...input,
        ...FIRST_VIDEO,
        ...['-frames:v', '1', '-vf', `scale=${side}:${side},format=gray`],
        ...['-f', 'rawvideo', 'pipe:1'],
      ],
      { timeoutMs: this.probeTimeoutMs, maxOutputBytes: MEGABYTE, signal },
    ).catch((error: unknown) => {
      if (error instanceof ProcessFailedError && error.failure === 'exit')
        return { stdout: Buffer.alloc(0), stderr: error.stderr };
      throw error;
    });
    if (stdout.length >= side * side) return;
    if (/Decoder \(codec .*\) not found|Decoder not found/i.test(stderr)) {
      throw codecNotSupported(codec);
    }
    throw undecodableVideo(new Error(`No frame could be decoded: ${stderr.slice(-500)}`));
  }

  /** Like `run`, for work on an accepted file: a refusal by ffmpeg means that the file is damaged. */
  private async processVideo(args: string[], options: Partial<RunFfmpegOptions>): Promise<RunResult> {
    try {
      return await this.run(args, {
        background: true,
        timeoutMs: this.processingTimeoutMs,
        maxOutputBytes: MEGABYTE,
        ...options,
      });
    } catch (error) {
      const refused = error instanceof ProcessFailedError && error.failure === 'exit';
      throw refused && !/No space left on device/.test(error.stderr) ? undecodableVideo(error) : error;
    }
  }

  private async run(args: string[], options: RunFfmpegOptions): Promise<RunResult> {
    const { binaries, sandbox } = await this.locate();
    const { writableFolder, ...limits } = options;
    const command = [
      binaries.ffmpeg.path,
      '-nostdin',
      '-hide_banner',
      '-v',
      'error',
      '-threads',
      '2',
      ...args,
    ];
    return runProcess(sandbox.wrap(command, writableFolder), { ...limits, name: 'ffmpeg' });
  }

  private locate() {
    this.located ??= Promise.all([locateFfmpeg(this.options), detectSandbox(this.options.sandbox ?? 'auto')])
      .then(([binaries, sandbox]) => ({ binaries, sandbox }))
      .catch((error: unknown) => {
        // Tried again on the next call: an operator may install ffmpeg without a restart.
        this.located = undefined;
        throw error;
      });
    return this.located;
  }
}

interface RunFfmpegOptions {
  timeoutMs: number;
  maxOutputBytes: number;
  signal?: AbortSignal;
  background?: boolean;
  writableFolder?: string;
}
