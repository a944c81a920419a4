import readExif from 'exif-reader';
import type { ExifSummary } from './media-tools.types.js';

/** Longest string kept of one field; captions of real agencies stay below. */
const MAX_TEXT_LENGTH = 1000;

/** Bytes of one value by EXIF type 1..10 (EXIF 2.32, 4.6.2: byte, ascii, short, long, rational, ...). */
const VALUE_BYTES = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8];
/** Room for the largest profiles and edit histories that are stored as tags. */
const MAX_CLAIMED_BYTES = 8 * 1024 * 1024;
const SUB_IFD_TAGS = new Set([0x8769, 0x8825, 0xa005]);

/** exif-reader gives this for `0000:00:00 00:00:00`, which cameras write when their clock was never set. */
const UNSET_CLOCK = Date.UTC(0, -1, 0);

/**
 * Picks the fields worth keeping out of an EXIF block, as plain JSON values: strings without control characters
 * and capped, numbers finite, the position in decimal degrees (WGS 84), altitude in metres above sea level.
 * @param block the EXIF block, with or without its `Exif\0\0` prefix, or the beginning of a TIFF file
 * @returns an empty object when there is no block or nothing can be read; never throws
 */
export function summariseExif(block: Buffer | undefined): ExifSummary {
  if (!block || !hasHonestSizes(block)) return {};
  try {
    const { Image: image, Photo: photo, GPSInfo: gps } = readExif(block);
    const summary: ExifSummary = {
      takenAt: isoTime(
        photo?.DateTimeOriginal ?? photo?.DateTimeDigitized ?? image?.DateTime,
        photo?.OffsetTimeOriginal ?? photo?.OffsetTimeDigitized ?? photo?.OffsetTime,
      ),
      cameraMake: text(image?.Make),
      cameraModel: text(image?.Model),
      lensModel: text(photo?.LensModel),
      software: text(image?.Software),
      exposureTimeSeconds: positive(photo?.ExposureTime),
      fNumber: positive(photo?.FNumber),
      iso: positive(first(photo?.ISOSpeedRatings)),
      focalLengthMm: positive(photo?.FocalLength),
      latitude: degrees(gps?.GPSLatitude, gps?.GPSLatitudeRef, 'S', 90),
      longitude: degrees(gps?.GPSLongitude, gps?.GPSLongitudeRef, 'W', 180),
      altitudeMetres: altitude(gps?.GPSAltitude, gps?.GPSAltitudeRef),
      description: text(image?.ImageDescription) ?? userComment(photo?.UserComment),
      artist: text(image?.Artist),
      copyright: text(image?.Copyright),
    };
    // A position needs both halves.
    if (summary.latitude === undefined || summary.longitude === undefined) {
      delete summary.latitude;
      delete summary.longitude;
    }
    return Object.fromEntries(Object.entries(summary).filter(([, value]) => value !== undefined));
  } catch {
    return {};
  }
}

/**
 * False when the values of a block would need much more room than the block has. exif-reader believes each
 * entry's count, so that entries which all point at the same bytes make 64 KiB grow into gigabytes of arrays.
 */
function hasHonestSizes(block: Buffer): boolean {
  const base = block.toString('latin1', 0, 4) === 'Exif' ? 6 : 0;
  const littleEndian = block.toString('latin1', base, base + 2) === 'II';
  const u16 = (at: number) => (littleEndian ? block.readUInt16LE(at) : block.readUInt16BE(at));
  const u32 = (at: number) => (littleEndian ? block.readUInt32LE(at) : block.readUInt32BE(at));
  let claimed = 0;
  try {
    const firstIfd = base + u32(base + 4);
    const pending = [firstIfd];
    const nextAt = firstIfd + 2 + u16(firstIfd) * 12;
    if (nextAt + 4 <= block.length && u32(nextAt) !== 0) pending.push(base + u32(nextAt));
    // exif-reader follows five directories at most; a few more entries of the list cannot hurt.
    for (let visited = 0; visited < pending.length && visited < 8; visited += 1) {
      const ifd = pending[visited] as number;
      if (ifd + 2 > block.length) continue;
      for (let index = 0, entries = u16(ifd); index < entries; index += 1) {
        const at = ifd + 2 + index * 12;
        if (at + 12 > block.length) break;
        const count = u32(at + 4);
        claimed += count * (VALUE_BYTES[u16(at + 2) - 1] ?? 0);
        if (SUB_IFD_TAGS.has(u16(at))) pending.push(base + u32(at + 8));
      }
    }
  } catch {
    return false;
  }
  // Honest blocks claim each byte once; the slack is for broken counts of real cameras.
  return claimed <= Math.min(4 * block.length + 65_536, MAX_CLAIMED_BYTES);
}

/** A camera's string: some write UTF-8 although EXIF says ASCII, some older ones Latin-1. */
function text(value: unknown): string | undefined {
  const raw = Buffer.isBuffer(value) ? decodeBytes(value) : value;
  if (typeof raw !== 'string') return undefined;
  const clean = raw
    .slice(0, MAX_TEXT_LENGTH * 4)
    // eslint-disable-next-line no-control-regex -- control characters are what has to go
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT_LENGTH)
    .toWellFormed();
  return clean === '' ? undefined : clean;
}

function decodeBytes(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  const content = end < 0 ? bytes : bytes.subarray(0, end);
  try {
    // `stream` forgives a last character that the field's length cut in two.
    return new TextDecoder('utf-8', { fatal: true }).decode(content, { stream: true });
  } catch {
    return content.toString('latin1');
  }
}

/** UserComment begins with eight bytes that name its character code (EXIF 2.32, 4.6.5). */
function userComment(value: unknown): string | undefined {
  if (!Buffer.isBuffer(value) || value.length <= 8) return undefined;
  const code = value.toString('latin1', 0, 8).replaceAll('\0', '');
  const body = value.subarray(8);
  if (code === 'ASCII' || code === '') return text(body);
  if (code !== 'UNICODE') return undefined;
  // The byte order is not stated; ASCII letters have their zero byte first in big endian.
  const bigEndian = body.length > 1 && body[0] === 0;
  return text(new TextDecoder(bigEndian ? 'utf-16be' : 'utf-16le').decode(body));
}

function isoTime(value: unknown, offset: unknown): string | undefined {
  if (!(value instanceof Date) || Number.isNaN(value.getTime()) || value.getTime() === UNSET_CLOCK) {
    return undefined;
  }
  const year = value.getUTCFullYear();
  if (year < 1000 || year > 9999) return undefined;
  const local = value.toISOString().slice(0, 19);
  return typeof offset === 'string' && /^[+-]\d{2}:\d{2}$/.test(offset) ? local + offset : local;
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Degrees, minutes and seconds to decimal degrees; `negativeReference` is the hemisphere that counts below zero. */
function degrees(
  value: unknown,
  reference: unknown,
  negativeReference: string,
  limit: number,
): number | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const [whole, minutes = 0, seconds = 0] = value as unknown[];
  // Cameras without a fix write 0/0, which is NaN.
  if (![whole, minutes, seconds].every((part) => typeof part === 'number' && Number.isFinite(part)))
    return undefined;
  const magnitude = Number(whole) + Number(minutes) / 60 + Number(seconds) / 3600;
  if (magnitude < 0 || magnitude > limit) return undefined;
  const signed = text(reference)?.toUpperCase() === negativeReference ? -magnitude : magnitude;
  // Seven decimals are about one centimetre.
  return Math.round(signed * 1e7) / 1e7;
}

/** GPSAltitudeRef 1 means below sea level; it arrives as a number or as a one-byte buffer. */
function altitude(value: unknown, reference: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const below = first(Buffer.isBuffer(reference) ? [...reference] : reference) === 1;
  return Math.round((below ? -value : value) * 100) / 100;
}
