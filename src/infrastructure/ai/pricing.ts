/**
 * Prices of models and what a call costs, in exact decimal arithmetic: amounts are BigInt multiples of 10^-10, the
 * scale of NUMERIC(20,10) in the ledger, and are handed out as decimal strings.
 */

/** What a provider asks for one model. Every price is a decimal string in the table's currency. */
export interface ModelPrice {
  inputPerMillionTokens?: string;
  /** Input that the provider had in its cache. Defaults to the input price. */
  cachedInputPerMillionTokens?: string;
  outputPerMillionTokens?: string;
  /** Of audio. */
  perMinute?: string;
  /** Asked for each picture beside its tokens. */
  perImage?: string;
  /** The most tokens that one picture of 1024 x 1024 pixels can count for; part of the estimate. */
  maxTokensPerImage?: number;
}

export interface PriceTable {
  /** ISO 4217, three capital letters. */
  currency: string;
  models: Record<string, ModelPrice>;
}

/**
 * Public prices in US dollars per million tokens (whisper: per minute), as of November 2026. Prices change: override
 * them by configuration rather than trust them. Picture tokens are those of 32 x 32 pixel patches times the model's
 * factor (1,024 patches for 1024 x 1024), or of 512 x 512 tiles for gpt-4o-mini, rounded up generously.
 */
export const DEFAULT_PRICES: PriceTable = {
  currency: 'USD',
  models: {
    'text-embedding-3-small': { inputPerMillionTokens: '0.02' },
    'text-embedding-3-large': { inputPerMillionTokens: '0.13' },
    'text-embedding-ada-002': { inputPerMillionTokens: '0.10' },
    'gpt-5.4-mini': chat('0.75', '0.075', '4.50', 3_000),
    'gpt-5.4-nano': chat('0.20', '0.02', '1.25', 3_000),
    'gpt-5-mini': chat('0.25', '0.025', '2.00', 3_000),
    'gpt-5-nano': chat('0.05', '0.005', '0.40', 3_000),
    'gpt-4.1-mini': chat('0.40', '0.10', '1.60', 3_000),
    'gpt-4.1-nano': chat('0.10', '0.025', '0.40', 4_000),
    'gpt-4o-mini': chat('0.15', '0.075', '0.60', 40_000),
    'whisper-1': { perMinute: '0.006' },
  },
};

function chat(input: string, cached: string, output: string, maxTokensPerImage: number): ModelPrice {
  return {
    inputPerMillionTokens: input,
    cachedInputPerMillionTokens: cached,
    outputPerMillionTokens: output,
    maxTokensPerImage,
  };
}

/** Decimal places of every amount. */
const SCALE = 10;
const TEN_POW_SCALE = 10n ** BigInt(SCALE);
const MILLION = 1_000_000n;
const MAX_PRICE_LENGTH = 24;

/**
 * Cost of one call that is priced by tokens and pictures.
 * @param tokens whole numbers >= 0; `cachedInput` is part of `input`
 * @returns a decimal string with up to 10 decimals, rounded up, so that the ledger never shows less than was spent
 * @throws RangeError for a number of tokens that is not a whole number >= 0, or a missing price
 */
export function priceTokens(
  price: ModelPrice,
  tokens: { input: number; output?: number; cachedInput?: number; images?: number },
): string {
  const input = wholeNumber('input', tokens.input);
  const cached = wholeNumber('cachedInput', tokens.cachedInput ?? 0);
  const output = wholeNumber('output', tokens.output ?? 0);
  const images = wholeNumber('images', tokens.images ?? 0);
  if (cached > input) throw new RangeError('cachedInput is part of input and cannot be greater');
  const inputPrice = price.inputPerMillionTokens;
  let perMillion = 0n;
  perMillion += (input - cached) * required(inputPrice, 'inputPerMillionTokens', input > cached);
  perMillion +=
    cached * required(price.cachedInputPerMillionTokens ?? inputPrice, 'inputPerMillionTokens', cached > 0n);
  perMillion += output * required(price.outputPerMillionTokens, 'outputPerMillionTokens', output > 0n);
  const perImage = images * parseDecimal(price.perImage ?? '0');
  return formatDecimal(divideUp(perMillion, MILLION) + perImage);
}

/**
 * Cost of audio.
 * @param seconds length >= 0; part of a second counts as a whole one, as the providers bill it
 * @throws RangeError
 */
export function priceSeconds(price: ModelPrice, seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) throw new RangeError(`seconds must be >= 0, not ${seconds}`);
  const perMinute = required(price.perMinute, 'perMinute', seconds > 0);
  return formatDecimal(divideUp(BigInt(Math.ceil(seconds)) * perMinute, 60n));
}

/** Exact sum of decimal strings such as the ones above. */
export function addAmounts(...amounts: string[]): string {
  return formatDecimal(amounts.reduce((sum, amount) => sum + parseDecimal(amount), 0n));
}

/**
 * The default prices with the operator's own on top.
 * @param json e.g. `{"currency":"USD","models":{"my-model":{"inputPerMillionTokens":"0","outputPerMillionTokens":"0"}}}`;
 *   a model named there replaces the default's entry of that model; undefined or '' gives the defaults
 * @throws Error that says which part is wrong
 */
export function parsePriceTable(json: string | undefined, defaults: PriceTable = DEFAULT_PRICES): PriceTable {
  if (json === undefined || json.trim() === '') return defaults;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error('the price table is not JSON');
  }
  if (!isRecord(value)) throw new Error('the price table must be a JSON object');
  const currency = value['currency'] ?? defaults.currency;
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) {
    throw new Error('the price table\'s "currency" must be three capital letters, e.g. USD');
  }
  const models = value['models'] ?? {};
  if (!isRecord(models))
    throw new Error('the price table\'s "models" must be an object of model name to prices');
  const own = Object.entries(models).map(([name, price]) => [name, parseModelPrice(name, price)] as const);
  if (currency !== defaults.currency) return { currency, models: Object.fromEntries(own) };
  return { currency, models: { ...defaults.models, ...Object.fromEntries(own) } };
}

/**
 * The price of a model.
 * @throws Error when the table has none: without a price no budget could be kept, so the start is refused
 */
export function priceOf(table: PriceTable, model: string): ModelPrice {
  const price = Object.hasOwn(table.models, model) ? table.models[model] : undefined;
  if (price === undefined) {
    throw new Error(
      `no price is known for model "${model}"; add it to the price table (a model of your own server may cost "0")`,
    );
  }
  return price;
}

const DECIMAL_FIELDS = [
  'inputPerMillionTokens',
  'cachedInputPerMillionTokens',
  'outputPerMillionTokens',
  'perMinute',
  'perImage',
] as const;

function parseModelPrice(name: string, value: unknown): ModelPrice {
  if (!isRecord(value)) throw new Error(`the price of model "${name}" must be an object`);
  const price: ModelPrice = {};
  for (const [field, entry] of Object.entries(value)) {
    const where = `"${field}" of model "${name}"`;
    if (field === 'maxTokensPerImage') {
      if (typeof entry !== 'number' || !Number.isSafeInteger(entry) || entry < 0) {
        throw new Error(`${where} must be a whole number`);
      }
      price.maxTokensPerImage = entry;
      continue;
    }
    const known = DECIMAL_FIELDS.find((candidate) => candidate === field);
    if (known === undefined) throw new Error(`${where} is not known; use ${DECIMAL_FIELDS.join(', ')}`);
    if (typeof entry !== 'string') throw new Error(`${where} must be a decimal string such as "0.02"`);
    try {
      parseDecimal(entry);
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
    price[known] = entry;
  }
  return price;
}

function required(price: string | undefined, field: string, isUsed: boolean): bigint {
  if (price === undefined && isUsed) throw new RangeError(`the model's price has no ${field}`);
  return parseDecimal(price ?? '0');
}

function wholeNumber(name: string, value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number >= 0`);
  return BigInt(value);
}

/** `'0.02'` -> 200,000,000n, that is 0.02 in multiples of 10^-10. */
function parseDecimal(text: string): bigint {
  const match = text.length <= MAX_PRICE_LENGTH ? /^(\d+)(?:\.(\d{1,10}))?$/.exec(text) : null;
  if (match === null) throw new RangeError('must be a decimal >= 0 with at most 10 decimals, e.g. 0.02');
  const [, whole = '0', fraction = ''] = match;
  return BigInt(whole) * TEN_POW_SCALE + BigInt(fraction.padEnd(SCALE, '0'));
}

function formatDecimal(value: bigint): string {
  const fraction = (value % TEN_POW_SCALE).toString().padStart(SCALE, '0').replace(/0+$/, '');
  const whole = (value / TEN_POW_SCALE).toString();
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
