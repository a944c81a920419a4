import type { Film } from './films/film.js';
import type { PictureFile } from './picture-encoder.js';
import type { Scene } from './scenes/scenery.js';

export type SampleOwner = 'alice' | 'bob';

/** What a sample is uploaded with. */
export interface SampleDetails {
  filename: string;
  title: string;
  tags: string[];
  /** One of the categories that every installation has. */
  category?: string;
  customMetadata?: Record<string, unknown>;
  owner: SampleOwner;
  /** What can be seen, in words; for documentation and for people who cannot see it. */
  description: string;
}

/** A picture drawn for the library. */
export interface PictureSample extends SampleDetails {
  scene: Scene;
  file: PictureFile;
}

export interface FilmSample extends SampleDetails {
  film: Film;
}

/** A second upload of exactly the same bytes by somebody else. */
export interface CopySample extends SampleDetails {
  copyOf: string;
}
