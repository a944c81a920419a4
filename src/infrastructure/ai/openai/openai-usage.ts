import { z } from 'zod';
import type { PricedUsage } from '../ai.types.js';
import { ProviderError } from '../ai.types.js';
import type { ModelPrice } from '../pricing.js';
import { addAmounts, priceSeconds, priceTokens } from '../pricing.js';

/** Input and output tokens and pictures of one call; `cachedInput` is part of `input`. */
export interface TokenCounts {
  input: number;
  output?: number;
  cachedInput?: number;
  images?: number;
}

/** What is the same for every call of one provider. */
export interface UsageHeader {
  service: string;
  operation: string;
  model: string;
  currency: string;
}

export function tokenUsage(header: UsageHeader, price: ModelPrice, tokens: TokenCounts): PricedUsage {
  return {
    ...header,
    billingUnit: 'per_token',
    units: tokens.input + (tokens.output ?? 0),
    amount: priceTokens(price, tokens),
  };
}

export function secondsUsage(header: UsageHeader, price: ModelPrice, seconds: number): PricedUsage {
  return {
    ...header,
    billingUnit: 'per_second',
    units: Math.ceil(seconds),
    amount: priceSeconds(price, seconds),
  };
}

const count = z.int().nonnegative();
const tokenCounts = z.object({
  prompt_tokens: count.positive(),
  completion_tokens: count.optional().default(0),
  prompt_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
});

/**
 * Reads the `usage` of an answer.
 * @param limits the estimate's counts. They are true upper bounds, so a greater number, like a missing, negative or
 *   fractional one, is not believed
 * @returns null when it is not believable: then the estimate is charged
 */
export function believableTokens(usage: unknown, limits: TokenCounts): TokenCounts | null {
  const parsed = tokenCounts.safeParse(usage);
  if (!parsed.success) return null;
  const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: details } = parsed.data;
  const cachedInput = details?.cached_tokens ?? 0;
  if (input > limits.input || output > (limits.output ?? 0) || cachedInput > input) return null;
  return { input, output, cachedInput, images: limits.images };
}

/** The UTF-8 length: a token of a byte-pair encoding is at least one byte, so a text has no more tokens than bytes. */
export function maxTokensOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Shortens a text to `maxBytes` of UTF-8 without splitting a character. */
export function clipToBytes(text: string, maxBytes: number): string {
  // Every UTF-16 unit is at least one byte, so what is beyond needs no encoding.
  const bytes = Buffer.from(text.slice(0, maxBytes), 'utf8');
  if (bytes.length <= maxBytes) return text.slice(0, maxBytes).toWellFormed();
  let end = maxBytes;
  // Continuation bytes look like 10xxxxxx; the cut must lie before a leading byte.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Sum of the usage of several requests of one operation. */
export function addUsage(first: PricedUsage, second: PricedUsage): PricedUsage {
  return {
    ...first,
    units: first.units + second.units,
    amount: addAmounts(first.amount, second.amount),
    referenceId: first.referenceId ?? second.referenceId,
    ...(first.estimated || second.estimated ? { estimated: true } : {}),
  };
}

/** Adds what earlier requests of the same operation cost to the error of a later one. */
export function withSpent(error: unknown, spent: PricedUsage | undefined): unknown {
  if (!(error instanceof ProviderError) || spent === undefined) return error;
  const usage = error.usage === undefined ? spent : addUsage(spent, error.usage);
  return new ProviderError(error.code, error.message, error.retryable, error.hint, {
    cause: error.cause,
    retryAfterSeconds: error.retryAfterSeconds,
    usage,
  });
}
