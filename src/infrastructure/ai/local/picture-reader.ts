import { fileTypeFromFile } from 'file-type';
import type { Sharp } from 'sharp';
import { sharp } from '../../media-tools/sharp-setup.js';
import { providerError } from '../provider-errors.js';

/** The formats that the analysers read; everything else is turned into one of them before. SVG never is. */
const READABLE = new Set(['image/jpeg', 'image/png', 'image/webp']);
/** A decoder must not be made to fill the memory: as many pixels as the largest cameras have. */
const MAX_PIXELS = 200_000_000;

/** The small copies of one picture that the analysis works on. */
export interface PictureSamples {
  /** Of the upright picture. */
  width: number;
  height: number;
  /** sRGB triples of a copy within 128 x 128; what is transparent is white. */
  colors: Uint8Array;
  /** Grey copy within 512 x 512, row by row. */
  gray: { pixels: Uint8Array; width: number; height: number };
  /** Grey 9 x 8 copy without regard to the proportions, for the perceptual hash. */
  hashPixels: Uint8Array;
}

/**
 * Opens a picture for decoding, upright and without transparency.
 * @throws ProviderError `provider-bad-input` when the content is none of the readable formats
 */
export async function openPicture(path: string): Promise<Sharp> {
  const type = await fileTypeFromFile(path).catch((error: unknown) => {
    throw unreadablePicture(error);
  });
  if (type === undefined || !READABLE.has(type.mime)) {
    throw unreadablePicture(new Error(`the content is ${type?.mime ?? 'of no known type'}`));
  }
  return sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
    .autoOrient()
    .flatten({ background: 'white' });
}

/** @throws ProviderError `provider-bad-input` when the picture cannot be decoded */
export async function readPictureSamples(path: string): Promise<PictureSamples> {
  const picture = await openPicture(path);
  try {
    // One decode at full size, then everything from a copy of at most 1024: decoding is what takes long.
    const { data, info } = await picture
      .toColourspace('srgb')
      .resize(1024, 1024, { fit: 'inside', withoutEnlargement: true })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const copy = () =>
      sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } }).toColourspace(
        'srgb',
      );
    const size = await originalSize(path);
    const [colors, gray, hashPixels] = await Promise.all([
      copy().resize(128, 128, { fit: 'inside', withoutEnlargement: true }).raw().toBuffer(),
      copy()
        .resize(512, 512, { fit: 'inside', withoutEnlargement: true })
        .toColourspace('b-w')
        .raw()
        .toBuffer({ resolveWithObject: true }),
      copy().resize(9, 8, { fit: 'fill' }).toColourspace('b-w').raw().toBuffer(),
    ]);
    return {
      ...size,
      colors,
      gray: { pixels: gray.data, width: gray.info.width, height: gray.info.height },
      hashPixels,
    };
  } catch (error) {
    throw unreadablePicture(error);
  }
}

/**
 * Difference hash (Neal Krawetz, 2013): one bit per pixel of an 8 x 8 grid, set when the left pixel is darker than its
 * right neighbour. Similar pictures differ in few bits (up to about 10 of 64).
 * @param pixels 9 columns x 8 rows of grey
 * @returns 16 hex digits, rows from the top, left bit first
 */
export function differenceHash(pixels: Uint8Array): string {
  let hash = 0n;
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      const index = row * 9 + column;
      hash = (hash << 1n) | (pixels[index]! < pixels[index + 1]! ? 1n : 0n);
    }
  }
  return hash.toString(16).padStart(16, '0');
}

async function originalSize(path: string): Promise<{ width: number; height: number }> {
  const { autoOrient } = await sharp(path, { limitInputPixels: MAX_PIXELS }).metadata();
  return { width: autoOrient.width, height: autoOrient.height };
}

function unreadablePicture(cause: unknown): Error {
  return providerError(
    'provider-bad-input',
    `the picture cannot be read: ${cause instanceof Error ? cause.message.slice(0, 200) : 'unknown reason'}`,
    false,
    'Upload the picture again; if it opens elsewhere, save it as JPEG or PNG first.',
    { cause },
  );
}
