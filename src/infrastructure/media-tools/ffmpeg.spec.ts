import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FfmpegTools } from './ffmpeg.js';
import { detectFileType } from './file-type-detector.js';
import { sharp } from './sharp-setup.js';
import { CORNER_COLOURS, cornerColours, makeVideo, quarters } from './testing/make-media.js';

const tools = new FfmpegTools();
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
let folder: string;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ffmpeg-tools-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

function newPath(name: string): string {
  files += 1;
  return join(folder, `${files}-${name}`);
}

async function newFolder(): Promise<string> {
  const path = newPath('work');
  await mkdir(path);
  return path;
}

async function video(name: string, ...args: string[]): Promise<string> {
  const path = newPath(name);
  await makeVideo(...args, path);
  return path;
}

async function probe(path: string, maxDurationSeconds: number | null = null) {
  return tools.probe(path, await detectFileType(path), { maxDurationSeconds });
}

/** Mean grey value of a picture, 0..255. */
async function brightness(picture: string | Buffer): Promise<number> {
  const { data } = await sharp(picture).resize(1, 1).greyscale().raw().toBuffer({ resolveWithObject: true });
  return data[0] as number;
}

/** Writes the matrix of a clockwise turn into the track header (ISO/IEC 14496-12, 8.3.2; 16.16 fixed point). */
function withDisplayMatrix(mp4: Buffer, degrees: number): Buffer {
  const cosine = Math.round(Math.cos((degrees * Math.PI) / 180));
  const sine = Math.round(Math.sin((degrees * Math.PI) / 180));
  const at = mp4.indexOf('tkhd') + 44;
  for (const [index, value] of [cosine, sine, 0, -sine, cosine].entries()) {
    mp4.writeInt32BE(value * 0x10000, at + index * 4);
  }
  return mp4;
}

describe('keyframes', () => {
  /** Frame n of 10 a second has the brightness 40 + 4n, so that a picture tells which frame it is. */
  const numbered = (extension: string, codec: string[], frames = 50) =>
    video(
      `numbered.${extension}`,
      ...['-f', 'lavfi', '-i', `color=black:size=64x48:rate=10:duration=${frames / 10},format=gray`],
      ...['-vf', 'geq=lum=40+4*N', ...codec],
    );

  it.each([
    ['mp4', ['-c:v', 'libx264', '-crf', '5', '-pix_fmt', 'yuv420p', '-g', '25']],
    ['webm', ['-c:v', 'libvpx', '-b:v', '2M', '-pix_fmt', 'yuv420p']],
    ['avi', ['-c:v', 'mpeg4', '-q:v', '1', '-pix_fmt', 'yuv420p']],
  ])('gives each picture of an %s the time of its very frame', async (extension, codec) => {
    const path = await numbered(extension, codec);
    const found = await probe(path);
    const keyframes = await tools.keyframes(path, found, await newFolder());
    expect(keyframes.length).toBeGreaterThanOrEqual(4);
    for (const { timestampSeconds, path: picture } of keyframes) {
      const frame = Math.round(timestampSeconds * 10);
      expect(timestampSeconds).toBeCloseTo(frame / 10, 2);
      // Half the step from one frame to the next: a neighbouring frame would fail.
      expect(Math.abs((await brightness(picture)) - (40 + 4 * frame))).toBeLessThan(2);
    }
  });

  it('finds the cuts, to the frame', async () => {
    const scene = (colour: string, seconds: number) => [
      '-f',
      'lavfi',
      '-i',
      `color=${colour}:s=64x48:r=10:d=${seconds}`,
    ];
    const path = await video(
      'cuts.mp4',
      ...[...scene('red', 2.3), ...scene('white', 1.9), ...scene('blue', 3.1), ...scene('yellow', 2)],
      ...['-filter_complex', 'concat=n=4', ...H264],
    );
    const keyframes = await tools.keyframes(path, await probe(path), await newFolder());
    expect(keyframes.map(({ timestampSeconds }) => timestampSeconds)).toEqual([0, 2.3, 4.2, 7.3]);
  });

  it('counts time from the beginning of the file, also when its clock starts late', async () => {
    const path = await numbered('mp4', [...H264, '-crf', '5']);
    const late = newPath('late.mkv');
    await makeVideo('-i', path, '-c', 'copy', '-output_ts_offset', '100', late);
    const [first] = await tools.keyframes(late, await probe(late), await newFolder());
    expect(first?.timestampSeconds).toBe(0);
  });

  it('gives one picture of a static, and of a single-frame video', async () => {
    const still = await video('still.mp4', '-f', 'lavfi', '-i', 'color=blue:s=64x48:r=10:d=12', ...H264);
    expect(await tools.keyframes(still, await probe(still), await newFolder())).toHaveLength(1);
    const single = await video('single.mp4', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=0.04', ...H264);
    const found = await probe(single);
    expect(await tools.keyframes(single, found, await newFolder())).toHaveLength(1);
    expect((await tools.thumbnail(single, found)).width).toBe(64);
  });

  it('leaves the black beginning out', async () => {
    const path = await video(
      'fade.mp4',
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=black:s=64x48:r=10:d=2',
        '-f',
        'lavfi',
        '-i',
        'testsrc=s=64x48:r=10:d=4',
      ],
      ...['-filter_complex', 'concat=n=2', ...H264],
    );
    const found = await probe(path);
    const keyframes = await tools.keyframes(path, found, await newFolder());
    expect(keyframes[0]?.timestampSeconds).toBe(2);
    const thumbnail = await tools.thumbnail(path, found);
    expect(await brightness(thumbnail.data)).toBeGreaterThan(40);
  });

  it('stays below the maximum, spread over the length, and leaves nothing else behind', async () => {
    const path = await video('busy.mp4', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=4:d=120', ...H264);
    const out = await newFolder();
    const keyframes = await tools.keyframes(path, await probe(path), out, { max: 6, minGapSeconds: 0.5 });
    expect(keyframes.length).toBeGreaterThanOrEqual(5);
    expect(keyframes.length).toBeLessThanOrEqual(6);
    expect(keyframes.at(-1)?.timestampSeconds).toBeGreaterThan(90);
    expect((await readdir(out)).sort()).toEqual(
      keyframes.map(({ path: file }) => file.slice(out.length + 1)),
    );
  });

  it('goes through long videos by their encoder key frames, and frame by frame when there is but one', async () => {
    const sparse = ['-f', 'lavfi', '-i', 'testsrc=s=64x48:r=1:d=1300', ...H264];
    for (const interval of ['20', '100000']) {
      const path = await video('long.mp4', ...sparse, '-g', interval, '-sc_threshold', '0');
      const keyframes = await tools.keyframes(path, await probe(path), await newFolder());
      expect(keyframes.length).toBeGreaterThan(20);
      expect(keyframes.length).toBeLessThanOrEqual(40);
      expect(keyframes.at(-1)?.timestampSeconds).toBeGreaterThan(1200);
    }
  });

  it.each([90, 180, 270])('turns a video upright that is stored turned by %i degrees', async (degrees) => {
    const stored = newPath('stored.png');
    await writeFile(
      stored,
      await sharp(await quarters(96, 48))
        .rotate(360 - degrees)
        .png()
        .toBuffer(),
    );
    const plain = await video('plain.mp4', '-loop', '1', '-i', stored, '-t', '1', '-r', '5', ...H264);
    const turned = newPath('turned.mp4');
    await writeFile(turned, withDisplayMatrix(await readFile(plain), degrees));
    const found = await probe(turned);
    expect(found).toMatchObject({ width: 96, height: 48, rotationDegrees: degrees });

    const [keyframe] = await tools.keyframes(turned, found, await newFolder());
    expect(keyframe).toMatchObject({ width: 96, height: 48 });
    expect(await cornerColours(keyframe?.path ?? '')).toEqual(CORNER_COLOURS);
    const thumbnail = await tools.thumbnail(turned, found);
    expect(thumbnail).toMatchObject({ width: 96, height: 48 });
    expect(await cornerColours(thumbnail.data)).toEqual(CORNER_COLOURS);
  });

  it('shows anamorphic video as wide as a player does', async () => {
    const path = await video(
      'dv.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=96x72:r=5:d=1',
      '-vf',
      'setsar=4/3',
      ...H264,
    );
    const found = await probe(path);
    expect(found).toMatchObject({ width: 128, height: 72 });
    const [keyframe] = await tools.keyframes(path, found, await newFolder());
    expect(await sharp(keyframe?.path).metadata()).toMatchObject({ width: 128, height: 72 });
  });

  it('scales large frames down', async () => {
    const path = await video('large.mp4', '-f', 'lavfi', '-i', 'testsrc=s=1920x1080:r=2:d=1', ...H264);
    const found = await probe(path);
    const [keyframe] = await tools.keyframes(path, found, await newFolder());
    expect(keyframe).toMatchObject({ width: 1280, height: 720 });
    expect(await tools.thumbnail(path, found)).toMatchObject({ width: 512, height: 288 });
  });
});

describe('subtitles', () => {
  const SRT =
    '1\n00:00:00,500 --> 00:00:01,250\n<i>Hello</i> there\n\n2\n00:00:01,500 --> 00:00:02,000\nBob & Ann\n';

  it.each([
    ['mp4', 'mov_text', H264],
    ['mkv', 'subrip', H264],
    ['mkv', 'ass', H264],
    ['webm', 'webvtt', ['-c:v', 'libvpx']],
  ])('reads a track of an %s with %s', async (extension, codec, videoCodec) => {
    const srt = newPath('in.srt');
    await writeFile(srt, SRT);
    const path = await video(
      `subtitled.${extension}`,
      ...['-f', 'lavfi', '-i', 'testsrc=s=32x32:r=5:d=3', '-i', srt, '-map', '0:v', '-map', '1:s'],
      ...[...videoCodec, '-c:s', codec, '-metadata:s:s:0', 'language=eng'],
    );
    const { subtitleTracks } = await probe(path);
    expect(subtitleTracks).toEqual([{ index: 1, codec, language: 'eng' }]);
    expect(await tools.subtitles(path, 1)).toEqual([
      { startSeconds: 0.5, endSeconds: 1.25, text: 'Hello there' },
      { startSeconds: 1.5, endSeconds: 2, text: 'Bob & Ann' },
    ]);
    await expect(tools.subtitles(path, 7)).rejects.toMatchObject({ code: 'corrupt-media' });
  });
});

describe('extractAudio', () => {
  it('writes 16 kHz mono WAV and MP3, whole or a part', async () => {
    const path = await video(
      'sound.mp4',
      ...[
        '-f',
        'lavfi',
        '-i',
        'testsrc=s=32x32:r=5:d=4',
        '-f',
        'lavfi',
        '-i',
        'sine=frequency=440:d=4:r=44100',
      ],
      ...[...H264, '-c:a', 'aac', '-ac', '2'],
    );
    const wav = newPath('out.wav');
    const { sizeBytes } = await tools.extractAudio(path, wav, { format: 'wav' });
    expect(sizeBytes).toBe((await stat(wav)).size);
    // Four seconds of 16,000 two-byte samples; AAC adds up to 50 ms.
    expect(sizeBytes / 32_000).toBeCloseTo(4, 0);
    const header = Buffer.alloc(36);
    const file = await open(wav, 'r');
    await file.read(header, 0, 36, 0);
    await file.close();
    expect([header.toString('latin1', 0, 4), header.readUInt16LE(22), header.readUInt32LE(24)]).toEqual([
      'RIFF',
      1,
      16_000,
    ]);
    const part = await tools.extractAudio(path, newPath('part.wav'), {
      format: 'wav',
      startSeconds: 1,
      durationSeconds: 1.5,
    });
    expect(part.sizeBytes / 32_000).toBeCloseTo(1.5, 1);
    const mp3 = await tools.extractAudio(path, newPath('out.mp3'));
    expect(mp3.sizeBytes * 8).toBeGreaterThan(4 * 30_000);
    expect(mp3.sizeBytes * 8).toBeLessThan(5 * 34_000);
  });

  it('says so when there is no sound', async () => {
    const path = await video('silent.mp4', '-f', 'lavfi', '-i', 'testsrc=s=32x32:r=5:d=1', ...H264);
    await expect(tools.extractAudio(path, newPath('out.mp3'))).rejects.toMatchObject({
      code: 'corrupt-media',
    });
  });
});

describe('describe', () => {
  it('names the binaries, where they come from and what protects the machine', async () => {
    expect(await tools.describe()).toMatchObject({
      ffmpeg: { version: expect.stringMatching(/^ffmpeg version/) as string },
      ffprobe: { version: expect.stringMatching(/^ffprobe version/) as string },
    });
    expect((await new FfmpegTools({ sandbox: 'off' }).describe()).sandbox).toEqual([]);
  });
});
