import { HAS_WORD } from './query-tokens.js';

/** Words that a query excludes in plain words: "beach without people", "cat but not minka". */
export interface PlainExclusion {
  /** One word, or several that stand side by side. */
  words: string;
  /** As it was typed, with the word before: "beach without people". */
  literal: string;
}

/**
 * "no X" is not among them: "there is no planet b" is as likely a title as a wish. Languages are those that were judged in
 * test/relevance.
 */
const MARKERS: readonly (readonly string[])[] = [
  ['without'],
  ['but', 'not'],
  ['ohne'],
  ['aber', 'nicht'],
  ['sans'],
  ['mais', 'pas'],
];
const ARTICLES = new Set(
  'a an the any my our his her their its ein eine einen einem einer der die das den dem mein meine un une le la les'.split(
    ' ',
  ),
);
const ALTERNATIVES = new Set(['or', 'nor', 'oder', 'noch', 'ou', 'ni']);
/** Words that begin another thought. */
const BOUNDARIES = new Set([
  ...ALTERNATIVES,
  ...'in on at by with from for during and but near under over before after to while when where that who which'.split(
    ' ',
  ),
  ...'taken without im am auf an bei mit von vom für und aber ohne neben dans sur à au aux par avec de du des'.split(
    ' ',
  ),
  ...'pour et mais sans en'.split(' '),
]);
/** "without red cars" is about red cars; of more words side by side only the first is sure to be meant. */
const MAX_WORDS = 2;
const CLOSING = /[,.;:!?)]+$/;

/**
 * Takes out of a query what it excludes in plain words. Something wanted must stand before: "without a trace" excludes
 * nothing, and neither does "with or without you".
 * @param tokens words and "phrases" of a query, in order
 */
export function takePlainExclusions(tokens: readonly string[]): {
  tokens: string[];
  exclusions: PlainExclusion[];
} {
  const kept: string[] = [];
  const exclusions: PlainExclusion[] = [];
  let position = 0;
  while (position < tokens.length) {
    const previous = kept.at(-1);
    const marker = markerAt(tokens, position);
    const isAfterWanted =
      previous !== undefined && HAS_WORD.test(previous) && !ALTERNATIVES.has(previous.toLowerCase());
    let end = position;
    if (marker > 0 && isAfterWanted) {
      let start = position + marker;
      for (;;) {
        const taken = takeWords(tokens, start);
        if (taken === null) break;
        end = taken.end;
        const literal = [previous, ...tokens.slice(position, end)].join(' ');
        exclusions.push({ words: taken.words, literal: bare(literal) });
        if (!ALTERNATIVES.has(tokens[end]?.toLowerCase() ?? '')) break;
        start = end + 1;
      }
    }
    if (end === position) kept.push(tokens[position++]!);
    position = Math.max(position, end);
  }
  return { tokens: kept, exclusions };
}

/** How many tokens the marker has that begins here; 0 = none does. */
function markerAt(tokens: readonly string[], position: number): number {
  const marker = MARKERS.find((words) =>
    words.every((word, index) => tokens[position + index]?.toLowerCase() === word),
  );
  return marker?.length ?? 0;
}

/** The words side by side from here on, up to the end of the thought. */
function takeWords(tokens: readonly string[], start: number): { words: string; end: number } | null {
  let first = start;
  while (ARTICLES.has(tokens[first]?.toLowerCase() ?? '')) first += 1;
  let end = first;
  while (end < tokens.length && isWord(tokens[end]!)) {
    end += 1;
    if (CLOSING.test(tokens[end - 1]!)) break;
  }
  if (tokens[first]?.startsWith('"') && HAS_WORD.test(tokens[first]!)) end = first + 1;
  if (end === first) return null;
  if (end - first > MAX_WORDS) end = first + 1;
  return { words: bare(tokens.slice(first, end).join(' ')), end };
}

function isWord(token: string): boolean {
  return HAS_WORD.test(token) && !/^[-"]/.test(token) && !BOUNDARIES.has(token.toLowerCase());
}

function bare(text: string): string {
  return text.replaceAll('"', ' ').replace(/\s+/gu, ' ').trim().replace(CLOSING, '');
}
