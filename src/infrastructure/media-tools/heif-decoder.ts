import { crc32, deflateSync } from 'node:zlib';
import { Worker } from 'node:worker_threads';
import type { Sharp } from 'sharp';
import { MediaRejectedError } from './media-tools.types.js';
import { sharp } from './sharp-setup.js';

/** RGBA, 8 bits per channel, row by row without padding; already upright. */
export interface DecodedPixels {
  data: Buffer;
  width: number;
  height: number;
}

type WorkerAnswer =
  | { ok: true; width: number; height: number; data: Uint8ClampedArray }
  | { ok: false; code: 'too-large' | 'undecodable'; message: string };

/** Same suffix as this file: `.js` in a build, `.ts` where Node or Jest runs the sources. */
const WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './heif-decoder.worker.ts' : './heif-decoder.worker.js',
  import.meta.url,
);

/**
 * Decodes the primary picture of a HEIC/HEIF file in a thread of its own.
 * @param options.maxPixels checked against the header before anything is decoded
 * @param options.timeoutMs after this the thread is ended
 * @throws MediaRejectedError `image-too-large` or `corrupt-media`; the signal's reason when aborted
 */
export async function decodeHeif(
  path: string,
  options: { maxPixels: number; timeoutMs: number; signal?: AbortSignal },
): Promise<DecodedPixels> {
  const { signal } = options;
  signal?.throwIfAborted();
  const worker = new Worker(WORKER_URL, {
    workerData: { path, maxPixels: options.maxPixels },
    // Jest and inspector flags of the parent mean nothing to the worker.
    execArgv: ['--no-warnings'],
    stdout: true,
    stderr: true,
  });
  let onAbort: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('The decoder ended without an answer.')));
      timer = setTimeout(() => reject(new Error('The decoder took too long.')), options.timeoutMs);
      onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    if (!answer.ok && answer.code === 'too-large') throw tooLarge(answer.message, options.maxPixels);
    if (!answer.ok) throw new Error(answer.message);
    const { data, width, height } = answer;
    return { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), width, height };
  } catch (error) {
    if (signal?.aborted || error instanceof MediaRejectedError) throw error;
    throw new MediaRejectedError(
      'corrupt-media',
      'The HEIC/HEIF picture is damaged or uses a codec that cannot be read. Export it again, or upload it as JPEG.',
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

/** The rejection for a picture with more pixels than allowed. */
export function tooLarge(size: string, maxPixels: number): MediaRejectedError {
  const megapixels = Math.floor(maxPixels / 1e6);
  return new MediaRejectedError(
    'image-too-large',
    `The picture has ${size} pixels; at most ${megapixels} megapixels are accepted. Scale it down and try again.`,
  );
}

/**
 * Opens decoded pixels with sharp. The file's ICC profile travels inside a PNG around them, so that sharp converts
 * e.g. the Display P3 of phones to sRGB: sharp has no way to say which profile raw pixels are in.
 * @param icc the profile, or undefined when the pixels are sRGB
 */
export async function openPixels(pixels: DecodedPixels, icc: Buffer | undefined): Promise<Sharp> {
  const { data, width, height } = pixels;
  const raw = sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: false });
  if (!icc) return raw;
  const png = await raw.png({ compressionLevel: 0 }).toBuffer();
  // Signature (8 bytes) and IHDR (25 bytes) come first; iCCP has to stand before the first IDAT (PNG, 11.3.2.3).
  const headerEnd = 33;
  const withProfile = Buffer.concat([png.subarray(0, headerEnd), iccpChunk(icc), png.subarray(headerEnd)]);
  return sharp(withProfile, { limitInputPixels: false });
}

function iccpChunk(icc: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from('iCCPicc\0\0', 'latin1'), deflateSync(icc)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}
