import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request } from 'express';
import busboy, { type FileInfo } from 'busboy';
import { v7 as uuidv7 } from 'uuid';
import { AppError, errors } from '../../../infrastructure/errors/app-error.js';
import type { RequestWithPrincipal } from '../../../infrastructure/http/principal.js';
import { MAX_CATEGORIES, MAX_TAGS } from '../text-rules.js';

/** A file of the form, lying in the staging folder under a name that the server made. */
export interface StagedFile {
  path: string;
  /** As the client sent it: data, never to be used as a path. */
  originalFilename: string;
  sizeBytes: number;
  /** Hexadecimal SHA-256 of the bytes. */
  sha256: string;
}

export interface ReceivedForm {
  file: StagedFile;
  /** An optional .srt or .vtt file for a video. */
  subtitles: StagedFile | null;
  /** Text fields in the order they came. */
  fields: [name: string, value: string][];
}

export interface ReceiveOptions {
  stagingDir: string;
  /** Null = no limit. */
  maxFileSizeBytes: number | null;
  /** Given up (408) after this long without a byte. Default 60 s. */
  stallTimeoutMs?: number;
}

/** Subtitles of a two-hour film are about 150 KB. */
export const MAX_SUBTITLES_BYTES = 2 * 1024 * 1024;
/** What a form adds to its files: boundaries, part headers and text fields at their largest. */
const FORM_OVERHEAD_BYTES = 256 * 1024;
const MAX_FIELD_BYTES = 64 * 1024;
const DEFAULT_STALL_TIMEOUT_MS = 60_000;

/**
 * Streams a multipart form to disk: one part `file`, optionally one part `subtitles`, and text fields. Nothing is held
 * in memory but the text fields. On failure every file of the form is removed by `discard` of the caller: `staged`
 * is filled as files are begun. A form that came with an Idempotency-Key is compared with what the key stands for.
 *
 * @param staged receives the path of each file before its first byte is written
 * @throws AppError 415 not a multipart form; 400 broken form, wrong parts, connection cut; 413 file too large;
 *   408 stalled; 507 disk full; what FormIdempotency.confirm throws
 */
export async function receiveForm(
  request: Request,
  options: ReceiveOptions,
  staged: string[],
): Promise<ReceivedForm> {
  refuseByDeclaredLength(request, options.maxFileSizeBytes);
  const parser = createParser(request);
  const fields: [string, string][] = [];
  const files = new Map<string, Promise<StagedFile>>();

  await new Promise<void>((resolve, reject) => {
    let settled = false;
    const stallTimeoutMs = options.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS;
    const stallTimer = setTimeout(() => fail(stalled(stallTimeoutMs)), stallTimeoutMs);
    const onData = (): void => void stallTimer.refresh();
    const onClose = (): void => {
      if (!request.complete)
        fail(errors.badRequest('request-aborted', 'The connection closed before the body was complete.'));
    };
    const finish = (settle: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(stallTimer);
      request.off('data', onData);
      request.off('close', onClose);
      settle();
    };
    const fail = (error: unknown): void =>
      finish(() => {
        request.unpipe(parser);
        request.pause();
        // Ends the streams of parts that are being written, so that their files are closed.
        parser.destroy();
        void Promise.allSettled(files.values()).then(() => reject(error as Error));
      });

    parser.on('field', (name: string, value: string, info) => {
      if (name === 'file' || name === 'subtitles') {
        return fail(wrongParts(`/${name}`, 'must be a file: send it with a file name'));
      }
      if (info.nameTruncated || info.valueTruncated) {
        return fail(wrongParts('/', `a text field may hold ${MAX_FIELD_BYTES} bytes at most`));
      }
      fields.push([name, value]);
    });
    parser.on('file', (name: string, stream: Readable, info: FileInfo) => {
      // A stream without a reader would stall the form; an error on one without a listener would end the process.
      stream.on('error', () => undefined);
      if (settled) return void stream.resume();
      const fault = faultOfFilePart(name, files, info.filename);
      if (fault) {
        stream.resume();
        return fail(fault);
      }
      const limit = name === 'file' ? options.maxFileSizeBytes : MAX_SUBTITLES_BYTES;
      const target = path.join(options.stagingDir, uuidv7());
      staged.push(target);
      const written = stageFile(stream, info, target, limit);
      files.set(name, written);
      written.catch(fail);
    });
    for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      parser.on(event, () => fail(wrongParts('/', 'the form has too many parts')));
    }
    parser.on('error', (error) =>
      fail(
        errors.badRequest(
          'malformed-multipart',
          `The multipart form cannot be read: ${(error as Error).message}.`,
        ),
      ),
    );
    parser.on('close', () => {
      Promise.all(files.values()).then(() => finish(resolve), fail);
    });
    request.on('data', onData);
    request.on('close', onClose);
    request.pipe(parser);
  });

  const file = await files.get('file');
  if (!file) throw wrongParts('/file', 'must be sent: the file to upload');
  const form = { file, subtitles: (await files.get('subtitles')) ?? null, fields };
  await (request as RequestWithPrincipal).formIdempotency?.confirm(contentOf(form));
  return form;
}

/** Equal for forms that ask for the same, whatever their boundaries. */
function contentOf({ file, subtitles, fields }: ReceivedForm): string {
  const identity = (staged: StagedFile | null) => staged && [staged.originalFilename, staged.sha256];
  return JSON.stringify([identity(file), identity(subtitles), fields]);
}

/** A body that announces itself as larger than the plan allows is refused before a byte of it is read. */
function refuseByDeclaredLength(request: Request, maxFileSizeBytes: number | null): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (maxFileSizeBytes !== null && declared > maxFileSizeBytes + MAX_SUBTITLES_BYTES + FORM_OVERHEAD_BYTES) {
    throw tooLarge(maxFileSizeBytes);
  }
}

function createParser(request: Request): busboy.Busboy {
  if (!/^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '')) {
    throw new AppError(
      415,
      'unsupported-media-type',
      'Content type not accepted',
      'Send the file as multipart/form-data, in a part named "file".',
    );
  }
  try {
    return busboy({
      headers: request.headers,
      // Browsers and curl send file names as plain UTF-8.
      defParamCharset: 'utf8',
      // As it was sent: a path is refused, not quietly turned into a name.
      preservePath: true,
      limits: {
        fieldNameSize: 100,
        fieldSize: MAX_FIELD_BYTES,
        fields: MAX_TAGS + MAX_CATEGORIES + 20,
        files: 2 + 1,
        parts: MAX_TAGS + MAX_CATEGORIES + 25,
        headerPairs: 20,
      },
    });
  } catch (error) {
    throw errors.badRequest(
      'malformed-multipart',
      `The multipart form cannot be read: ${(error as Error).message}.`,
    );
  }
}

function faultOfFilePart(
  name: string,
  files: ReadonlyMap<string, unknown>,
  filename: string | undefined,
): AppError | null {
  if (name !== 'file' && name !== 'subtitles') {
    return wrongParts('/file', 'files are accepted in the parts "file" and "subtitles" only');
  }
  if (files.has(name)) return wrongParts(`/${name}`, 'must be sent once: one file per upload');
  return /[/\\]/.test(filename ?? '')
    ? wrongParts(`/${name}`, 'must have a plain file name, without folders: "photo.jpg"')
    : null;
}

/** Writes one part to disk while hashing and counting; stops with the first byte above the limit. */
async function stageFile(
  stream: Readable,
  info: FileInfo,
  target: string,
  limit: number | null,
): Promise<StagedFile> {
  const meter = new Meter(limit);
  try {
    await pipeline(stream, meter, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw errors.insufficientStorage(error);
    throw error;
  }
  return {
    path: target,
    originalFilename: info.filename ?? '',
    sizeBytes: meter.sizeBytes,
    sha256: meter.digest(),
  };
}

class Meter extends Transform {
  sizeBytes = 0;
  private readonly hash = createHash('sha256');

  constructor(private readonly limit: number | null) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.sizeBytes += chunk.length;
    if (this.limit !== null && this.sizeBytes > this.limit) return done(tooLarge(this.limit));
    this.hash.update(chunk);
    done(null, chunk);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}

function tooLarge(limit: number): AppError {
  return errors.payloadTooLarge(`The file is larger than the ${limit} bytes that are allowed here.`);
}

function wrongParts(pointer: string, detail: string): AppError {
  return errors.validation([{ pointer, detail: pointer === '/' ? detail : `${pointer.slice(1)} ${detail}` }]);
}

function stalled(milliseconds: number): AppError {
  return new AppError(
    408,
    'request-timeout',
    'Request timed out',
    `Nothing of the body arrived for ${Math.round(milliseconds / 1000)} s. Send the file again.`,
    { headers: { Connection: 'close' } },
  );
}
