import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';
import { locateFfmpeg } from '../ffmpeg-locator.js';
import { sharp } from '../sharp-setup.js';

/** Makes the pictures and videos that the specs of this folder look at. */

export const CORNER_COLOURS = {
  topLeft: 'red',
  topRight: 'green',
  bottomLeft: 'blue',
  bottomRight: 'yellow',
};

const RGB: Record<string, [number, number, number]> = {
  red: [255, 0, 0],
  green: [0, 255, 0],
  blue: [0, 0, 255],
  yellow: [255, 255, 0],
  white: [255, 255, 255],
  black: [0, 0, 0],
};

type FourColours = readonly [topLeft: string, topRight: string, bottomLeft: string, bottomRight: string];

/** A PNG of four quarters, by default red and green above, blue and yellow below. Sizes are even. */
export async function quarters(
  width: number,
  height: number,
  colours: FourColours = ['red', 'green', 'blue', 'yellow'],
): Promise<Buffer> {
  const tile = (colour: string) => ({
    create: { width: width / 2, height: height / 2, channels: 3 as const, background: rgbText(colour) },
  });
  const [topLeft, topRight, bottomLeft, bottomRight] = colours;
  return sharp(tile(topLeft))
    .resize(width, height)
    .composite([
      { input: tile(topRight), left: width / 2, top: 0 },
      { input: tile(bottomLeft), left: 0, top: height / 2 },
      { input: tile(bottomRight), left: width / 2, top: height / 2 },
    ])
    .png()
    .toBuffer();
}

function rgbText(name: string): string {
  return `rgb(${(RGB[name] as number[]).join(',')})`;
}

/** Names of the colours in the middle of each quarter, as far as they are close to a pure one. */
export async function cornerColours(picture: string | Buffer): Promise<typeof CORNER_COLOURS> {
  const { data, info } = await sharp(picture).flatten().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => {
    const offset = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels;
    return nameOf([...data.subarray(offset, offset + 3)]);
  };
  return {
    topLeft: at(0.25, 0.25),
    topRight: at(0.75, 0.25),
    bottomLeft: at(0.25, 0.75),
    bottomRight: at(0.75, 0.75),
  };
}

function nameOf(pixel: number[]): string {
  const distance = (rgb: number[]) =>
    Math.max(...rgb.map((value, index) => Math.abs(value - (pixel[index] as number))));
  return Object.entries(RGB).find(([, rgb]) => distance(rgb) < 60)?.[0] ?? `rgb(${pixel.join(',')})`;
}

/** A PNG of one-bit pixels, all black, of any size: its header promises what a decoder would have to hold. */
export function blackPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** A GIF of 4 x 4 pixels with any number of frames. */
export function manyFramesGif(frames: number): Buffer {
  const header = Buffer.from([...Buffer.from('GIF89a'), 4, 0, 4, 0, 0x80, 0, 0, 255, 0, 0, 0, 255, 0]);
  const control = [0x21, 0xf9, 4, 0, 10, 0, 0, 0];
  const image = [0x2c, 0, 0, 0, 0, 4, 0, 4, 0, 0, 2, 4, 0x84, 0x8f, 0x09, 0x05, 0];
  const frame = Buffer.from([...control, ...image]);
  return Buffer.concat([header, ...Array.from({ length: frames }, () => frame), Buffer.from([0x3b])]);
}

/** Runs the installed ffmpeg to make a file; the arguments end with its path. */
export async function makeVideo(...args: string[]): Promise<void> {
  const { ffmpeg } = await locateFfmpeg({});
  await promisify(execFile)(ffmpeg.path, ['-nostdin', '-v', 'error', '-y', ...args]);
}
