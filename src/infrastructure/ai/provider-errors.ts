import type { PricedUsage, ProviderErrorCode } from './ai.types.js';
import { ProviderError } from './ai.types.js';

/** Makes a ProviderError whose code is one of the known ones. */
export function providerError(
  code: ProviderErrorCode,
  message: string,
  retryable: boolean,
  hint: string,
  options?: ErrorOptions & { retryAfterSeconds?: number; usage?: PricedUsage },
): ProviderError {
  return new ProviderError(code, message, retryable, hint, options);
}

/** The caller's signal fired. Retryable: it says nothing about the file. */
export function cancelledError(usage?: PricedUsage): ProviderError {
  return providerError('provider-cancelled', 'the call was cancelled', true, 'Start the job again.', {
    usage,
  });
}

/** A text to embed without any visible character; `index` counts from 0. */
export function emptyTextError(index: number): ProviderError {
  return providerError(
    'provider-bad-input',
    `text ${index + 1} has no visible character, so there is nothing to embed`,
    false,
    'Give a text with at least one word.',
  );
}
