import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import { type DetectedType, MediaRejectedError } from './media-tools.types.js';
import { sharp } from './sharp-setup.js';

/** Accepted types. Several names of the detection library may mean one of them (e.g. an animated PNG). */
const ACCEPTED_TYPES: Record<string, DetectedType> = {
  'image/jpeg': { fileType: 'image', mimeType: 'image/jpeg', extension: 'jpg' },
  'image/png': { fileType: 'image', mimeType: 'image/png', extension: 'png' },
  'image/apng': { fileType: 'image', mimeType: 'image/png', extension: 'png' },
  'image/webp': { fileType: 'image', mimeType: 'image/webp', extension: 'webp' },
  'image/gif': { fileType: 'image', mimeType: 'image/gif', extension: 'gif' },
  'image/avif': { fileType: 'image', mimeType: 'image/avif', extension: 'avif' },
  'image/tiff': { fileType: 'image', mimeType: 'image/tiff', extension: 'tif' },
  'image/heic': { fileType: 'image', mimeType: 'image/heic', extension: 'heic' },
  'image/heic-sequence': { fileType: 'image', mimeType: 'image/heic', extension: 'heic' },
  'image/heif': { fileType: 'image', mimeType: 'image/heif', extension: 'heif' },
  'image/heif-sequence': { fileType: 'image', mimeType: 'image/heif', extension: 'heif' },
  'video/mp4': { fileType: 'video', mimeType: 'video/mp4', extension: 'mp4' },
  'video/x-m4v': { fileType: 'video', mimeType: 'video/mp4', extension: 'mp4' },
  'video/quicktime': { fileType: 'video', mimeType: 'video/quicktime', extension: 'mov' },
  'video/webm': { fileType: 'video', mimeType: 'video/webm', extension: 'webm' },
  'video/matroska': { fileType: 'video', mimeType: 'video/matroska', extension: 'mkv' },
  'video/vnd.avi': { fileType: 'video', mimeType: 'video/vnd.avi', extension: 'avi' },
};

/** Every MIME type that `detectFileType` can answer. */
export const SUPPORTED_MIME_TYPES: readonly string[] = [
  ...new Set(Object.values(ACCEPTED_TYPES).map((type) => type.mimeType)),
];

const ACCEPTED_TEXT =
  'Accepted are JPEG, PNG, WebP, GIF, AVIF, TIFF and HEIC/HEIF pictures, and MP4, MOV, WebM, MKV and AVI videos.';

/** Enough to hold a text's beginning and the `ftyp` box of an ISO media file. */
const HEAD_BYTES = 4096;

/**
 * Tells what a file is from its bytes; its name and the client's content type play no part.
 * @param path a file on local disk
 * @throws MediaRejectedError `empty-file`, or `unsupported-media-type` for everything that is not accepted:
 *   SVG, HTML and other text, playlists, unknown bytes, and GIF headers in front of something that is no GIF.
 */
export async function detectFileType(path: string): Promise<DetectedType> {
  const head = await readHead(path);
  if (head.length === 0) {
    throw new MediaRejectedError('empty-file', `The file is empty. ${ACCEPTED_TEXT}`);
  }
  // The library knows GIF by six bytes, so that a script beginning with `GIF89a` would pass for a picture.
  if (isText(head)) throw unsupported('text');

  const found = await fileTypeFromFile(path).catch(() => undefined);
  const accepted = found ? ACCEPTED_TYPES[found.mime] : undefined;
  if (!accepted) throw unsupported(found?.mime);

  if (accepted.mimeType === 'image/heif') return { ...refineHeif(head, accepted) };
  if (accepted.mimeType === 'image/gif' && !(await isReadableGif(path))) throw unsupported('a damaged GIF');
  return { ...accepted };
}

function unsupported(what: string | undefined): MediaRejectedError {
  const detail = what ? `The file looks like ${what}, which is not accepted.` : 'The file type is not known.';
  return new MediaRejectedError('unsupported-media-type', `${detail} ${ACCEPTED_TEXT}`);
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** True for valid UTF-8 without control characters: no accepted format begins with 4 KiB of that. */
function isText(head: Buffer): boolean {
  try {
    // `stream` forgives a character that is cut in two by the end of the head.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    // eslint-disable-next-line no-control-regex -- control characters are what tells binary from text
    return !/[\u0000-\u0008\u000e-\u001f]/.test(text);
  } catch {
    return false;
  }
}

async function isReadableGif(path: string): Promise<boolean> {
  try {
    const { format } = await sharp(path, { limitInputPixels: false }).metadata();
    return format === 'gif';
  } catch {
    return false;
  }
}

/** `mif1` only says "some HEIF"; the compatible brands in the `ftyp` box say which codec (ISO 23008-12, AVIF 1.1). */
function refineHeif(head: Buffer, generic: DetectedType): DetectedType {
  const boxEnd = Math.min(head.readUInt32BE(0), head.length);
  const brands = new Set<string>();
  for (let offset = 16; offset + 4 <= boxEnd; offset += 4)
    brands.add(head.toString('latin1', offset, offset + 4));
  const has = (...names: string[]) => names.some((name) => brands.has(name));
  if (has('avif', 'avis')) return ACCEPTED_TYPES['image/avif'] ?? generic;
  if (has('heic', 'heix', 'hevc', 'hevx')) return ACCEPTED_TYPES['image/heic'] ?? generic;
  return generic;
}
