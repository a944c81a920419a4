import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { AppError } from '../../../infrastructure/errors/app-error.js';
import type { ByteRange } from '../../../infrastructure/storage/object-storage.js';

/** A stored file on its way to a browser. */
export interface OutgoingFile {
  sizeBytes: number;
  mimeType: string;
  /** Quoted, strong. */
  etag: string;
  lastModified: Date;
  /** The name that a download gets; any text. */
  filename: string;
  disposition: 'attachment' | 'inline';
  /** Opens the bytes, whole or one range. Not called when there is nothing to send. */
  open(range?: ByteRange): Promise<Readable>;
}

/** Lets a browser's own viewer show a picture or a video, and nothing else. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox";

/**
 * Sends a file as RFC 9110 has it: validators, one byte range (206, or 416 with the size), If-Range, HEAD. Several
 * ranges at once and ranges that cannot be read are answered with the whole file, which the RFC allows.
 *
 * The bytes are somebody's upload, so nothing in them may run: the type comes from the content check and is not to be
 * guessed at, and the sandbox keeps even a file that some browser takes for a page from doing anything (threat C13).
 * @throws AppError 416; ObjectNotFoundError and StorageUnavailableError of `open`
 */
export async function sendFile(request: Request, response: Response, file: OutgoingFile): Promise<void> {
  let body: Readable | null;
  try {
    body = await prepare(request, response, file);
  } catch (error) {
    // The answer will be a problem document, and no part of the file.
    for (const name of FILE_HEADERS) response.removeHeader(name);
    throw error;
  }
  if (!body) {
    response.end();
    return;
  }
  // A reader who goes away is no failure; the stream is closed in any case.
  await pipeline(body, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

const FILE_HEADERS = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'Content-Type',
  'ETag',
  'Last-Modified',
] as const;

/** Writes status and headers and opens what is to be sent; null when that is nothing. */
async function prepare(request: Request, response: Response, file: OutgoingFile): Promise<Readable | null> {
  // Express writes the RFC 6266 header with RFC 5987 names, and guesses a type that is put right below.
  response.attachment(file.filename);
  if (file.disposition === 'inline') {
    const header = String(response.getHeader('Content-Disposition'));
    response.setHeader('Content-Disposition', header.replace(/^attachment/, 'inline'));
  }
  response.setHeader('Content-Type', file.mimeType);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  response.setHeader('Cache-Control', 'private, no-cache');
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('ETag', file.etag);
  response.setHeader('Last-Modified', file.lastModified.toUTCString());
  // Compares If-None-Match and If-Modified-Since with the two headers above.
  if (request.fresh) {
    response.removeHeader('Content-Type');
    response.removeHeader('Content-Disposition');
    response.status(304);
    return null;
  }
  const range = rangeOf(request, file);
  if (range) {
    response.status(206);
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${file.sizeBytes}`);
  }
  response.setHeader('Content-Length', range ? range.end - range.start + 1 : file.sizeBytes);
  return request.method === 'HEAD' ? null : file.open(range ?? undefined);
}

/** The one range to send, or null for the whole file. */
function rangeOf(request: Request, file: OutgoingFile): ByteRange | null {
  if (request.headers.range === undefined || !rangeIsCurrent(request, file)) return null;
  // RFC 9110, 14.1.2: more than the file has means all of it; the parser takes it for unsatisfiable.
  const suffix = /^bytes=-(\d+)$/.exec(request.headers.range)?.[1];
  if (suffix !== undefined && Number(suffix) >= file.sizeBytes) return { start: 0, end: file.sizeBytes - 1 };
  const ranges = request.range(file.sizeBytes);
  if (ranges === -1) {
    throw new AppError(
      416,
      'range-not-satisfiable',
      'Range not satisfiable',
      `The file has ${file.sizeBytes} bytes; the range lies outside of them.`,
      { headers: { 'Content-Range': `bytes */${file.sizeBytes}` } },
    );
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  const [range] = ranges;
  return range ? { start: range.start, end: range.end } : null;
}

/** RFC 9110, 13.1.5: a range of another version of the file is of no use, so the whole file is sent instead. */
function rangeIsCurrent(request: Request, file: OutgoingFile): boolean {
  const condition = request.headers['if-range'];
  if (typeof condition !== 'string') return true;
  if (condition.includes('"')) return condition === file.etag;
  return Date.parse(condition) === Math.floor(file.lastModified.getTime() / 1000) * 1000;
}
