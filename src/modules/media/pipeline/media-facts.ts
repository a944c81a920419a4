import { cleanLine } from '../../../infrastructure/ai/clean-text.js';
import type { MediaProbe } from '../../../infrastructure/media-tools/media-tools.types.js';
import { cleanJsonObject, type JsonObject } from './clean-json.js';
import { roundSeconds } from './media-times.js';

/** The columns of media_files that a probe fills. */
export interface ProbeColumns {
  width: number;
  height: number;
  durationSeconds: number | null;
  frameRate: number | null;
  hasAudio: boolean;
  /** EXIF orientation 1..8 as stored in a picture; null for videos, whose rotation is in `exif`. */
  orientation: number | null;
  takenAt: Date | null;
  /** EXIF of a picture; codecs, rotation, subtitle tracks and container tags of a video. */
  exif: JsonObject;
}

/** What a probe says, in the columns of media_files. */
export function probeColumns(probe: MediaProbe): ProbeColumns {
  if (probe.fileType === 'image') {
    return {
      width: probe.width,
      height: probe.height,
      durationSeconds: null,
      frameRate: null,
      hasAudio: false,
      orientation: probe.orientation,
      takenAt: parseTakenAt(probe.exif.takenAt),
      exif: cleanJsonObject({ ...probe.exif }),
    };
  }
  const { videoCodec, audioCodec, rotationDegrees, subtitleTracks, tags } = probe;
  return {
    width: probe.width,
    height: probe.height,
    durationSeconds: roundSeconds(probe.durationSeconds),
    frameRate: storableFrameRate(probe.frameRate),
    hasAudio: probe.hasAudio,
    orientation: null,
    takenAt: parseCreationTime(tags['creation_time']),
    exif: cleanJsonObject({ videoCodec, audioCodec, rotationDegrees, subtitleTracks, tags }),
  };
}

/** numeric(6,3) holds less than 1,000; containers without a constant rate claim their clock's, such as 90,000. */
function storableFrameRate(frameRate: number | null): number | null {
  return frameRate !== null && frameRate >= 0.001 && frameRate < 999.999
    ? Math.round(frameRate * 1000) / 1000
    : null;
}

/**
 * Most cameras store the time on their clock without a zone; it is taken as UTC, so that sorting and filters keep what
 * the clock showed. Null for no date, an impossible one, or one before the first photograph (1826).
 */
export function parseTakenAt(text: string | undefined): Date | null {
  if (!text) return null;
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(text);
  const hasTime = /T\d/.test(text);
  const date = new Date(hasZone || !hasTime ? text : `${text}Z`);
  const year = date.getUTCFullYear();
  return Number.isNaN(year) || year < 1826 || year > 9999 ? null : date;
}

/** 0 in MP4's clock is 1904 and in Matroska's and Unix's 2001 or 1970: the first and the last mean a clock never set. */
function parseCreationTime(text: string | undefined): Date | null {
  const date = parseTakenAt(text);
  return date && date.getTime() > 0 ? date : null;
}

/**
 * Short facts for the text analyser, from what media_probe stored: `Canon EOS 40D`, `taken 2008-05-30`, ...
 * @param exif media_files.exif
 */
export function factsOf(media: { exif: unknown; takenAt: Date | null; originalFilename: string }): string[] {
  const exif = (typeof media.exif === 'object' && media.exif !== null ? media.exif : {}) as Record<
    string,
    unknown
  >;
  const text = (key: string): string => cleanLine(exif[key], 200);
  const make = text('cameraMake');
  const model = text('cameraModel');
  const tags = (typeof exif['tags'] === 'object' && exif['tags'] !== null ? exif['tags'] : {}) as Record<
    string,
    unknown
  >;
  const facts = [
    // Most makers repeat their name in the model's.
    model.toLowerCase().startsWith(make.toLowerCase().split(' ')[0] ?? '') ? model : `${make} ${model}`,
    text('lensModel'),
    media.takenAt ? `taken ${media.takenAt.toISOString().slice(0, 10)}` : '',
    text('description'),
    text('artist') && `by ${text('artist')}`,
    cleanLine(tags['title'], 200),
    cleanLine(tags['comment'] ?? tags['description'], 200),
    `file name ${cleanLine(media.originalFilename, 255)}`,
  ];
  return [...new Set(facts.map((fact) => fact.trim()).filter((fact) => fact !== ''))];
}
