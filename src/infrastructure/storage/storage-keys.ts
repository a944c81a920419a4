/**
 * Names of stored objects. They hold ids of the server only, never a user's text, so that nothing in them can
 * leave a folder or be read as something else; a file's own name is kept in the database.
 */

/** A key that no part of this server makes: it may come from outside. */
export class InvalidStorageKeyError extends Error {
  override name = 'InvalidStorageKeyError';
}

/** Letters, digits, dot, underscore and hyphen; no segment begins with a dot, so neither `..` nor hidden files. */
const SAFE_SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
/** S3 allows 1,024 bytes. */
const MAX_KEY_LENGTH = 1024;

/** @throws InvalidStorageKeyError when a key is not made of plain segments (absolute, `..`, backslash, NUL, ...) */
export function assertSafeKey(key: string): void {
  const safe = key.length <= MAX_KEY_LENGTH && key.split('/').every((segment) => SAFE_SEGMENT.test(segment));
  if (!safe) throw new InvalidStorageKeyError('The storage key is not one that this server makes.');
}

/**
 * Like `assertSafeKey`, for the beginning of keys: it may be empty, end with a slash or in the middle of a segment.
 * @throws InvalidStorageKeyError
 */
export function assertSafePrefix(prefix: string): void {
  if (prefix === '') return;
  assertSafeKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
}

/** Everything of one user: `tenant/<userId>/`. */
export function userPrefix(userId: string): string {
  return `tenant/${userId}/`;
}

/** Everything of one media file, originals and derivatives: `tenant/<userId>/media/<mediaId>/`. */
export function mediaPrefix(userId: string, mediaId: string): string {
  return `${userPrefix(userId)}media/${mediaId}/`;
}

/** The file as it was uploaded. `extension` comes from the detected type and has no dot. */
export function originalKey(userId: string, mediaId: string, extension: string): string {
  return checked(`${mediaPrefix(userId, mediaId)}original.${extension}`);
}

/** The WebP thumbnail. */
export function thumbnailKey(userId: string, mediaId: string): string {
  return checked(`${mediaPrefix(userId, mediaId)}thumbnail.webp`);
}

/** All key frames of a video, of all runs. */
export function keyframesPrefix(userId: string, mediaId: string): string {
  return `${mediaPrefix(userId, mediaId)}keyframes/`;
}

/**
 * A key frame as JPEG.
 * @param run names the attempt that made it, so that a repeated job never overwrites what a row points to
 * @param index position in time, from 0
 */
export function keyframeKey(userId: string, mediaId: string, run: string, index: number): string {
  return checked(`${keyframesPrefix(userId, mediaId)}${run}/${String(index).padStart(4, '0')}.jpg`);
}

function checked(key: string): string {
  assertSafeKey(key);
  return key;
}
