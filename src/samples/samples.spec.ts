import ffmpeg from '@ffmpeg-installer/ffmpeg';
import ffprobe from '@ffprobe-installer/ffprobe';
import readExif from 'exif-reader';
import { fileTypeFromFile } from 'file-type';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { Canvas } from './drawing/canvas.js';
import { textWidth, WRITABLE_CHARACTERS, writeText } from './drawing/lettering.js';
import { ellipse, path, polyline } from './drawing/shapes.js';
import { encodeFilm } from './films/film-encoder.js';
import { toSubRip } from './films/film.js';
import { sailboatDay } from './films/sailboat-day.js';
import { drawPicture, pictureSize } from './picture-encoder.js';
import { COPIES, FILMS, PICTURES } from './sample-catalogue.js';
import { drawSampleLibrary, type SampleFile } from './sample-library.js';

const run = promisify(execFile);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samples-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Sum of a grey drawing's pixels, in units of one white pixel. */
function paintedArea(canvas: Canvas): number {
  const rgb = canvas.toRgb();
  let sum = 0;
  for (let index = 0; index < rgb.length; index += 3) sum += rgb[index]! / 255;
  return sum;
}

/** First and last column that are more white than black. */
function paintedColumns(canvas: Canvas): [number, number] {
  const rgb = canvas.toRgb();
  const columns = rgb.reduce<number[]>((found, value, index) => {
    if (value > 127) found.push(Math.floor(index / 3) % canvas.width);
    return found;
  }, []);
  return [Math.min(...columns), Math.max(...columns)];
}

describe('drawing', () => {
  it('covers the exact area of a circle, also where it leaves the picture', () => {
    const whole = new Canvas(100, 100);
    whole.fill(ellipse(50.3, 49.6, 30), '#ffffff');
    // A polygon of 60 corners has 0.18 % less area than its circle.
    expect(paintedArea(whole)).toBeCloseTo(Math.PI * 900 * 0.9982, -1);

    const half = new Canvas(100, 100);
    half.fill(ellipse(0, 50, 30), '#ffffff');
    expect(paintedArea(half)).toBeCloseTo((Math.PI * 900 * 0.9982) / 2, -1);
  });

  it('strokes a line with round ends, once where pieces overlap', () => {
    const canvas = new Canvas(120, 60);
    canvas.stroke(polyline(20, 30, 60, 30, 100, 30), 12, '#ffffff');
    expect(Math.abs(paintedArea(canvas) - (80 * 12 + Math.PI * 36))).toBeLessThan(4);
  });

  it('keeps paint inside a clip and follows a transform', () => {
    const canvas = new Canvas(100, 100);
    canvas.within(50, 50, 2, 90, () => {
      canvas.clip(ellipse(0, 0, 10), () => canvas.wash('#ffffff'));
    });
    expect(paintedArea(canvas)).toBeCloseTo(Math.PI * 400 * 0.9982, -1);
    canvas.wash('#000000');
    expect(paintedArea(canvas)).toBe(0);
  });

  it('refuses a path it cannot read', () => {
    expect(() => path('M 0 0 L 10')).toThrow(RangeError);
    expect(() => path('M 0 0 X 10 10')).toThrow(RangeError);
    expect(path('M -1e-15 0 L 1 1')[0]!.points).toEqual([-1e-15, 0, 1, 1]);
  });

  it.each(WRITABLE_CHARACTERS.filter((character) => character !== ' '))(
    'writes "%s" as wide as it says',
    (character) => {
      const style = { x: 60, y: 90, size: 60, paint: '#ffffff' };
      const canvas = new Canvas(320, 140);
      writeText(canvas, `H${character}H`, style);
      const [first, last] = paintedColumns(canvas);
      const expected = textWidth(`H${character}H`, style);
      expect(Math.abs(first - 60)).toBeLessThanOrEqual(1);
      expect(Math.abs(last - 60 - expected)).toBeLessThanOrEqual(2);

      const without = new Canvas(320, 140);
      writeText(without, 'H H', { ...style });
      // The smallest glyph, a full stop, is a dot of 7 units: about 45 pixels at this size.
      const gap = new Canvas(320, 140);
      writeText(gap, character, style);
      expect(paintedArea(gap)).toBeGreaterThan(35);
      expect(Buffer.compare(without.toRgb(), canvas.toRgb())).not.toBe(0);
    },
  );

  it('refuses to write what it has no glyph for', () => {
    expect(() => textWidth('naïve', { size: 10 })).toThrow(/no glyph for "ï"/);
  });
});

describe('toSubRip', () => {
  it('numbers the cues and writes times with a decimal comma', () => {
    expect(
      toSubRip([
        { startSeconds: 0.2, endSeconds: 3.8, text: 'One' },
        { startSeconds: 61, endSeconds: 3723.456, text: 'Two' },
      ]),
    ).toBe('1\n00:00:00,200 --> 00:00:03,800\nOne\n\n2\n00:01:01,000 --> 01:02:03,456\nTwo\n');
  });
});

describe('encodeFilm', () => {
  it('reports what the program said, and leaves no subtitle file behind', async () => {
    const target = join(folder, 'never.mp4');
    // Node is a program, but no ffmpeg.
    await expect(encodeFilm(sailboatDay, target, process.execPath)).rejects.toThrow(/bad option/);
    await expect(readdir(folder)).resolves.not.toContain('never.mp4.srt');
  });
});

describe('drawSampleLibrary', () => {
  let files: SampleFile[];
  const fileNamed = (filename: string) => files.find((file) => file.filename === filename)!;

  beforeAll(async () => {
    files = await drawSampleLibrary(join(folder, 'library'), ffmpeg.path);
  }, 300_000);

  it('gives every file it wrote, and nothing else', async () => {
    const names = files.map((file) => file.filename);
    expect(new Set(names).size).toBe(names.length);
    expect((await readdir(join(folder, 'library'))).sort()).toEqual([...names].sort());
    for (const file of files) expect(file.path).toBe(join(folder, 'library', file.filename));
    expect(files).toHaveLength(PICTURES.length + FILMS.length + COPIES.length);
  });

  it('stays small enough to be drawn at the first start', async () => {
    const sizes = await Promise.all(files.map(async (file) => (await stat(file.path)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(6 * 1024 * 1024);
  });

  it('gives each file the MIME type of its content', async () => {
    for (const file of files) {
      const detected = (await fileTypeFromFile(file.path))?.mime;
      expect([file.filename, detected]).toEqual([file.filename, file.mimeType]);
    }
  });

  it('gives most files to Alice and four or five to Bob', () => {
    const ofBob = files.filter((file) => file.owner === 'bob').length;
    expect(ofBob).toBeGreaterThanOrEqual(4);
    expect(ofBob).toBeLessThanOrEqual(5);
    expect(files.length - ofBob).toBeGreaterThan(15);
  });

  it('lets both own one picture, byte for byte', async () => {
    const [alice, bob] = [fileNamed('sunset-over-the-sea.jpg'), fileNamed('evening-by-the-sea.jpg')];
    expect([alice.owner, bob.owner]).toEqual(['alice', 'bob']);
    expect(Buffer.compare(await readFile(alice.path), await readFile(bob.path))).toBe(0);
    expect(bob.customMetadata).toBeUndefined();
    expect(bob.takenAt).toBe(alice.takenAt);
  });

  it.each(PICTURES.map((picture) => [picture.filename, picture] as const))(
    'draws %s',
    async (filename, { scene, file }) => {
      const { data, info } = await sharp(fileNamed(filename).path)
        .autoOrient()
        .png()
        .toBuffer({ resolveWithObject: true });
      const { width, height } = pictureSize(scene, file);
      expect([info.width, info.height]).toEqual([width, height]);
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(570);
      expect(Math.max(width, height)).toBeLessThanOrEqual(1280);
      const { channels, entropy } = await sharp(data).stats();
      expect(Math.max(...channels.map((channel) => channel.stdev))).toBeGreaterThan(20);
      expect(entropy).toBeGreaterThan(1);
    },
  );

  it('draws the same pixels again', async () => {
    for (const { filename, scene, file } of PICTURES.filter(({ file }) =>
      ['png', 'tiff'].includes(file.format),
    )) {
      const stored = await sharp(fileNamed(filename).path).raw().toBuffer();
      expect([filename, stored.equals(drawPicture(scene, file))]).toEqual([filename, true]);
    }
  });

  it('shows the sideways picture upright', async () => {
    const { scene, file } = PICTURES.find(({ file }) => file.storedSideways)!;
    const { width, height } = pictureSize(scene, file);
    const drawn = sharp(drawPicture(scene, file), { raw: { width, height, channels: 3 } });
    const shown = await sharp(fileNamed('sunflower-upright.jpg').path).autoOrient().toBuffer();
    const difference = await drawn
      .composite([{ input: shown, blend: 'difference' }])
      .png()
      .toBuffer();
    const { channels } = await sharp(difference).stats();
    for (const { mean } of channels.slice(0, 3)) expect(mean).toBeLessThan(6);
  });

  it('stores one picture sideways with EXIF orientation 6', async () => {
    const metadata = await sharp(fileNamed('sunflower-upright.jpg').path).metadata();
    expect(metadata).toMatchObject({ orientation: 6, width: 896, height: 672 });
  });

  it('writes camera, time and place into the photos', async () => {
    const { exif } = await sharp(fileNamed('sunset-over-the-sea.jpg').path).metadata();
    const { Image, Photo, GPSInfo } = readExif(exif!);
    expect(Image).toMatchObject({
      Make: 'Kestrel',
      Model: 'Kestrel K3',
      Software: 'AI Media Search sample library',
    });
    expect(Photo).toMatchObject({
      ExposureTime: 1 / 250,
      FNumber: 5.6,
      ISOSpeedRatings: 100,
      FocalLength: 35,
    });
    expect(Photo?.DateTimeOriginal?.toISOString().slice(0, 19)).toBe('2026-07-21T21:12:40');
    // 50.1188 N, 5.5371 W
    expect(GPSInfo).toMatchObject({
      GPSLatitudeRef: 'N',
      GPSLatitude: [50, 7, 7.68],
      GPSLongitudeRef: 'W',
      GPSLongitude: [5, 32, 13.56],
    });
  });

  it.each([
    // Where the words stand, in pixels of the upright picture, and the share that their ink has to cover.
    ['scan-invoice-2026-0042.tiff', { left: 70, top: 190, width: 560, height: 60 }, 0.12],
    ['station-road.jpg', { left: 100, top: 260, width: 760, height: 95 }, 0.18],
    ['whiteboard.png', { left: 90, top: 80, width: 450, height: 70 }, 0.12],
    ['revenue-q3.png', { left: 60, top: 30, width: 460, height: 55 }, 0.12],
    ['summer-concert.gif', { left: 120, top: 50, width: 560, height: 240 }, 0.18],
    ['coffee-menu.jpg', { left: 150, top: 100, width: 600, height: 90 }, 0.12],
  ] as const)('writes words into %s', async (filename, region, share) => {
    const grey = await sharp(fileNamed(filename).path).extract(region).greyscale().raw().toBuffer();
    // Ink is what differs from the most frequent shade by more than a quarter of the range.
    const counts = new Array<number>(256).fill(0);
    for (const value of grey) counts[value]!++;
    const ground = counts.indexOf(Math.max(...counts));
    const ink = grey.filter((value) => Math.abs(value - ground) > 64).length / grey.length;
    expect(ink).toBeGreaterThan(share);
    expect(ink).toBeLessThan(0.6);
  });

  it.each([
    ['red-apple.jpg', { left: 400, top: 300, width: 160, height: 120 }, 'red'],
    ['forest-and-mountains.jpg', { left: 300, top: 560, width: 300, height: 70 }, 'green'],
    ['sailboat.jpg', { left: 40, top: 460, width: 160, height: 120 }, 'blue'],
  ] as const)('gives %s its colour', async (filename, region, color) => {
    const { channels } = await sharp(
      await sharp(fileNamed(filename).path).extract(region).toBuffer(),
    ).stats();
    const [red, green, blue] = channels.map((channel) => channel.mean) as [number, number, number];
    const strongest = {
      red: red - Math.max(green, blue),
      green: green - Math.max(red, blue),
      blue: blue - Math.max(red, green),
    };
    expect(strongest[color]).toBeGreaterThan(25);
  });

  it.each(FILMS.map((sample) => [sample.filename, sample] as const))(
    'films %s',
    async (filename, { film }) => {
      const { path: filmPath, takenAt } = fileNamed(filename);
      const { stdout } = await run(ffprobe.path, [
        '-v',
        'error',
        '-show_streams',
        '-show_format',
        '-of',
        'json',
        filmPath,
      ]);
      const probe = JSON.parse(stdout) as {
        streams: {
          codec_type: string;
          codec_name: string;
          width?: number;
          height?: number;
          tags?: { language?: string };
        }[];
        format: { duration: string; tags: Record<string, string> };
      };
      const seconds = film.scenes.reduce((sum, scene) => sum + scene.durationSeconds, 0);
      expect(Math.abs(Number(probe.format.duration) - seconds)).toBeLessThan(0.1);
      expect(seconds).toBeGreaterThanOrEqual(8);
      expect(seconds).toBeLessThanOrEqual(20);
      expect(probe.format.tags).toMatchObject({ title: film.title });
      expect(probe.format.tags.creation_time?.slice(0, 19)).toBe(takenAt?.slice(0, 19));
      const subtitles = filename.endsWith('.mp4') ? 'mov_text' : 'subrip';
      expect(probe.streams.map((stream) => [stream.codec_type, stream.codec_name])).toEqual([
        ['video', 'h264'],
        ['audio', 'aac'],
        ['subtitle', subtitles],
      ]);
      expect(probe.streams[0]).toMatchObject({ width: 640, height: 360 });
      expect(probe.streams[2]!.tags?.language).toBe('eng');

      const extracted = await run(ffmpeg.path, [
        '-v',
        'error',
        '-i',
        filmPath,
        '-map',
        '0:s',
        '-f',
        'webvtt',
        '-',
      ]);
      const lines = extracted.stdout
        .split('\n')
        .filter((line) => line !== '' && line !== 'WEBVTT' && !line.includes('-->'));
      expect(lines).toEqual(film.cues.map((cue) => cue.text));
      for (const cue of film.cues) expect(cue.endSeconds).toBeLessThanOrEqual(seconds);
    },
  );

  it('cuts between scenes in a way that a scene detector sees', async () => {
    for (const { filename, film } of FILMS) {
      // ffmpeg's scene score; 0.3 is the usual threshold of what counts as a cut.
      const filter = "select='gt(scene,0.3)',showinfo";
      const { stderr } = await run(ffmpeg.path, [
        '-i',
        fileNamed(filename).path,
        '-an',
        '-vf',
        filter,
        '-f',
        'null',
        '-',
      ]);
      const cuts = [...stderr.matchAll(/pts_time:\s*([\d.]+)/g)].map(([, time]) => Math.round(Number(time)));
      let end = 0;
      const expected = film.scenes.slice(0, -1).map((scene) => (end += scene.durationSeconds));
      expect(cuts).toEqual(expected);
    }
  });
});
