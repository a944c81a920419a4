import { execFile, spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { FILM_FORMAT, filmDurationSeconds, filmFrames, toSubRip, type Film } from './film.js';

/** Ten times what the slowest machine tried so far has taken: only a hanging ffmpeg runs into it. */
const ENCODING_TIMEOUT_MS = 180_000;

/** How much of ffmpeg's own words goes into an error message. */
const MESSAGE_LENGTH = 600;

/**
 * Draws a film and writes it with its subtitle track and sound: H.264 where ffmpeg has libx264, MPEG-4 part 2
 * otherwise. An `.mp4` path gets its subtitles as mov_text, an `.mkv` path as SubRip. A SubRip file lies
 * beside the film while it is made.
 *
 * @throws Error with ffmpeg's last words when it cannot be started or fails, AbortError after `signal`
 */
export async function encodeFilm(
  film: Film,
  filmPath: string,
  ffmpegPath: string,
  signal?: AbortSignal,
): Promise<void> {
  const subtitlePath = `${filmPath}.srt`;
  await writeFile(subtitlePath, toSubRip(film.cues));
  try {
    const { width, height, framesPerSecond } = FILM_FORMAT;
    const isMp4 = filmPath.endsWith('.mp4');
    const args = [
      ...[
        '-f',
        'rawvideo',
        '-pix_fmt',
        'rgb24',
        '-s',
        `${width}x${height}`,
        '-r',
        String(framesPerSecond),
        '-i',
        'pipe:0',
      ],
      ...['-f', 'lavfi', '-i', film.soundSource],
      ...['-i', subtitlePath],
      ...['-map', '0:v', '-map', '1:a', '-map', '2:s', '-t', String(filmDurationSeconds(film))],
      ...(await videoCodec(ffmpegPath)),
      ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '64k', '-c:s', isMp4 ? 'mov_text' : 'srt'],
      // Bit-exact flags leave out the encoder's version and random ids: the same build writes the same bytes.
      ...['-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact'],
      ...['-metadata', `title=${film.title}`, '-metadata', `creation_time=${film.createdAt}`],
      ...['-metadata:s:a', 'language=eng', '-metadata:s:s', 'language=eng'],
      ...(isMp4 ? ['-movflags', '+faststart'] : []),
      filmPath,
    ];
    await run(ffmpegPath, filmFrames(film), args, signal);
  } finally {
    await rm(subtitlePath, { force: true });
  }
}

async function videoCodec(ffmpegPath: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(ffmpegPath, ['-hide_banner', '-encoders'], {
    timeout: 20_000,
  });
  // A fixed number of threads, because x264's output depends on it.
  return stdout.includes('libx264')
    ? ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-g', '48', '-threads', '2']
    : ['-c:v', 'mpeg4', '-q:v', '4', '-threads', '2'];
}

/** Feeds the frames to ffmpeg, at the speed at which it takes them, and waits for its end. */
async function run(
  ffmpegPath: string,
  frames: AsyncIterable<Buffer>,
  args: string[],
  signal?: AbortSignal,
): Promise<void> {
  const child = spawn(ffmpegPath, ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: ENCODING_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    signal,
  });
  let message = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    message = (message + text).slice(-MESSAGE_LENGTH);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`ffmpeg ended with ${signal ?? code}: ${message.trim()}`)),
    );
  });
  // When ffmpeg dies, the pipe breaks too: what ffmpeg itself said is the better explanation of the two.
  const [fed, finished] = await Promise.allSettled([pipeline(Readable.from(frames), child.stdin), ended]);
  if (finished.status === 'rejected') throw finished.reason;
  if (fed.status === 'rejected') throw fed.reason;
}
