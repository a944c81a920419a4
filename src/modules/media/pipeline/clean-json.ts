/** An object of plain JSON values. */
export type JsonObject = { [key: string]: JsonValue };
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** Deeper and wider than any provider's honest answer. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 2_000;
const MAX_STRING_CHARACTERS = 20_000;

/**
 * A copy that JSONB accepts whatever a provider or a container put in: no NUL characters, no lone surrogates, no NaN;
 * what has no JSON form (functions, undefined) is left out, and size and depth are bounded.
 */
export function cleanJsonObject(value: Record<string, unknown>): JsonObject {
  return cleanObject(value, 0);
}

function cleanObject(value: object, depth: number): JsonObject {
  const copy: JsonObject = {};
  for (const [key, entry] of Object.entries(value).slice(0, MAX_ENTRIES)) {
    const cleaned = cleanValue(entry, depth + 1);
    if (cleaned !== undefined)
      Object.defineProperty(copy, cleanString(key), { value: cleaned, enumerable: true });
  }
  return copy;
}

function cleanValue(value: unknown, depth: number): JsonValue | undefined {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return cleanString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value !== 'object' || depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value))
    return value.slice(0, MAX_ENTRIES).map((entry) => cleanValue(entry, depth + 1) ?? null);
  return cleanObject(value, depth);
}

function cleanString(text: string): string {
  return text.slice(0, MAX_STRING_CHARACTERS).toWellFormed().replaceAll('\u0000', '');
}
