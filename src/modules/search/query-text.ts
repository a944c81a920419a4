import { takePlainExclusions } from './plain-exclusions.js';
import { HAS_WORD, TOKEN } from './query-tokens.js';

/** A query in its parts. Its syntax is that of websearch_to_tsquery: words, "phrases", -not, or. */
export interface ParsedQuery {
  /** As it was typed, white space collapsed, file names in words: what text mode searches for. */
  terms: string;
  /** Without what is excluded: for highlights and moments. '' when nothing is left. */
  wantedTerms: string;
  /** The wanted words as plain text, for the embedding. '' when nothing is left. */
  meaning: string;
  /** What is excluded, in websearch syntax joined by `or`; null when nothing is. */
  excludedTerms: string | null;
  /** The wanted words and "phrases" one by one; null when the query has an `or`, which no part can lack. */
  words: string[] | null;
  /** The "phrases" among them, in websearch syntax; null when there are none, or an `or`. */
  demandedTerms: string | null;
  /** What was read as excluded although no minus says so. */
  plainlyExcluded: string[];
}

const MEDIA_FILE_NAME =
  /^-*[^"]*[^"-][^"]*\.(jpe?g|jfif|png|gif|webp|hei[cf]|avif|tiff?|bmp|dng|mp4|m4v|mov|avi|mkv|webm|mpe?g|3gp)$/i;

/**
 * @param query checked text of at most 1,000 characters
 * @param options.plainExclusions read "without X" and "but not X" as "-X"
 */
export function parseQuery(query: string, options: { plainExclusions?: boolean } = {}): ParsedQuery {
  const typed = [...query.matchAll(TOKEN)].map(([token]) =>
    MEDIA_FILE_NAME.test(token) ? fileNamePhrase(token) : token,
  );
  const { tokens, exclusions } = options.plainExclusions
    ? takePlainExclusions(typed)
    : { tokens: typed, exclusions: [] };
  const isExcluded = (token: string): boolean => token.startsWith('-') && HAS_WORD.test(token);
  const wanted = tokens.filter((token) => !isExcluded(token));
  const excluded = [
    ...tokens.filter(isExcluded).map((token) => token.replace(/^-+/, '')),
    // What says "doctors without borders" itself is no doctor with borders.
    ...exclusions.map(({ words, literal }) => `${phraseOf(words)} -"${literal}"`),
  ];
  const words = wanted.filter((token) => token.toLowerCase() !== 'or');
  const isPlain = words.length === wanted.length;
  const phrases = words.filter((token) => token.includes('"') && HAS_WORD.test(token));
  return {
    terms: [...tokens, ...exclusions.map((exclusion) => `-${phraseOf(exclusion.words)}`)].join(' '),
    wantedTerms: wanted.join(' '),
    meaning: words.join(' ').replaceAll('"', ' ').replace(/\s+/gu, ' ').trim(),
    excludedTerms: excluded.length > 0 ? excluded.join(' or ') : null,
    words: isPlain ? words.filter((token) => HAS_WORD.test(token)) : null,
    demandedTerms: isPlain && phrases.length > 0 ? phrases.join(' ') : null,
    plainlyExcluded: exclusions.map((exclusion) => exclusion.words),
  };
}

/**
 * The text search takes "IMG_2231.jpg" for the name of a host, while the documents hold the words of file names
 * (filename_words in the migrations): the phrase of these words is what finds it.
 */
function fileNamePhrase(token: string): string {
  const [, minus, name] = /^(-*)(.*)$/s.exec(token)!;
  const words = name!.replace(/([\p{Ll}\p{Nd}])(\p{Lu})/gu, '$1 $2').replace(/[._()[\]-]+/g, ' ');
  return `${minus}"${words.trim()}"`;
}

function phraseOf(words: string): string {
  return words.includes(' ') ? `"${words}"` : words;
}

/** What counts as the same query: whatever its case, spacing and composition of accents. */
export function normalizeQuery(query: string): string {
  return query.normalize('NFC').toLowerCase().replace(/\s+/gu, ' ').trim();
}
