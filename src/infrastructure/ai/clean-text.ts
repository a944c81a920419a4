/**
 * What must not reach a row, a page or a log line from a provider, a picture's OCR or a subtitle file:
 * control characters (PostgreSQL refuses NUL), invisible and direction-changing characters (they make one text look
 * like another), and the line and paragraph separators.
 */
const UNWANTED =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/**
 * One clean line of text.
 * @param value anything; what is not a string gives ''
 * @param maxCharacters UTF-16 units that the result has at most; a longer text ends in `…`
 */
export function cleanLine(value: unknown, maxCharacters: number): string {
  if (typeof value !== 'string') return '';
  // Cut first: a text of a hundred megabytes must not be normalised as a whole. Three times leaves room for what
  // cleaning takes away.
  const text = value
    .slice(0, maxCharacters * 3)
    // Half a surrogate pair is refused by JSONB.
    .toWellFormed()
    .replace(UNWANTED, '')
    .replace(/\s+/gu, ' ')
    .trim();
  return truncate(text, maxCharacters);
}

/** Like cleanLine for a list: empty lines and repetitions are dropped, at most `maxItems` stay. */
export function cleanLines(values: unknown, maxItems: number, maxCharacters: number): string[] {
  if (!Array.isArray(values)) return [];
  const lines = new Set<string>();
  for (const value of values) {
    if (lines.size >= maxItems) break;
    const line = cleanLine(value, maxCharacters);
    if (line !== '') lines.add(line);
  }
  return [...lines];
}

/** Shortens to `maxCharacters` UTF-16 units without splitting a surrogate pair, and shows the cut by `…`. */
export function truncate(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const end = Math.max(0, maxCharacters - 1);
  const splitsPair = end > 0 && /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return `${text.slice(0, splitsPair ? end - 1 : end).trimEnd()}…`;
}

/** Keeps a number within 0..1; what is not a finite number gives `fallback`. */
export function clampUnit(value: unknown, fallback = 0): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return fallback;
  return Math.min(1, Math.max(0, value));
}

/** Is there anything to see in this text? White space, control characters and lone accents are not. */
export function hasVisibleCharacter(text: string): boolean {
  return /[^\s\p{C}\p{M}]/u.test(text);
}
