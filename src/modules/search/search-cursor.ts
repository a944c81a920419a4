import { createHash } from 'node:crypto';
import { errors, type AppError } from '../../infrastructure/errors/app-error.js';

/** Where a search that stands in the history goes on. Its row keeps what was shown, the first `shown` files before the page. */
export interface SearchCursor {
  searchId: string;
  searchedAt: string;
  shown: number;
}

/** What a page must share with the one before, so that a cursor is not used with another search: 96 bits tell them apart. */
export function digestOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 16);
}

/** @param pointer where the request holds the cursor */
export function unusableCursor(detail: string, pointer = '/cursor'): AppError {
  return errors.badRequest('invalid-cursor', detail, pointer);
}

/** The history was cleared meanwhile, or is too old. */
export function forgottenSearch(): AppError {
  return unusableCursor('This search is not in your history any more. Start again without a cursor.');
}
