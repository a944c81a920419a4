import { jest } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectFileType } from './file-type-detector.js';
import { ImageTools } from './image-tools.js';
import { sharp } from './sharp-setup.js';
import { rotatedHeic } from './testing/heic-fixture.js';
import { blackPng, CORNER_COLOURS, cornerColours, manyFramesGif, quarters } from './testing/make-media.js';

const tools = new ImageTools();
let folder: string;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-tools-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

function newPath(extension = ''): string {
  files += 1;
  return join(folder, `picture-${files}${extension}`);
}

async function saved(content: Buffer) {
  const path = newPath();
  await writeFile(path, content);
  return { path, detected: await detectFileType(path) };
}

async function probe(content: Buffer, using = tools) {
  const { path, detected } = await saved(content);
  return using.probe(path, detected);
}

/**
 * What lies in the stored quarters for each EXIF orientation, written down from the standard (EXIF 2.32, 4.6.4:
 * which side of the scene row 0 and column 0 are), not from what any library does.
 */
const STORED_QUARTERS = {
  1: ['red', 'green', 'blue', 'yellow'],
  2: ['green', 'red', 'yellow', 'blue'],
  3: ['yellow', 'blue', 'green', 'red'],
  4: ['blue', 'yellow', 'red', 'green'],
  5: ['red', 'blue', 'green', 'yellow'],
  6: ['green', 'yellow', 'red', 'blue'],
  7: ['yellow', 'green', 'blue', 'red'],
  8: ['blue', 'red', 'yellow', 'green'],
} as const;

describe('orientation', () => {
  const cases = ([1, 2, 3, 4, 5, 6, 7, 8] as const).flatMap((orientation) =>
    (['jpeg', 'png', 'webp', 'tiff'] as const).map((format) => [orientation, format] as const),
  );
  it.each(cases)('brings orientation %i in %s upright', async (orientation, format) => {
    const [width, height] = orientation < 5 ? [96, 48] : [48, 96];
    const stored = await quarters(width, height, STORED_QUARTERS[orientation]);
    const { path, detected } = await saved(
      await sharp(stored).withMetadata({ orientation }).toFormat(format).toBuffer(),
    );
    const found = await tools.probe(path, detected);
    expect(found).toMatchObject({ width: 96, height: 48, orientation, frames: 1 });

    const copy = await tools.upright(path, detected, newPath('.jpg'));
    expect(copy).toMatchObject({ width: 96, height: 48, mimeType: 'image/jpeg' });
    expect(await cornerColours(copy.path)).toEqual(CORNER_COLOURS);

    const thumbnail = await tools.thumbnail(path, detected);
    expect(thumbnail).toMatchObject({ width: 96, height: 48 });
    expect(await cornerColours(thumbnail.data)).toEqual(CORNER_COLOURS);
  });
});

describe('HEIC', () => {
  it('applies the rotation of the file once, although EXIF names it again', async () => {
    const { path, detected } = await saved(rotatedHeic());
    expect(await tools.probe(path, detected)).toEqual({
      fileType: 'image',
      mimeType: 'image/heic',
      width: 128,
      height: 64,
      orientation: 1,
      hasAlpha: false,
      frames: 1,
      exif: { cameraMake: 'Testmake', cameraModel: 'Heif Six' },
    });
    const copy = await tools.upright(path, detected, newPath('.jpg'));
    expect(copy).toMatchObject({ width: 128, height: 64 });
    expect(await cornerColours(copy.path)).toEqual(CORNER_COLOURS);
    const thumbnail = await tools.thumbnail(path, detected);
    expect(await cornerColours(thumbnail.data)).toEqual(CORNER_COLOURS);
  });

  it('is probed and copied out of one decoding with the same results', async () => {
    const { path, detected } = await saved(rotatedHeic());
    const [apart, together] = [newPath('.jpg'), newPath('.jpg')];
    const copy = await tools.upright(path, detected, apart);
    const decode = jest.spyOn(tools as unknown as { decodeWithLibHeif: () => unknown }, 'decodeWithLibHeif');
    const { probe: found, workingCopy } = await tools.probeAndCopy(path, detected, together);
    expect(decode.mock.calls.length).toBeLessThanOrEqual(1);
    decode.mockRestore();
    expect(found).toEqual(await tools.probe(path, detected));
    expect({ ...workingCopy, path: apart }).toEqual(copy);
    expect((await readFile(together)).equals(await readFile(apart))).toBe(true);
    const cut = await saved(rotatedHeic().subarray(0, 600));
    await expect(tools.probeAndCopy(cut.path, cut.detected, newPath('.jpg'))).rejects.toMatchObject({
      code: 'corrupt-media',
    });
  });

  it('refuses one that was cut off, one that is too large and one without a picture in it', async () => {
    const heic = rotatedHeic();
    // The metadata stays whole and the pixels are cut.
    await expect(probe(heic.subarray(0, heic.length - 30))).rejects.toMatchObject({ code: 'corrupt-media' });
    await expect(probe(heic.subarray(0, heic.length / 2))).rejects.toMatchObject({ code: 'corrupt-media' });
    await expect(probe(heic, new ImageTools({ maxInputPixels: 8191 }))).rejects.toMatchObject({
      code: 'image-too-large',
    });
    const garbage = Buffer.from(heic);
    garbage.fill(0x5a, heic.lastIndexOf('mdat') + 4);
    await expect(probe(garbage)).rejects.toMatchObject({ code: 'corrupt-media' });
  });

  it('stops when the work is cancelled', async () => {
    const { path, detected } = await saved(rotatedHeic());
    const cancelled = AbortSignal.abort(new Error('cancelled by the user'));
    await expect(tools.probe(path, detected, cancelled)).rejects.toThrow('cancelled by the user');
  });
});

describe('limits', () => {
  /** To read a header takes some milliseconds, on a busy machine more; 900 megapixels would take far longer than this. */
  const AT_ONCE_MS = 2_000;

  it('C12: refuses a picture of 900 megapixels by its header', async () => {
    const { path, detected } = await saved(blackPng(30_000, 30_000));
    const before = process.memoryUsage().rss;
    const started = performance.now();
    await expect(tools.probe(path, detected)).rejects.toMatchObject({
      code: 'image-too-large',
      message: expect.stringContaining('30000 x 30000 pixels; at most 100 megapixels') as string,
    });
    expect(performance.now() - started).toBeLessThan(AT_ONCE_MS);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('refuses it for every method, not only for the probe', async () => {
    const { path, detected } = await saved(blackPng(14_000, 14_000));
    await expect(tools.thumbnail(path, detected)).rejects.toMatchObject({ code: 'image-too-large' });
    await expect(tools.upright(path, detected, newPath('.jpg'))).rejects.toMatchObject({
      code: 'image-too-large',
    });
  });

  it('accepts the largest picture allowed', async () => {
    expect(await probe(blackPng(10_000, 10_000))).toMatchObject({ width: 10_000, height: 10_000 });
  });

  it('refuses 10,000 frames and accepts 300', async () => {
    const { path, detected } = await saved(manyFramesGif(10_000));
    const started = performance.now();
    await expect(tools.probe(path, detected)).rejects.toMatchObject({ code: 'too-many-frames' });
    expect(performance.now() - started).toBeLessThan(AT_ONCE_MS);
    expect(await probe(manyFramesGif(300))).toMatchObject({ width: 4, height: 4, frames: 300 });
  });

  it('checks only as many frames as fit into the pixel limit', async () => {
    const small = new ImageTools({ maxInputPixels: 160 });
    expect(await probe(manyFramesGif(300), small)).toMatchObject({ frames: 300 });
  });
});

describe('damaged pictures', () => {
  it.each(['jpeg', 'png', 'webp', 'avif'] as const)('refuses half a %s', async (format) => {
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 40 };
    const whole = await sharp({ create: { width: 200, height: 150, channels: 3, background: 'red', noise } })
      .toFormat(format)
      .toBuffer();
    expect(await probe(whole)).toMatchObject({ width: 200, height: 150 });
    await expect(probe(whole.subarray(0, whole.length / 2))).rejects.toMatchObject({ code: 'corrupt-media' });
  });

  it('refuses half a progressive JPEG and a PNG with a wrong checksum', async () => {
    const picture = sharp(await quarters(300, 200)).sharpen();
    const progressive = await picture.clone().jpeg({ progressive: true, quality: 100 }).toBuffer();
    await expect(probe(progressive.subarray(0, progressive.length / 2))).rejects.toMatchObject({
      code: 'corrupt-media',
    });
    const png = await picture.clone().png().toBuffer();
    const at = png.indexOf('IDAT') + 8;
    png[at] = (png[at] as number) ^ 0xff;
    await expect(probe(png)).rejects.toMatchObject({ code: 'corrupt-media' });
  });

  it('accepts what viewers accept: bytes after the end, and a broken EXIF block', async () => {
    const jpeg = await sharp(await quarters(64, 64))
      .jpeg()
      .toBuffer();
    expect(await probe(Buffer.concat([jpeg, Buffer.alloc(5_000, 7)]))).toMatchObject({ width: 64 });

    const brokenExif = Buffer.concat([Buffer.from('Exif\0\0II*\0', 'latin1'), Buffer.alloc(40, 0xff)]);
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, brokenExif.length + 2]), brokenExif]);
    const withBrokenExif = Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
    expect(await probe(withBrokenExif)).toMatchObject({ width: 64, orientation: 1, exif: {} });
  });

  it('refuses a file whose content is not of the detected type', async () => {
    const { path } = await saved(await quarters(16, 16));
    const claimed = { fileType: 'image' as const, mimeType: 'image/jpeg', extension: 'jpg' };
    await expect(tools.probe(path, claimed)).rejects.toMatchObject({ code: 'corrupt-media' });
  });
});

describe('loaders', () => {
  it('does not open SVG, whoever asks', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(sharp(svg).metadata()).rejects.toThrow(/unsupported image format/);
  });
});

describe('copies', () => {
  it('carry no metadata, not even a position', async () => {
    const { path, detected } = await saved(
      await sharp(await quarters(64, 64))
        .withExif({
          IFD0: { Make: 'Canon' },
          IFD3: { GPSLatitude: '1/1 2/1 3/1', GPSLongitude: '1/1 2/1 3/1' },
        })
        .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
        .jpeg()
        .toBuffer(),
    );
    expect((await tools.probe(path, detected)).exif).toMatchObject({
      cameraMake: 'Canon',
      latitude: 1.0341667,
    });
    const copy = await tools.upright(path, detected, newPath('.jpg'));
    const thumbnail = await tools.thumbnail(path, detected);
    for (const picture of [await readFile(copy.path), thumbnail.data]) {
      const { exif, xmp, icc, orientation } = await sharp(picture).metadata();
      expect([exif, xmp, icc, orientation]).toEqual([undefined, undefined, undefined, undefined]);
    }
  });

  it('are scaled down and never up', async () => {
    const { path, detected } = await saved(await quarters(3000, 1000));
    expect(await tools.upright(path, detected, newPath('.jpg'))).toMatchObject({ width: 2048, height: 683 });
    expect(await tools.upright(path, detected, newPath('.jpg'), { maxSide: 300 })).toMatchObject({
      width: 300,
      height: 100,
    });
    expect(await tools.thumbnail(path, detected)).toMatchObject({ width: 512, height: 171 });
    const tiny = await saved(await quarters(20, 10));
    expect(await tools.thumbnail(tiny.path, tiny.detected)).toMatchObject({ width: 20, height: 10 });
  });

  it('keep transparency in thumbnails and PNG copies; JPEG copies stand on white', async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const { path, detected } = await saved(
      await sharp({ create: { width: 40, height: 40, channels: 4, background: clear } })
        .png()
        .toBuffer(),
    );
    expect((await tools.probe(path, detected)).hasAlpha).toBe(true);
    const png = await tools.upright(path, detected, newPath('.png'));
    expect(png.mimeType).toBe('image/png');
    expect((await sharp(png.path).stats()).channels[3]?.max).toBe(0);
    expect((await sharp((await tools.thumbnail(path, detected)).data).stats()).channels[3]?.max).toBe(0);
    const jpeg = await tools.upright(path, detected, newPath('.jpg'));
    expect((await cornerColours(jpeg.path)).topLeft).toBe('white');
  });

  it('are sRGB whatever the original is', async () => {
    const red = { create: { width: 32, height: 32, channels: 3 as const, background: 'red' } };
    const p3 = await saved(await sharp(red).withIccProfile('p3').png().toBuffer());
    const copy = await tools.upright(p3.path, p3.detected, newPath('.png'));
    expect([...(await sharp(copy.path).raw().toBuffer()).subarray(0, 3)]).toEqual([
      expect.closeTo(255, -1),
      expect.closeTo(0, -1),
      expect.closeTo(0, -1),
    ]);
    const cmyk = await saved(await sharp(red).toColourspace('cmyk').jpeg().toBuffer());
    const converted = await tools.upright(cmyk.path, cmyk.detected, newPath('.jpg'));
    expect(await sharp(converted.path).metadata()).toMatchObject({ space: 'srgb', channels: 3 });
  });

  it('say when the folder to write to is missing instead of blaming the picture', async () => {
    const { path, detected } = await saved(await quarters(16, 16));
    await expect(tools.upright(path, detected, join(folder, 'missing', 'x.jpg'))).rejects.not.toMatchObject({
      code: 'corrupt-media',
    });
  });
});
