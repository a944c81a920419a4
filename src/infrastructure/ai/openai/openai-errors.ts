import { APIConnectionError, APIError } from 'openai';
import type { PricedUsage, ProviderError } from '../ai.types.js';
import { cleanLine } from '../clean-text.js';
import { providerError } from '../provider-errors.js';

/** Waiting longer than this is left to the job machine's own schedule. */
const MAX_RETRY_AFTER_SECONDS = 3600;

/** Failures of a connection that never carried the request, so that nothing can have been billed. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Turns what the client library throws into a ProviderError that says whether another attempt makes sense and what to
 * do. The server's own message is left out: it may quote the key or the user's text, and it ends up in logs and in the
 * job's row. Its code, the parameter it complains of and the request's id are kept.
 * @param estimate charged when nobody knows whether the call was billed
 */
export function fromOpenAiError(error: unknown, estimate: PricedUsage): ProviderError {
  if (error instanceof APIConnectionError) return fromConnectionError(error, estimate);
  if (error instanceof APIError && typeof error.status === 'number') return fromStatus(error, error.status);
  // The answer began with 200, but its body was no JSON or broke off.
  return badAnswer('the answer could not be read', { ...estimate, estimated: true });
}

/** An answer that came, and was paid for, but cannot be used. Models err at random, so another attempt may succeed. */
export function badAnswer(what: string, usage: PricedUsage): ProviderError {
  return providerError(
    'provider-bad-answer',
    `the AI provider gave an unusable answer: ${what}`,
    true,
    'It is tried again by itself; if it keeps failing, choose another model.',
    { usage },
  );
}

/** The model or a content filter declined. */
export function refused(what: string, usage?: PricedUsage): ProviderError {
  return providerError(
    'provider-refused',
    `the AI provider declined to analyse this: ${what}`,
    false,
    'The file stays searchable by its name and tags; add a description by hand.',
    { usage },
  );
}

export function timedOut(milliseconds: number, estimate: PricedUsage): ProviderError {
  return providerError(
    'provider-timeout',
    `the AI provider did not answer within ${milliseconds / 1000} seconds`,
    true,
    'It is tried again by itself; if it keeps failing, check the provider or raise the time limit.',
    { usage: { ...estimate, estimated: true } },
  );
}

function fromConnectionError(error: APIConnectionError, estimate: PricedUsage): ProviderError {
  const code = systemCodeOf(error);
  const usage = code !== undefined && NEVER_SENT.has(code) ? undefined : { ...estimate, estimated: true };
  return providerError(
    'provider-unavailable',
    `the AI provider cannot be reached${code === undefined ? '' : ` (${code})`}`,
    true,
    'It is tried again by itself; if it keeps failing, check the base URL and the network.',
    { usage },
  );
}

function fromStatus(error: APIError, status: number): ProviderError {
  const retryAfterSeconds = retryAfterOf(error.headers);
  const code = cleanLine(error.code ?? error.type, 60);
  const details = [code, cleanLine(error.param, 60), cleanLine(error.requestID, 80)].filter(
    (part) => part !== '',
  );
  const message = `the AI provider answered ${status}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
  if (status === 401) {
    return providerError('provider-unauthorized', message, false, 'Check the API key of the AI provider.');
  }
  if (status === 403) {
    return providerError(
      'provider-forbidden',
      message,
      false,
      'The API key may not use this model or region; check its permissions.',
    );
  }
  if (status === 404) {
    return providerError('provider-not-found', message, false, 'Check the base URL and the model names.');
  }
  if (status === 429 && /insufficient_quota|billing/.test(code)) {
    return providerError(
      'provider-quota-exhausted',
      message,
      false,
      'The account at the AI provider is out of credit; top it up, then retry.',
    );
  }
  if (status === 429) {
    return providerError(
      'provider-rate-limited',
      message,
      true,
      'It is tried again by itself after a while.',
      {
        retryAfterSeconds,
      },
    );
  }
  if (/content_policy|content_filter|moderation/.test(code)) return refused(message);
  if (status === 408 || status === 409 || status >= 500) {
    return providerError(
      'provider-unavailable',
      message,
      true,
      "It is tried again by itself; if it keeps failing, see the provider's status page.",
      { retryAfterSeconds },
    );
  }
  return providerError(
    'provider-bad-request',
    message,
    false,
    'The model does not take such a request; check that it supports pictures and JSON schemas.',
  );
}

/** `retry-after-ms`, else `retry-after` in seconds or as an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterOf(headers: Headers | undefined): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') || NaN);
  const value = headers?.get('retry-after') || undefined;
  let seconds = milliseconds / 1000;
  if (!Number.isFinite(seconds) && value !== undefined) {
    seconds = Number(value);
    if (!Number.isFinite(seconds)) seconds = (Date.parse(value) - Date.now()) / 1000;
  }
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(MAX_RETRY_AFTER_SECONDS, Math.ceil(seconds));
}

/** The code of the system or of undici, however deep it is wrapped. */
function systemCodeOf(error: Error): string | undefined {
  let cause: unknown = error;
  for (let depth = 0; depth < 6 && typeof cause === 'object' && cause !== null; depth++) {
    const code: unknown = 'code' in cause ? cause.code : undefined;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return undefined;
}
