import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { errors, type AppError } from '../errors/app-error.js';

/** 128 bits of an HMAC-SHA-256: short enough for a URL, far beyond guessing. */
const SIGNATURE_BYTES = 16;
/** Characters of a cursor that names a place in a list. */
export const MAX_CURSOR_LENGTH = 4_096;
/** Of one that holds a vector as well. */
export const MAX_VECTOR_CURSOR_LENGTH = 8_192;

/**
 * Opaque, signed page cursors. A cursor is bound to the user and to the list it came from: another user's, another
 * list's or a changed one is refused.
 */
export class CursorCodec {
  private readonly key: KeyObject;

  /** @param secret the installation's secret; the signing key is derived from it, so that tokens and cursors differ */
  constructor(secret: string) {
    const key = hkdfSync('sha256', secret, 'ai-media-search', 'page cursors', 32);
    this.key = createSecretKey(Buffer.from(key));
  }

  /** @param kind names the list, e.g. `media`; a change of what `payload` means wants a new name */
  encode(kind: string, userId: string, payload: unknown): string {
    const body = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return `${body}.${this.sign(kind, userId, body).toString('base64url')}`;
  }

  /**
   * @param pointer where the request holds the cursor: a value of the query, unless a list is asked for with a body
   * @throws AppError 400 `invalid-cursor` when the cursor was not made by `encode` for this user and list
   */
  decode<T>(kind: string, userId: string, cursor: string, pointer = '?cursor'): T {
    const [body, signature, ...rest] = cursor.length <= MAX_VECTOR_CURSOR_LENGTH ? cursor.split('.') : [];
    if (body && signature && rest.length === 0) {
      const given = Buffer.from(signature, 'base64url');
      const expected = this.sign(kind, userId, body);
      if (given.length === expected.length && timingSafeEqual(given, expected)) {
        return JSON.parse(Buffer.from(body, 'base64url').toString()) as T;
      }
    }
    throw unusableCursor('The cursor is not valid for this list. Start again without one.', pointer);
  }

  private sign(kind: string, userId: string, body: string): Buffer {
    return createHmac('sha256', this.key)
      .update(`${kind}\n${userId}\n${body}`)
      .digest()
      .subarray(0, SIGNATURE_BYTES);
  }
}

/** @param pointer where the request holds the cursor, see CursorCodec.decode */
export function unusableCursor(detail: string, pointer: string): AppError {
  return errors.badRequest('invalid-cursor', detail, pointer);
}
