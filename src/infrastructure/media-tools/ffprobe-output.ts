import { MediaRejectedError, type VideoProbe } from './media-tools.types.js';

/** The part of `ffprobe -of json -show_format -show_streams` that is read here; anything may be missing. */
interface FfprobeStream {
  index: number;
  codec_type?: string;
  codec_name?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  avg_frame_rate?: string;
  r_frame_rate?: string;
  duration?: string;
  disposition?: { attached_pic?: number };
  tags?: Record<string, string>;
  side_data_list?: { rotation?: number }[];
}

interface FfprobeOutput {
  streams?: FfprobeStream[];
  format?: { duration?: string; tags?: Record<string, string> };
}

/** Subtitle codecs that hold text; the others (DVD, Blu-ray) hold pictures. */
const TEXT_SUBTITLE_CODECS = new Set(['subrip', 'srt', 'mov_text', 'webvtt', 'ass', 'ssa', 'text']);

/** What the container says about itself, not about the video. */
const IGNORED_TAGS = new Set(['major_brand', 'minor_version', 'compatible_brands']);
const MAX_TAGS = 30;
const MAX_TAG_LENGTH = 500;

/**
 * Reads ffprobe's JSON.
 * @param json standard output of ffprobe
 * @param mimeType of the detected type
 * @returns the probe; `durationSeconds` is what the container claims, 0 when it claims nothing
 * @throws MediaRejectedError `video-without-streams` when there is no moving picture in the file (cover art does
 *   not count), `corrupt-media` when the answer makes no sense
 */
export function parseFfprobe(json: string, mimeType: string): VideoProbe {
  let output: FfprobeOutput;
  try {
    output = JSON.parse(json) as FfprobeOutput;
  } catch (cause) {
    throw new MediaRejectedError('corrupt-media', 'The video is damaged and cannot be read.', { cause });
  }
  const streams = output.streams ?? [];
  const video = streams.find((stream) => stream.codec_type === 'video' && !stream.disposition?.attached_pic);
  if (!video) {
    throw new MediaRejectedError(
      'video-without-streams',
      'The file holds no moving pictures (it may be sound only). Upload a video with a picture track.',
    );
  }
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  const rotationDegrees = rotation(video);
  const { width, height } = displaySize(video, rotationDegrees);
  if (width < 1 || height < 1) {
    throw new MediaRejectedError('corrupt-media', 'The video is damaged: its picture has no size.');
  }
  return {
    fileType: 'video',
    mimeType,
    width,
    height,
    durationSeconds: seconds(output.format?.duration) ?? seconds(video.duration) ?? 0,
    frameRate: ratio(video.avg_frame_rate) ?? ratio(video.r_frame_rate) ?? null,
    rotationDegrees,
    hasAudio: audio !== undefined,
    videoCodec: video.codec_name ?? 'unknown',
    audioCodec: audio ? (audio.codec_name ?? 'unknown') : null,
    subtitleTracks: streams
      .filter(
        (stream) => stream.codec_type === 'subtitle' && TEXT_SUBTITLE_CODECS.has(stream.codec_name ?? ''),
      )
      .map(({ index, codec_name: codec = '', tags }) => ({
        index,
        codec,
        language: language(tags?.['language']),
      })),
    tags: containerTags(output.format?.tags ?? {}),
  };
}

/** Clockwise degrees that turn the stored picture upright: 0, 90, 180 or 270. */
function rotation(stream: FfprobeStream): number {
  // The display matrix counts counter-clockwise (libavutil/display.h); the tag of older ffprobe builds clockwise.
  const matrix = stream.side_data_list?.find((data) => typeof data.rotation === 'number')?.rotation;
  const clockwise = matrix === undefined ? Number(stream.tags?.['rotate'] ?? 0) : -matrix;
  if (!Number.isFinite(clockwise)) return 0;
  return (((Math.round(clockwise / 90) * 90) % 360) + 360) % 360;
}

/** Size as it is shown: pixels made square, then turned. */
function displaySize(stream: FfprobeStream, rotationDegrees: number): { width: number; height: number } {
  const pixelAspect = ratio(stream.sample_aspect_ratio) ?? 1;
  // Outside of this a header is broken; real anamorphic video has 0.6 to 2.
  const sane = pixelAspect >= 0.1 && pixelAspect <= 10 ? pixelAspect : 1;
  const width = Math.round((stream.width ?? 0) * sane);
  const height = stream.height ?? 0;
  return rotationDegrees % 180 === 0 ? { width, height } : { width: height, height: width };
}

function seconds(value: string | undefined): number | undefined {
  const parsed = Number(value);
  return value !== undefined && Number.isFinite(parsed) && parsed > 0 ? parsed : undefined;
}

/** `30000/1001`, `16:15` or undefined for `0/0` and the like. */
function ratio(value: string | undefined): number | undefined {
  const [numerator = NaN, denominator = NaN] = (value ?? '').split(/[/:]/).map(Number);
  const result = numerator / denominator;
  return Number.isFinite(result) && result > 0 ? result : undefined;
}

function language(tag: string | undefined): string | null {
  return tag && tag !== 'und' && /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(tag) ? tag.toLowerCase() : null;
}

function containerTags(tags: Record<string, string>): Record<string, string> {
  const entries = Object.entries(tags)
    .map(
      ([key, value]) =>
        [plain(key).toLowerCase().slice(0, 60), plain(String(value)).slice(0, MAX_TAG_LENGTH)] as const,
    )
    .filter(([key, value]) => key !== '' && value !== '' && !IGNORED_TAGS.has(key))
    .slice(0, MAX_TAGS)
    .map(([key, value]) => [key, value.toWellFormed()] as const);
  return Object.fromEntries(entries);
}

function plain(value: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what has to go
  return value.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
