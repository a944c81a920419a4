import { createHash } from 'node:crypto';
import { unusableCursor, type CursorCodec } from '../../infrastructure/http/cursor.js';

/** Where a search that stands in the history goes on. Its row keeps what was shown, the first `shown` files before the page. */
export interface SearchCursor {
  searchId: string;
  searchedAt: string;
  shown: number;
}

/** The cursor of a search that is sent again with each page. */
export interface RepeatedSearchCursor extends SearchCursor {
  /** Of everything but the page's size and place. */
  digest: string;
}

/** The cursor of a search that shows near duplicates apart, before everything else. */
export interface SimilarSearchCursor extends SearchCursor {
  /** Near duplicates that the first page showed, and how many there were. */
  near: number;
  nearTotal: number;
}

/** What a page must share with the one before, so that a cursor is not used with another search: 96 bits tell them apart. */
export function digestOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 16);
}

/**
 * @param kind of the list, see CursorCodec
 * @param search what is asked for: its digest, and in words what the cursor has to be sent with
 * @throws AppError 400 `invalid-cursor` for one of another search
 */
export function readRepeatedSearchCursor<Cursor extends RepeatedSearchCursor>(
  cursors: CursorCodec,
  kind: string,
  userId: string,
  text: string,
  search: { digest: string; inWords: string },
): Cursor {
  const cursor = cursors.decode<Cursor>(kind, userId, text, '/cursor');
  if (cursor.digest === search.digest) return cursor;
  throw unusableCursor(
    `The cursor belongs to another search. Send it with the ${search.inWords} it came from.`,
    '/cursor',
  );
}
