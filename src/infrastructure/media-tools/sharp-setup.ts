import sharp from 'sharp';

/**
 * The only loaders that may ever open a file. sharp also reads SVG (which can hold scripts and refer to other
 * files) and libvips' own format; everything that is not named here stays blocked for the whole process.
 */
const ALLOWED_LOADERS = [
  'VipsForeignLoadJpeg',
  'VipsForeignLoadPng',
  'VipsForeignLoadWebp',
  'VipsForeignLoadNsgif',
  'VipsForeignLoadTiff',
  'VipsForeignLoadHeif',
];

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ALLOWED_LOADERS });
// libvips caches operations by file name; work files are short-lived, so the cache would only hold memory.
sharp.cache(false);
// Two threads per picture: several pictures are worked on at a time, and the API shares the machine.
sharp.concurrency(2);

/** The prebuilt sharp decodes AV1 (AVIF) only; a build against the system's libvips may decode HEVC (HEIC) too. */
export const sharpDecodesHevc: boolean = sharp.format.heif.input.fileSuffix?.includes('.heic') ?? false;

export { sharp };
