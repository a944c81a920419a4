import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FfmpegTools } from './ffmpeg.js';
import { detectFileType } from './file-type-detector.js';
import type { DetectedType } from './media-tools.types.js';
import { makeVideo, quarters } from './testing/make-media.js';

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

describe('probe', () => {
  it.each([
    ['a.mp4', 'video/mp4', H264, ['-c:a', 'aac'], 'h264', 'aac'],
    ['a.mov', 'video/quicktime', H264, ['-c:a', 'aac'], 'h264', 'aac'],
    ['a.mkv', 'video/matroska', H264, ['-c:a', 'libmp3lame'], 'h264', 'mp3'],
    ['a.webm', 'video/webm', ['-c:v', 'libvpx', '-b:v', '200k'], ['-c:a', 'libvorbis'], 'vp8', 'vorbis'],
    ['a.avi', 'video/vnd.avi', ['-c:v', 'mpeg4'], ['-c:a', 'libmp3lame'], 'mpeg4', 'mp3'],
  ])('reads %s', async (name, mimeType, videoCodec, audioCodec, expectedVideo, expectedAudio) => {
    const sources = [
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=64x48:rate=10:duration=2',
      '-f',
      'lavfi',
      '-i',
      'sine=d=2',
    ];
    const found = await probe(await video(name, ...sources, ...videoCodec, ...audioCodec));
    expect(found).toMatchObject({
      mimeType,
      width: 64,
      height: 48,
      frameRate: 10,
      rotationDegrees: 0,
      hasAudio: true,
      videoCodec: expectedVideo,
      audioCodec: expectedAudio,
    });
    expect(found.durationSeconds).toBeGreaterThan(1.9);
    expect(found.durationSeconds).toBeLessThan(2.2);
  });

  it('measures the duration of a recording whose container states none', async () => {
    const path = newPath('live.webm');
    const live = await video(
      'whole.webm',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=32x32:rate=10:duration=3',
      '-c:v',
      'libvpx',
    );
    // Written as a stream, like a browser's MediaRecorder: the header comes before the length is known.
    await makeVideo('-i', live, '-c', 'copy', '-live', '1', '-f', 'webm', path);
    expect((await probe(path)).durationSeconds).toBeCloseTo(3, 0);
  });

  it('does not believe a header that claims less than the file plays', async () => {
    const path = await video(
      'lie.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=32x32:rate=5:duration=30',
      ...H264,
    );
    const bytes = await readFile(path);
    for (const [box, field] of [
      ['mvhd', 16],
      ['tkhd', 24],
      ['mdhd', 20],
    ] as const) {
      bytes.writeUInt32BE(10, bytes.indexOf(box) + field);
    }
    await writeFile(path, bytes);
    expect((await probe(path)).durationSeconds).toBeGreaterThan(29);
    await expect(probe(path, 20)).rejects.toMatchObject({ code: 'video-too-long' });
  });

  it('refuses a video above the limit and says both lengths', async () => {
    const path = await video(
      'long.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=32x32:rate=2:duration=90',
      ...H264,
    );
    await expect(probe(path, 60)).rejects.toMatchObject({
      code: 'video-too-long',
      message: expect.stringContaining('lasts 1 min 30 s; up to 1 min are accepted') as string,
    });
    expect((await probe(path, 90)).durationSeconds).toBe(90);
  });

  it('refuses sound without moving pictures, with and without cover art', async () => {
    const sound = await video('sound.mp4', '-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'aac');
    await expect(probe(sound)).rejects.toMatchObject({ code: 'video-without-streams' });
    const cover = newPath('cover.png');
    await writeFile(cover, await quarters(32, 32));
    const withCover = await video(
      'cover.mp4',
      ...[
        '-i',
        sound,
        '-i',
        cover,
        '-map',
        '0',
        '-map',
        '1',
        '-c',
        'copy',
        '-disposition:v:0',
        'attached_pic',
      ],
    );
    await expect(probe(withCover)).rejects.toMatchObject({ code: 'video-without-streams' });
  });

  it('refuses videos that cannot be read or decoded', async () => {
    const path = await video(
      'whole.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=64x48:rate=10:duration=2',
      ...H264,
    );
    const detected = await detectFileType(path);
    const bytes = await readFile(path);
    // The index of an MP4 is at its end unless it was moved.
    const cut = newPath('cut.mp4');
    await writeFile(cut, bytes.subarray(0, bytes.length / 2));
    await expect(tools.probe(cut, detected)).rejects.toMatchObject({ code: 'corrupt-media' });
    const garbled = Buffer.from(bytes);
    garbled.fill(0xa5, bytes.indexOf('mdat') + 4, bytes.indexOf('moov') - 4);
    const damaged = newPath('damaged.mp4');
    await writeFile(damaged, garbled);
    await expect(tools.probe(damaged, detected)).rejects.toMatchObject({ code: 'corrupt-media' });
  });

  it('refuses frames of more than 67 megapixels', async () => {
    const path = await video(
      'huge.mkv',
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=size=9000x8000:rate=1:duration=1',
        '-c:v',
        'mjpeg',
        '-pix_fmt',
        'yuvj420p',
      ],
    );
    await expect(probe(path)).rejects.toMatchObject({
      code: 'image-too-large',
      message: expect.stringContaining('9000 x 8000') as string,
    });
  });

  it('gives up on time and blames the file, but not for a cancelled job', async () => {
    const path = await video(
      'short.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=32x32:rate=5:duration=1',
      ...H264,
    );
    const detected = await detectFileType(path);
    const hasty = new FfmpegTools({ probeTimeoutSeconds: 0.001 });
    await expect(hasty.probe(path, detected)).rejects.toMatchObject({ code: 'corrupt-media' });
    const cancelled = { signal: AbortSignal.abort(new Error('cancelled')) };
    await expect(tools.probe(path, detected, cancelled)).rejects.toThrow('cancelled');
    const missing = new FfmpegTools({ ffmpegPath: join(folder, 'none') });
    await expect(missing.probe(path, detected)).rejects.toThrow(/^FFMPEG_PATH points to/);
  });
});

describe('C14: hostile files', () => {
  const MP4: DetectedType = { fileType: 'video', mimeType: 'video/mp4', extension: 'mp4' };

  it('reaches neither the network nor other files through a playlist or a list', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const secret = await video(
      'secret.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=32x32:rate=5:duration=1',
      ...H264,
    );
    const hostile = [
      `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nhttp://127.0.0.1:${port}/a.ts\n#EXT-X-ENDLIST\n`,
      `#EXTM3U\n#EXTINF:10.0,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
      `ffconcat version 1.0\nfile '${secret}'\n`,
      `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://127.0.0.1:${port}/</BaseURL></MPD>`,
    ];
    for (const content of hostile) {
      const path = newPath('hostile.mp4');
      await writeFile(path, content);
      await expect(tools.probe(path, MP4)).rejects.toMatchObject({ code: 'corrupt-media' });
    }
    await new Promise((resolve) => server.close(resolve));
    expect(connections).toBe(0);
  });

  it('takes a path that looks like an option or a protocol for a path', async () => {
    const path = await video(
      'plain.mp4',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=32x32:rate=5:duration=1',
      ...H264,
    );
    const odd = join(await newFolder(), 'concat:-i 100%d.mp4');
    await writeFile(odd, await readFile(path));
    const found = await tools.probe(odd, MP4);
    expect(found.width).toBe(32);
    const out = join(await newFolder(), 'per%cent');
    expect(await tools.keyframes(odd, found, out)).toHaveLength(1);
  });

  it('survives damaged bytes anywhere in a video', async () => {
    const path = await video(
      'whole.mkv',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=64x48:rate=10:duration=1',
      ...H264,
    );
    const whole = await readFile(path);
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 20; change += 1) {
        // A fixed sequence, so that a failure can be repeated.
        const at = 40 + ((seed * 7919 + change * 104_729) % (bytes.length - 40));
        bytes[at] = (bytes[at] as number) ^ (1 + ((seed * 31 + change * 17) % 255));
      }
      const damaged = newPath('damaged.mkv');
      await writeFile(damaged, bytes);
      const outcome = await tools
        .probe(damaged, { fileType: 'video', mimeType: 'video/matroska', extension: 'mkv' })
        .then(() => 'accepted')
        .catch((error: { code?: string; message: string }) => error.code ?? error.message);
      outcomes.add(outcome);
    }
    expect(['accepted', 'corrupt-media', 'video-without-streams', 'unsupported-media-type']).toEqual(
      expect.arrayContaining([...outcomes]),
    );
  });
});
