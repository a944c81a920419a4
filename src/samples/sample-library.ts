import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { encodeFilm } from './films/film-encoder.js';
import { drawPicture, writePicture, type PictureFormat } from './picture-encoder.js';
import { COPIES, FILMS, PICTURES } from './sample-catalogue.js';
import type { SampleDetails } from './sample-types.js';

/** A file of the sample library on disk, and what it is to be uploaded with. */
export interface SampleFile extends SampleDetails {
  /** Where the file lies: `outDir` joined with `filename`. */
  path: string;
  mimeType: string;
  /** When the photo or film claims to be taken: ISO 8601, without zone for photos as cameras store it. */
  takenAt?: string;
}

const MIME_TYPES: Record<PictureFormat, string> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  tiff: 'image/tiff',
  gif: 'image/gif',
  avif: 'image/avif',
};

/**
 * Draws the sample library: about twenty pictures in the usual formats and two short films with subtitles,
 * for two users. Nothing is downloaded and no font or SVG renderer is used. Files that exist are replaced.
 *
 * @param outDir folder to write to; made when it does not exist
 * @param ffmpegPath an ffmpeg of version 4 or later
 * @returns the files in the order in which they should be uploaded
 * @throws Error when a file cannot be written, or with ffmpeg's last words when it fails
 */
export async function drawSampleLibrary(outDir: string, ffmpegPath: string): Promise<SampleFile[]> {
  await mkdir(outDir, { recursive: true });
  const pathOf = (filename: string) => join(outDir, filename);

  // ffmpeg and libvips work in threads of their own; meanwhile this thread draws what comes next.
  // The first failure stops the rest, and all have ended before it is reported.
  const stop = new AbortController();
  const tasks = [
    drawPictures(pathOf, stop.signal),
    ...FILMS.map(({ film, filename }) => encodeFilm(film, pathOf(filename), ffmpegPath, stop.signal)),
  ];
  await Promise.all(tasks.map((task) => task.catch((error: unknown) => stop.abort(error))));
  stop.signal.throwIfAborted();
  for (const { copyOf, filename } of COPIES) await copyFile(pathOf(copyOf), pathOf(filename));

  const pictures = PICTURES.map(({ scene: _scene, file, ...details }) => ({
    ...details,
    path: pathOf(details.filename),
    mimeType: MIME_TYPES[file.format],
    ...(file.camera && { takenAt: file.camera.takenAt }),
  }));
  const films = FILMS.map(({ film, ...details }) => ({
    ...details,
    path: pathOf(details.filename),
    mimeType: details.filename.endsWith('.mp4') ? 'video/mp4' : 'video/matroska',
    takenAt: film.createdAt,
  }));
  const copies = COPIES.map(({ copyOf, ...details }) => {
    const original = pictures.find((picture) => picture.filename === copyOf);
    if (!original) throw new Error(`The sample library has no picture "${copyOf}" to copy.`);
    return { ...original, customMetadata: undefined, ...details, path: pathOf(details.filename) };
  });
  return [...pictures, ...films, ...copies];
}

async function drawPictures(pathOf: (filename: string) => string, signal: AbortSignal): Promise<void> {
  for (const { scene, file, filename } of PICTURES) {
    await writePicture(drawPicture(scene, file), scene, file, pathOf(filename));
    // A start-up that draws samples still answers requests between two pictures.
    await setImmediate();
    signal.throwIfAborted();
  }
}
