/** Nobody waits longer than this for the next attempt. */
export const MAX_BACKOFF_MS = 15 * 60_000;

/**
 * Exponential backoff with full jitter: anything from 0 to base x 2^(attempt - 1), so that jobs which failed together
 * do not come back together (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * @param attempt the attempt that has just failed, 1 for the first
 * @param random 0 (inclusive) to 1 (exclusive)
 */
export function backoffMs(attempt: number, baseMs: number, random = Math.random()): number {
  const ceiling = Math.min(MAX_BACKOFF_MS, baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.floor(random * ceiling);
}
