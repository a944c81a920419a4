/**
 * Plays the newcomer's journey against a running server and prints each step with its result. Exits with 1 when any
 * step is not what it should be.
 *
 *   npm run demo                                   against http://127.0.0.1:3000
 *   npm run demo -- --url http://127.0.0.1:8080 --photo beach.jpg --video trip.mp4
 *
 * Without --photo and --video it makes a picture with text and a video with subtitles itself (needs ffmpeg).
 */
import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import sharp from 'sharp';

interface Media {
  id: string;
  status: string;
  fileType: string;
  width: number | null;
  height: number | null;
  durationSeconds: number | null;
  detectedLabels: { name: string }[];
  detectedText: string[];
  aiSummary: string | null;
  exif?: Record<string, unknown>;
  jobs: { total: number; completed: number; failed: number; progressPercentage: number };
  thumbnailUrl: string | null;
  contentUrl: string;
}
interface SearchAnswer {
  items: {
    media: Media & { title: string };
    score: number;
    matchedIn: string[];
    moments: { startSeconds: number; endSeconds: number; kind: string; text: string }[];
  }[];
  total?: number;
  plan: string;
  model: string;
  tookMs: number;
}

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    photo: { type: 'string' },
    video: { type: 'string' },
    'photo-query': { type: 'string' },
    'video-query': { type: 'string' },
  },
});
const base = options.url.replace(/\/$/, '');
/** A free account may make 100 API calls an hour: the journey waits in steps of this. */
const POLL_MS = 2000;
const WAIT_MS = 180_000;

let failures = 0;
let steps = 0;

/** Prints one step; a false condition counts as a failure, and the journey goes on. */
function step(name: string, ok: boolean, result: string): void {
  steps += 1;
  if (!ok) failures += 1;
  console.log(
    `${ok ? 'ok  ' : 'FAIL'} ${String(steps).padStart(2)}. ${name}\n        ${result.replaceAll('\n', '\n        ')}`,
  );
}

async function call(
  token: string | null,
  method: string,
  route: string,
  body?: unknown,
): Promise<{ status: number; body: never; headers: Headers; bytes: Buffer }> {
  const isForm = body instanceof FormData;
  const response = await fetch(base + route, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body !== undefined && !isForm ? { 'content-type': 'application/json' } : {}),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    body: (isJson ? JSON.parse(bytes.toString()) : null) as never,
  };
}

async function register(name: string): Promise<{ token: string; email: string }> {
  const email = `${name}-${Date.now()}@example.com`;
  const answer = await call(null, 'POST', '/v1/auth/register', { email, password: 'a-long-enough-password' });
  const { accessToken, user } = answer.body as {
    accessToken: string;
    user: { id: string; subscriptionTier: string };
  };
  step(
    `register ${name}`,
    answer.status === 201 && !!accessToken,
    `${answer.status}, ${email}, plan ${user?.subscriptionTier}`,
  );
  const login = await call(null, 'POST', '/v1/auth/login', { email, password: 'a-long-enough-password' });
  const session = login.body as { accessToken: string };
  step(`log in as ${name}`, login.status === 200 && !!session.accessToken, `${login.status}`);
  return { token: session.accessToken, email };
}

async function upload(
  token: string,
  file: string,
  title: string,
): Promise<{ media: Media; startedAt: number; status: number }> {
  const form = new FormData();
  form.set('title', title);
  form.append('tags', 'demo');
  form.set('file', await openAsBlob(file), path.basename(file));
  const startedAt = performance.now();
  const answer = await call(token, 'POST', '/v1/media', form);
  return { media: answer.body as Media, startedAt, status: answer.status };
}

/** Follows the jobs of a file to their end. */
async function followJobs(token: string, id: string): Promise<{ media: Media; seen: number[] }> {
  const seen: number[] = [];
  for (const deadline = Date.now() + WAIT_MS; ; await sleep(POLL_MS)) {
    const media = (await call(token, 'GET', `/v1/media/${id}`)).body as Media;
    seen.push(media.jobs.progressPercentage);
    if (['completed', 'failed'].includes(media.status)) return { media, seen };
    if (Date.now() > deadline)
      throw new Error(`the jobs of ${id} did not end in ${WAIT_MS / 1000} s: ${JSON.stringify(media.jobs)}`);
  }
}

async function search(token: string, body: object): Promise<SearchAnswer & { status: number }> {
  const answer = await call(token, 'POST', '/v1/search', body);
  return { ...(answer.body as SearchAnswer), status: answer.status };
}

function describe(answer: SearchAnswer): string {
  return (
    `${answer.items.length} of ${answer.total ?? '?'} in ${answer.tookMs} ms (${answer.plan}, ${answer.model})\n` +
    answer.items
      .slice(0, 3)
      .map(({ media, score, matchedIn, moments }) => {
        const moment = moments[0];
        const when = moment
          ? ` at ${moment.startSeconds}-${moment.endSeconds} s (${moment.kind}: ${moment.text.slice(0, 60)})`
          : '';
        return `${score.toFixed(3)}  ${media.title}  [${matchedIn.join(', ')}]${when}`;
      })
      .join('\n')
  );
}

/** A picture with a word in it (drawn from a 5 x 7 font), when the user brings none. */
async function makePhoto(folder: string): Promise<string> {
  const word = [
    'H:10001 10001 10001 11111 10001 10001 10001',
    'A:01110 10001 10001 11111 10001 10001 10001',
    'R:11110 10001 10001 11110 10100 10010 10001',
    'B:11110 10001 10001 11110 10001 10001 11110',
    'O:01110 10001 10001 10001 10001 10001 01110',
    'R:11110 10001 10001 11110 10100 10010 10001',
  ];
  const [width, height, scale] = [900, 600, 8];
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1)
      pixels.set(y < 330 ? [20, 60, 150] : [90, 160, 235], (y * width + x) * 3);
  }
  word.forEach((letter, column) => {
    letter
      .slice(2)
      .split(' ')
      .forEach((row, y) =>
        [...row].forEach((bit, x) => {
          if (bit === '0') return;
          for (let dy = 0; dy < scale; dy += 1) {
            for (let dx = 0; dx < scale; dx += 1) {
              pixels.set(
                [255, 255, 255],
                ((120 + y * scale + dy) * width + 140 + (column * 6 + x) * scale + dx) * 3,
              );
            }
          }
        }),
      );
  });
  const file = path.join(folder, 'blue-harbor.jpg');
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .withExif({
      IFD0: { Make: 'Demo', Model: 'Camera One' },
      IFD2: { DateTimeOriginal: '2026:06:01 12:00:00' },
    })
    // Text recognition reads round letters better than squares.
    .blur(3)
    .jpeg({ quality: 90 })
    .toFile(file);
  return file;
}

/** A video of three colours with a subtitle track, when the user brings none. */
async function makeVideo(folder: string): Promise<string> {
  const subtitles = path.join(folder, 'demo.srt');
  await writeFile(
    subtitles,
    '1\n00:00:00,500 --> 00:00:03,500\nWe leave the house early in the morning.\n\n' +
      '2\n00:00:04,500 --> 00:00:07,500\nA lighthouse keeper waves from the red tower.\n\n' +
      '3\n00:00:08,500 --> 00:00:11,500\nIn the evening we cook soup for everybody.\n',
  );
  const file = path.join(folder, 'lighthouse-trip.mp4');
  const ffmpeg = process.env['FFMPEG_PATH'] || 'ffmpeg';
  const color = (name: string): string[] => [
    '-f',
    'lavfi',
    '-i',
    `color=${name}:size=320x180:rate=10:duration=4`,
  ];
  await promisify(execFile)(ffmpeg, [
    '-y',
    '-v',
    'error',
    ...color('green'),
    ...color('red'),
    ...color('navy'),
    '-i',
    subtitles,
    '-filter_complex',
    '[0:v][1:v][2:v]concat=n=3:v=1[v]',
    '-map',
    '[v]',
    '-map',
    '3:s',
    '-c:v',
    'mpeg4',
    '-c:s',
    'mov_text',
    file,
  ]);
  return file;
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'media-search-demo-'));
try {
  const photo = options.photo ?? (await makePhoto(folder));
  const video = options.video ?? (await makeVideo(folder));
  const photoQuery = options['photo-query'] ?? (options.photo ? 'photograph' : 'harbor');
  const videoQuery = options['video-query'] ?? (options.video ? 'video' : 'lighthouse keeper');
  console.log(`The newcomer's journey against ${base}\n`);

  const ready = await call(null, 'GET', '/health/ready');
  step('the server is ready', ready.status === 200, JSON.stringify(ready.body));
  const docs = await call(null, 'GET', '/docs');
  step(
    'the documentation opens',
    docs.status === 200 && docs.bytes.includes('swagger'),
    `${docs.status}, ${docs.bytes.length} bytes`,
  );

  const ada = await register('ada');
  const eve = await register('eve');

  const picture = await upload(ada.token, photo, 'My picture');
  step(
    'upload a photograph',
    picture.status === 201,
    `${picture.status}, ${path.basename(photo)}, id ${picture.media.id}`,
  );
  const again = await upload(ada.token, photo, 'The same once more');
  step(
    'the same bytes again are the same file',
    again.status === 200 && again.media.id === picture.media.id,
    `${again.status}, id ${again.media.id}`,
  );
  const film = await upload(ada.token, video, 'My video');
  step('upload a video', film.status === 201, `${film.status}, ${path.basename(video)}, id ${film.media.id}`);

  const doneFilm = await followJobs(ada.token, film.media.id);
  const filmSeconds = (performance.now() - film.startedAt) / 1000;
  const donePicture = await followJobs(ada.token, picture.media.id);
  const rising = (figures: number[]): boolean =>
    figures.every((figure, index) => index === 0 || figure >= (figures[index - 1] ?? 0));
  step(
    'jobs of the photograph end',
    donePicture.media.status === 'completed' && donePicture.media.jobs.failed === 0,
    JSON.stringify(donePicture.media.jobs),
  );
  step(
    'jobs of the video end, progress never goes back',
    doneFilm.media.status === 'completed' && doneFilm.media.jobs.failed === 0 && rising(doneFilm.seen),
    `progress ${doneFilm.seen.join(', ')} %, searchable ${filmSeconds.toFixed(1)} s after the upload began (seen in steps of ${POLL_MS / 1000} s)`,
  );
  const found = donePicture.media;
  step(
    'the photograph was analysed',
    !!found.width && found.detectedLabels.length > 0 && !!found.thumbnailUrl,
    `${found.width} x ${found.height}; labels ${found.detectedLabels
      .slice(0, 8)
      .map(({ name }) => name)
      .join(', ')}; text ${JSON.stringify(found.detectedText)}; EXIF ${JSON.stringify(found.exif)}`,
  );
  step(
    'the video was analysed',
    !!doneFilm.media.durationSeconds && doneFilm.media.detectedLabels.length > 0,
    `${doneFilm.media.durationSeconds} s, ${doneFilm.media.width} x ${doneFilm.media.height}; ${doneFilm.media.aiSummary}`,
  );
  const thumbnail = await call(ada.token, 'GET', `/v1/media/${picture.media.id}/thumbnail`);
  step(
    'the thumbnail is a WebP picture',
    thumbnail.headers.get('content-type') === 'image/webp',
    `${thumbnail.status}, ${thumbnail.bytes.length} bytes`,
  );
  const part = await fetch(`${base}/v1/media/${film.media.id}/content`, {
    headers: { authorization: `Bearer ${ada.token}`, range: 'bytes=0-99' },
  });
  step(
    'the content comes in ranges',
    part.status === 206 && (await part.arrayBuffer()).byteLength === 100,
    `${part.status}, ${part.headers.get('content-range')}`,
  );

  for (const mode of ['hybrid', 'text', 'semantic'] as const) {
    const answer = await search(ada.token, { query: photoQuery, mode });
    // What a stranger's photograph shows cannot be known here: for files of one's own, an answer is enough.
    const right =
      answer.items[0]?.media.id === picture.media.id ||
      (options.photo !== undefined && answer.items.length >= 0);
    step(`${mode} search for "${photoQuery}"`, answer.status === 200 && right, describe(answer));
  }
  const spoken = await search(ada.token, { query: videoQuery, mode: 'hybrid' });
  const hit = spoken.items.find(({ media }) => media.id === film.media.id);
  step(
    `search for "${videoQuery}" finds the video and the moment`,
    options.video !== undefined
      ? spoken.status === 200
      : spoken.items[0] === hit &&
          hit?.moments[0] !== undefined &&
          Math.floor(hit.moments[0].startSeconds) === 4,
    describe(spoken),
  );
  const filtered = await search(ada.token, { query: videoQuery, filter: { fileType: 'image' } });
  step(
    'a filter leaves the video out',
    filtered.items.every(({ media }) => media.id !== film.media.id),
    describe(filtered),
  );

  const foreign = await call(eve.token, 'GET', `/v1/media/${picture.media.id}`);
  const absent = await call(eve.token, 'GET', '/v1/media/01900000-0000-7000-8000-000000000000');
  step(
    'another user: not by id (and no difference to an unknown one)',
    foreign.status === 404 && absent.status === 404,
    `${foreign.status} and ${absent.status}`,
  );
  const eveSearch = await search(eve.token, { query: videoQuery });
  step(
    'another user: not by search',
    eveSearch.items.length === 0 && (eveSearch.total ?? 0) === 0,
    describe(eveSearch),
  );
  const eveList = (await call(eve.token, 'GET', '/v1/media')).body as { items: unknown[] };
  const eveUsage = (await call(eve.token, 'GET', '/v1/me/usage')).body as { storage: { usedBytes: number } };
  step(
    'another user: not in a list or a count',
    eveList.items.length === 0 && eveUsage.storage.usedBytes === 0,
    `${eveList.items.length} files, ${eveUsage.storage.usedBytes} bytes`,
  );
  const usage = (await call(ada.token, 'GET', '/v1/me/usage')).body as {
    uploads: { used: number; limit: number };
    searches: { used: number };
  };
  step('usage counts two uploads (the duplicate was free)', usage.uploads.used === 2, JSON.stringify(usage));
} catch (error) {
  step('the journey was cut short', false, String(error));
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`\n${steps - failures} of ${steps} steps are as they should be.`);
process.exitCode = failures === 0 ? 0 : 1;
