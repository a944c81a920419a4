/** A query in its parts. Its syntax is that of websearch_to_tsquery: words, "phrases", -not, or. */
export interface ParsedQuery {
  /** As it was typed, white space collapsed; what the text leg gets. */
  terms: string;
  /** Without what is excluded: for highlights and moments. '' when nothing is left. */
  wantedTerms: string;
  /** The wanted words as plain text, for the embedding. '' when nothing is left. */
  meaning: string;
  /** What is excluded, in websearch syntax joined by `or`; null when nothing is. */
  excludedTerms: string | null;
}

/** One word or phrase with its signs, as websearch_to_tsquery takes them apart. */
export const TOKEN = /-*"[^"]*"?|\S+/g;
export const HAS_WORD = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** @param query checked text of at most 1,000 characters */
export function parseQuery(query: string): ParsedQuery {
  const wanted: string[] = [];
  const excluded: string[] = [];
  for (const [token] of query.matchAll(TOKEN)) {
    const isExcluded = token.startsWith('-') && HAS_WORD.test(token);
    if (isExcluded) excluded.push(token.replace(/^-+/, ''));
    else wanted.push(token);
  }
  const words = wanted
    .filter((token) => token.toLowerCase() !== 'or')
    .map((token) => token.replaceAll('"', ' '));
  return {
    terms: query.trim().replace(/\s+/gu, ' '),
    wantedTerms: wanted.join(' '),
    meaning: words.join(' ').replace(/\s+/gu, ' ').trim(),
    excludedTerms: excluded.length > 0 ? excluded.join(' or ') : null,
  };
}

/** What counts as the same query: whatever its case, spacing and composition of accents. */
export function normalizeQuery(query: string): string {
  return query.normalize('NFC').toLowerCase().replace(/\s+/gu, ' ').trim();
}
