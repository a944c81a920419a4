import { ProcessFailedError } from './child-process.js';
import { MediaRejectedError } from './media-tools.types.js';

/** A file that ffmpeg gives up on. */
export function undecodableVideo(cause?: unknown): MediaRejectedError {
  return new MediaRejectedError(
    'corrupt-media',
    'The video is damaged or incomplete and cannot be read. Export or download it again and retry the upload.',
    { cause },
  );
}

function tooSlowToRead(cause: unknown): MediaRejectedError {
  return new MediaRejectedError(
    'corrupt-media',
    'Reading the video took too long. Try again; if it happens again, the file is damaged: export it anew.',
    { cause },
  );
}

export function videoTooLong(durationSeconds: number, limitSeconds: number): MediaRejectedError {
  return new MediaRejectedError(
    'video-too-long',
    `The video lasts ${inWords(durationSeconds)}; up to ${inWords(limitSeconds)} are accepted. ` +
      'Shorten it, or choose a plan that accepts longer videos.',
  );
}

export function frameTooLarge(
  size: { width: number; height: number },
  maxPixels: number,
): MediaRejectedError {
  return new MediaRejectedError(
    'image-too-large',
    `The video's frames have ${size.width} x ${size.height} pixels; at most ${Math.floor(maxPixels / 1e6)} ` +
      'megapixels are accepted. Scale it down and try again.',
  );
}

export function codecNotSupported(codec: string): MediaRejectedError {
  return new MediaRejectedError(
    'unsupported-media-type',
    `The video uses the codec "${codec}", which this server cannot decode. Convert it to H.264 and retry.`,
  );
}

/**
 * Turns what a child process says about an untrusted file into a rejection: ending with an error, taking too
 * long and talking too much are all the file's doing. Anything else (no ffmpeg, aborted) is handed on as it is.
 */
export function asVideoRejection(error: unknown): unknown {
  if (!(error instanceof ProcessFailedError) || error.failure === 'not-startable') return error;
  return error.failure === 'timeout' ? tooSlowToRead(error) : undecodableVideo(error);
}

function inWords(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes === 0) return `${whole} s`;
  return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
}
