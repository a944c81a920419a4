import { resolve } from 'node:path';
import { undecodableVideo } from './video-errors.js';

/** The only demuxer a file may be opened with: otherwise a disguised playlist could make ffmpeg open other files. */
const DEMUXER_OF_TYPE: Record<string, string> = {
  'video/mp4': 'mov',
  'video/quicktime': 'mov',
  'video/webm': 'matroska',
  'video/matroska': 'matroska',
  'video/vnd.avi': 'avi',
};

/** 8192 x 8192: twice an 8K frame, and 100 MB for one decoded frame (4:2:0, 8 bits). */
export const MAX_FRAME_PIXELS = 67_108_864;

/**
 * Arguments that open one untrusted file: no protocol but local files, one demuxer, a bound on the frame size.
 * @param mimeType of the detected type
 * @param maxPixels frames above it are not decoded
 * @throws MediaRejectedError when the type is no video
 */
export function inputArguments(path: string, mimeType: string, maxPixels = MAX_FRAME_PIXELS): string[] {
  const demuxer = DEMUXER_OF_TYPE[mimeType];
  if (!demuxer) throw undecodableVideo(new Error(`There is no demuxer for ${mimeType}.`));
  return [
    ...['-protocol_whitelist', 'file,pipe'],
    ...['-max_pixels', String(maxPixels)],
    ...['-f', demuxer],
    ...['-i', fileUrl(path)],
  ];
}

/** A path that ffmpeg cannot take for an option or another protocol (`-x.mp4`, `concat:...`). */
export function fileUrl(path: string): string {
  return `file:${resolve(path)}`;
}

/** The first stream of moving pictures; capital V leaves cover art out. */
export const FIRST_VIDEO = ['-map', '0:V:0'];

/** Scales to square pixels and full-range BT.601, which is how JPEG is read. */
export function jpegScale({ width, height }: { width: number; height: number }): string {
  return `scale=${width}:${height}:out_range=full:out_color_matrix=bt601,setsar=1`;
}

/**
 * Filters that pass a frame on at the beginning, at cuts and at regular distances, and print its time.
 * @param spacing.gapSeconds least distance between two cuts
 * @param spacing.regularSeconds a frame is taken after this even when nothing changes
 */
export function keyframeFilters(
  size: { width: number; height: number },
  spacing: { gapSeconds: number; regularSeconds: number; sceneThreshold: number },
): string {
  const { gapSeconds, regularSeconds, sceneThreshold } = spacing;
  // Register 0 keeps the time of the last cut; a regular frame shortly before a cut must not hide it.
  const isCut = `if(gt(scene\\,${sceneThreshold})*gte(t-ld(0)\\,${gapSeconds})\\,st(0\\,t)+1)`;
  const isDue = `gte(t-prev_selected_t\\,${regularSeconds})`;
  return [
    // ffmpeg has turned the picture upright by now; scaling first makes the scene score cheap.
    jpegScale(size),
    `select=isnan(prev_selected_t)+${isCut}+${isDue}`,
    // Microseconds, printed as whole numbers: `pts_time` has six digits only.
    'settb=AVTB',
    'metadata=print:file=-',
    // The image writer wants a constant rate; numbering the frames makes it write each one exactly once.
    `setpts=N/${IMAGE_SEQUENCE_RATE}/TB`,
    'format=yuvj420p',
  ].join(',');
}

export const IMAGE_SEQUENCE_RATE = 25;

/** Largest size with the same shape whose longer side is at most `maxSide`; never larger, never below 1. */
export function fitInside(
  { width, height }: { width: number; height: number },
  maxSide: number,
): { width: number; height: number } {
  const factor = Math.min(1, maxSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
