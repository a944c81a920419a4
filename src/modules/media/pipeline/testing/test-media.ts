import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { locateFfmpeg } from '../../../../infrastructure/media-tools/ffmpeg-locator.js';
import { sharp } from '../../../../infrastructure/media-tools/sharp-setup.js';

const run = promisify(execFile);

/**
 * Writes a JPEG of 640 x 480 that is blue above and orange below, stored on its side (EXIF orientation 6), with camera,
 * date, description and place in its EXIF.
 */
export async function makePhotograph(folder: string, name = 'beachHouse.jpg'): Promise<string> {
  const file = path.join(folder, name);
  const half = { width: 640, height: 240, channels: 3 as const };
  const upright = await sharp({ create: { ...half, height: 480, background: '#1e50c8' } })
    .composite([{ input: { create: { ...half, background: '#e8801e' } }, top: 240, left: 0 }])
    .png()
    .toBuffer();
  await sharp(upright)
    .rotate(-90)
    .withExif({
      IFD0: {
        Make: 'Canon',
        Model: 'Canon EOS 40D',
        ImageDescription: 'Grandmother at the lighthouse',
      },
      IFD2: { DateTimeOriginal: '2008:05:30 15:56:01' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '43/1 28/1 2/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '11/1 53/1 7/1',
      },
    })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(file);
  return file;
}

/** What the subtitle track of `makeVideo` says. */
export const SUBTITLES = `1
00:00:00,500 --> 00:00:03,250
The sailboat leaves the harbour at dawn.

2
00:00:04,000 --> 00:00:07,500
A wonderful storm rises over the island.

3
00:00:08,000 --> 00:00:11,750
At night the stars show the way home.
`;

/** Three pictures that no two versions of one scene could be. */
const SCENES = ['smptebars', 'testsrc2', 'mandelbrot'];

/** Writes an MP4 of 12 s and 320 x 180: three scenes of 4 s, a tone, and (unless told otherwise) an English subtitle track. */
export async function makeVideo(
  folder: string,
  options: { name?: string; subtitles?: boolean; seconds?: number } = {},
): Promise<string> {
  const file = path.join(folder, options.name ?? 'harbour.mp4');
  const subtitleFile = path.join(folder, 'subtitles.srt');
  await writeFile(subtitleFile, SUBTITLES);
  const withSubtitles = options.subtitles ?? true;
  const seconds = (options.seconds ?? 12) / SCENES.length;
  const { ffmpeg } = await locateFfmpeg({});
  await run(ffmpeg.path, [
    ...['-nostdin', '-v', 'error', '-y'],
    ...SCENES.flatMap((scene) => ['-f', 'lavfi', '-i', `${scene}=size=320x180:rate=10`]),
    ...['-f', 'lavfi', '-i', 'sine=frequency=440'],
    ...(withSubtitles ? ['-i', subtitleFile] : []),
    '-filter_complex',
    `${SCENES.map((_, index) => `[${index}:v]trim=duration=${seconds},setsar=1,format=yuv420p[v${index}];`).join('')}` +
      `${SCENES.map((_, index) => `[v${index}]`).join('')}concat=n=${SCENES.length}:v=1:a=0[v]`,
    ...['-map', '[v]', '-map', `${SCENES.length}:a`],
    ...(withSubtitles
      ? ['-map', `${SCENES.length + 1}:s`, '-c:s', 'mov_text', '-metadata:s:s:0', 'language=eng']
      : []),
    ...['-c:v', 'mpeg4', '-q:v', '4', '-c:a', 'aac', '-metadata', 'creation_time=2024-03-01T10:00:00Z'],
    ...['-t', String(seconds * SCENES.length), file],
  ]);
  return file;
}
