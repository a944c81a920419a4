import { AsyncLocalStorage } from 'node:async_hooks';
import type { Actor } from './actor.js';

/** What is known of the request or job under way. Set once, never changed by business code. */
export interface RequestScope {
  readonly requestId: string;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  /** Written once by RlsInterceptor (HTTP) or the job runner; null until somebody is authenticated. */
  actor: Actor | null;
}

const storage = new AsyncLocalStorage<RequestScope>();

/** Runs `fn` in a scope of its own. Everything it awaits, streams and timers included, sees the scope. */
export function runInScope<T>(scope: RequestScope, fn: () => T): T {
  return storage.run(scope, fn);
}

/** The scope under way, or null outside of requests and jobs (start-up, timers). */
export function currentScope(): RequestScope | null {
  return storage.getStore() ?? null;
}

/**
 * Sets who acts in the current scope; frozen, and final: a second, different actor in one scope is a programming error.
 * @throws Error outside of a scope or when another actor is set already.
 */
export function setActor(actor: Actor): void {
  const scope = storage.getStore();
  if (!scope) throw new Error('setActor was called outside of a request scope');
  if (scope.actor && (scope.actor.kind !== actor.kind || scope.actor.userId !== actor.userId)) {
    throw new Error('the actor of a request cannot change');
  }
  scope.actor = Object.freeze({ ...actor });
}
