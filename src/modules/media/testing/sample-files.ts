import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { makeVideo } from '../../../infrastructure/media-tools/testing/make-media.js';

/** Files that the specs of this module upload. */

let made = 0;

/** A JPEG of 64 x 48 pixels; each call gives other bytes. */
export async function picture(format: 'jpeg' | 'png' | 'webp' = 'jpeg'): Promise<Buffer> {
  made += 1;
  const background = { r: made & 255, g: (made >> 8) & 255, b: (process.pid + Date.now()) & 255 };
  const image = sharp({ create: { width: 64, height: 48, channels: 3, background } });
  // The counter makes the bytes differ where rounding would make two colours the same.
  const described = image.withExif({
    IFD0: { ImageDescription: `sample ${made} ${Date.now()} ${Math.random()}` },
  });
  return described.toFormat(format).toBuffer();
}

let madeVideo: Promise<Buffer> | undefined;

/** A video of one second, 64 x 48 pixels, without sound; the same bytes each time. */
export function video(): Promise<Buffer> {
  return (madeVideo ??= fromFfmpeg(
    'sample.mp4',
    '-f',
    'lavfi',
    '-i',
    'testsrc=size=64x48:rate=10:duration=1',
    '-pix_fmt',
    'yuv420p',
  ));
}

/** An MP4 file that holds sound only. */
export async function soundInMp4(): Promise<Buffer> {
  return fromFfmpeg('sound.mp4', '-f', 'lavfi', '-i', 'sine=duration=1', '-brand', 'isom');
}

async function fromFfmpeg(name: string, ...args: string[]): Promise<Buffer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sample-'));
  try {
    await makeVideo(...args, path.join(folder, name));
    return await readFile(path.join(folder, name));
  } finally {
    await rm(folder, { recursive: true });
  }
}
