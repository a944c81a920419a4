import { setImmediate } from 'node:timers/promises';
import { Canvas } from '../drawing/canvas.js';

/** One line of a film's subtitles. Times in seconds from the start. */
export interface Cue {
  startSeconds: number;
  endSeconds: number;
  text: string;
}

/** A part of a film before one still background. */
export interface FilmScene {
  durationSeconds: number;
  /** Draws what stays; done once per scene. */
  background(canvas: Canvas): void;
  /** Draws what moves, on top of the background; `seconds` since the scene began. */
  action(canvas: Canvas, seconds: number): void;
}

/** A film that the code can draw. */
export interface Film {
  title: string;
  /** Written into the container as its creation time, ISO 8601 UTC. */
  createdAt: string;
  scenes: FilmScene[];
  /** A source of ffmpeg's lavfi device that gives the sound. */
  soundSource: string;
  cues: Cue[];
}

/** Size in pixels and frame rate of every film here. */
export const FILM_FORMAT = { width: 640, height: 360, framesPerSecond: 12 } as const;

/** Length of the whole film. */
export function filmDurationSeconds(film: Film): number {
  return film.scenes.reduce((sum, scene) => sum + scene.durationSeconds, 0);
}

/** The frames in order, each as raw RGB bytes. Lets other work of the process in between frames. */
export async function* filmFrames(film: Film): AsyncGenerator<Buffer> {
  const { width, height, framesPerSecond } = FILM_FORMAT;
  const frame = new Canvas(width, height);
  for (const scene of film.scenes) {
    const background = new Canvas(width, height);
    scene.background(background);
    for (let index = 0; index < scene.durationSeconds * framesPerSecond; index++) {
      frame.copyFrom(background);
      scene.action(frame, index / framesPerSecond);
      yield frame.toRgb();
      await setImmediate();
    }
  }
}

/** Cues as a SubRip file: number, times with a decimal comma, text, empty line. */
export function toSubRip(cues: readonly Cue[]): string {
  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23).replace('.', ',');
  return cues
    .map((cue, index) => `${index + 1}\n${time(cue.startSeconds)} --> ${time(cue.endSeconds)}\n${cue.text}\n`)
    .join('\n');
}
