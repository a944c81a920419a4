import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { LocalImageAnalyzer, measurePicture } from './local-image-analyzer.js';
import { differenceHash } from './picture-reader.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-analyzer-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** No OCR: these tests are about measuring. */
const analyzer = new LocalImageAnalyzer({ tesseractPath: '/no/such/program' });

/** A picture from a function of the place (0..1) that gives sRGB. */
async function draw(
  name: string,
  width: number,
  height: number,
  color: (x: number, y: number) => [number, number, number],
): Promise<string> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(color(x / width, y / height), 3 * (y * width + x));
  }
  const path = join(folder, name);
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(path);
  return path;
}

/** Deterministic noise, so that a drawn picture has the texture of a photograph. */
function noise(amplitude: number): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return amplitude * ((state >>> 8) / 2 ** 23 - 1);
  };
}
const grain = noise(18);
const names = (labels: { name: string }[]): string[] => labels.map(({ name }) => name);

/** Sky above, sand below, with grain and waves. */
const beach = (x: number, y: number): [number, number, number] => {
  const wave = 12 * Math.sin(40 * x) * Math.sin(23 * y + 3 * x);
  return y < 0.6
    ? [120 + wave + grain(), 180 + wave + grain(), 235 + grain()]
    : [225 + wave + grain(), 195 + wave + grain(), 150 + grain()];
};

describe('LocalImageAnalyzer', () => {
  it('describes light, colours and frame, and claims nothing about what is seen', async () => {
    const path = await draw('beach.jpg', 450, 300, beach);
    const { analysis, usage } = await analyzer.analyze({ path });
    expect(analysis.summary).toBe(
      'A bright, colorful picture in landscape orientation, mostly light blue and beige.',
    );
    expect(names(analysis.labels)).toEqual(
      expect.arrayContaining(['landscape orientation', 'bright', 'light blue', 'beige', 'sharp']),
    );
    expect(new Set(analysis.labels.map(({ kind }) => kind))).toEqual(
      new Set(['composition', 'light', 'color', 'camera']),
    );
    expect(analysis.colors[0]).toMatchObject({ name: 'light blue', share: expect.closeTo(0.6, 1) as number });
    expect(analysis).toMatchObject({ text: [], facesCount: 0, contentWarnings: [] });
    expect(analysis.raw).toMatchObject({ ocr: 'unavailable', objects: 'unavailable', faces: 'unavailable' });
    expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
    expect(usage).toMatchObject({ amount: '0', service: 'local_analysis', operation: 'analyze_image' });
    for (const { confidence } of analysis.labels) {
      expect(confidence).toBeGreaterThanOrEqual(0.5);
      expect(confidence).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    [1600, 400, 'panorama format'],
    [600, 400, 'landscape orientation'],
    [400, 390, 'square format'],
    [400, 600, 'portrait orientation'],
  ])('%d x %d is %s', async (width, height, label) => {
    const { labels } = await measurePicture(await draw('frame.png', width, height, () => [200, 40, 40]));
    expect(names(labels)).toContain(label);
  });

  it('goes by the upright picture', async () => {
    const path = join(folder, 'turned.jpg');
    await sharp(await draw('before.jpg', 600, 400, beach))
      .withMetadata({ orientation: 6 })
      .toFile(path);
    expect(names((await measurePicture(path)).labels)).toContain('portrait orientation');
  });

  it('tells dark, bright, black and white, colourful and drawn pictures', async () => {
    const labelsOf = async (color: (x: number, y: number) => [number, number, number]): Promise<string[]> =>
      names((await measurePicture(await draw('kind.png', 300, 300, color))).labels);
    const gray = (value: number): [number, number, number] => [value, value, value];
    expect(await labelsOf(() => gray(8 + Math.abs(grain())))).toEqual(
      expect.arrayContaining(['dark', 'black and white', 'black']),
    );
    expect(await labelsOf(() => gray(240 - Math.abs(grain())))).toEqual(
      expect.arrayContaining(['bright', 'white']),
    );
    const rainbow = await labelsOf((x) => [
      Math.round(x * 3) % 2 ? 230 : 20,
      x > 0.5 ? 220 : 30,
      x > 0.3 ? 20 : 240,
    ]);
    expect(rainbow).toEqual(expect.arrayContaining(['colorful', 'graphic']));
    expect(await labelsOf(() => [250, 250, 250])).toEqual(
      expect.arrayContaining(['graphic', 'minimalist', 'low contrast']),
    );
  });

  it('does not call a grey street with one red car black and white', async () => {
    const isCar = (x: number, y: number): boolean => Math.abs(x - 0.5) < 0.06 && Math.abs(y - 0.8) < 0.08;
    const path = await draw('street.jpg', 320, 180, (x, y) => {
      const gray = 110 + grain() / 3;
      return isCar(x, y) ? [200, 30, 50] : [gray, gray, gray];
    });
    const { labels } = await measurePicture(path);
    expect(names(labels)).toContain('gray');
    expect(names(labels)).not.toContain('black and white');
    expect(names(labels)).not.toContain('graphic');
  });

  it('tells a blurred picture from a sharp one, but does not call a plain one blurred', async () => {
    const tiles = (x: number, y: number): [number, number, number] => {
      const value = (Math.floor(12 * x) * 53 + Math.floor(9 * y) * 97) % 200;
      return [value + 30 + grain(), value + 20 + grain(), value + grain()];
    };
    const sharpPath = await draw('sharp.jpg', 400, 300, tiles);
    const blurredPath = join(folder, 'blurred.jpg');
    await sharp(sharpPath).blur(8).toFile(blurredPath);
    const plain = await draw('plain.png', 400, 300, () => [90, 120, 200]);
    const [crisp, blurred, flat] = await Promise.all(
      [sharpPath, blurredPath, plain].map((path) => measurePicture(path)),
    );
    expect(crisp!.measurements['blur']).toBeLessThan(blurred!.measurements['blur']!);
    expect(names(crisp!.labels)).toContain('sharp');
    expect(names(blurred!.labels)).toContain('blurry');
    expect(names(flat!.labels)).not.toContain('blurry');
  });

  it('sees transparency as white', async () => {
    const path = join(folder, 'logo.png');
    await sharp({
      create: { width: 100, height: 100, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    }).toFile(path);
    expect((await measurePicture(path)).colors).toEqual([{ name: 'white', hex: '#ffffff', share: 1 }]);
  });

  it('reads 16-bit, grey and WebP pictures', async () => {
    const source = await draw('source.jpg', 200, 150, beach);
    const variants = [
      sharp(source).toColourspace('rgb16').png().toFile(join(folder, 'deep.png')),
      sharp(source).grayscale().png().toFile(join(folder, 'grey.png')),
      sharp(source).webp().toFile(join(folder, 'picture.webp')),
    ];
    await Promise.all(variants);
    expect((await measurePicture(join(folder, 'deep.png'))).colors[0]!.name).toBe('light blue');
    expect(names((await measurePicture(join(folder, 'grey.png'))).labels)).toContain('black and white');
    expect((await measurePicture(join(folder, 'picture.webp'))).colors[0]!.name).toBe('light blue');
  });

  it.each([
    [
      'an SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'of no known type',
    ],
    ['text', Buffer.from('hello'), 'of no known type'],
    ['a GIF', Buffer.from('R0lGODlhAQABAAAAACw=', 'base64'), 'image/gif'],
    ['nothing', Buffer.alloc(0), 'of no known type'],
    ['a JPEG that breaks off', null, ''],
  ])('refuses %s', async (_what, content, message) => {
    const path = join(folder, 'bad');
    const broken = async (): Promise<Buffer> => {
      const whole = await sharp(await draw('whole.jpg', 400, 300, beach))
        .jpeg()
        .toBuffer();
      return whole.subarray(0, whole.length / 2);
    };
    await writeFile(path, content ?? (await broken()));
    await expect(analyzer.analyze({ path })).rejects.toMatchObject({
      code: 'provider-bad-input',
      retryable: false,
      message: expect.stringContaining(message) as string,
    });
  });

  it('refuses a missing file and stops when it is told to', async () => {
    await expect(analyzer.analyze({ path: join(folder, 'none.jpg') })).rejects.toMatchObject({
      code: 'provider-bad-input',
    });
    const path = await draw('any.png', 20, 20, beach);
    await expect(analyzer.analyze({ path }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'provider-cancelled',
    });
  });
});

describe('perceptual hash', () => {
  const distance = (a: string, b: string): number =>
    [...(BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(2)].filter((bit) => bit === '1').length;

  it('is the sign of the differences, left bit first', () => {
    const rising = Uint8Array.from({ length: 72 }, (_, index) => index % 9);
    expect(differenceHash(rising)).toBe('ffffffffffffffff');
    expect(differenceHash(rising.map((value) => 9 - value))).toBe('0000000000000000');
    expect(differenceHash(Uint8Array.from({ length: 72 }, (_, index) => (index === 1 ? 5 : 0)))).toBe(
      '8000000000000000',
    );
  });

  it('is nearly the same for a smaller, recompressed copy, and far from another picture', async () => {
    const waves =
      (shift: number) =>
      (x: number, y: number): [number, number, number] => {
        const value = 128 + 90 * Math.sin(9 * x + shift) * Math.cos(7 * y * shift);
        return [value, value / 2, 255 - value];
      };
    const original = await draw('original.png', 640, 480, waves(1));
    const copy = join(folder, 'copy.jpg');
    await sharp(original).resize(200).jpeg({ quality: 40 }).toFile(copy);
    const other = await draw('other.png', 640, 480, waves(2.5));
    const [a, b, c] = await Promise.all(
      [original, copy, other].map(async (path) => (await measurePicture(path)).perceptualHash),
    );
    expect(a).toMatch(/^[0-9a-f]{16}$/);
    expect(distance(a!, b!)).toBeLessThanOrEqual(3);
    expect(distance(a!, c!)).toBeGreaterThan(16);
  });
});
