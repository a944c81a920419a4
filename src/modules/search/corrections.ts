import { optimalStringAlignmentDistance } from './edit-distance.js';
import { HAS_WORD, TOKEN } from './query-tokens.js';

/** A query in other words, and what was replaced in it, in the order of the query. */
export interface Correction {
  /** The query with its quotes, signs, spacing and order as they were. */
  terms: string;
  replaced: { from: string; to: string }[];
}

/** A word of the user's own that shares trigrams with what was typed. */
export interface Candidate {
  /** Lower case, without accents. */
  word: string;
  /** 0..1, as pg_trgm has it. */
  similarity: number;
}

/** Where in the query a word stands, in UTF-16 units. */
interface WordPlace {
  word: string;
  start: number;
  end: number;
}

/** The text search takes accents away first, and then every dash is a minus. */
const EXCLUDING = /^[\p{Pd}\u2212]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const MIN_LETTERS = 4;
/** The words of a library are no longer than this (search_words in the migrations). */
const MAX_LETTERS = 40;
/** From this length on, two typing errors. */
const TWO_EDITS_FROM = 6;
/** Of words that are equally near, and of their combinations. */
const MAX_EQUALS = 3;
const MAX_COMBINATIONS = 6;

/**
 * Words of a query that may be corrected: wanted ones of 4 to 40 letters. Not what stands in quotes, which asks for just
 * that; not what is excluded by a minus, not the operator `or`, not numbers.
 * @param terms websearch syntax: words, "phrases", -not, or
 */
export function correctableWords(terms: string): WordPlace[] {
  const places: WordPlace[] = [];
  for (const token of terms.matchAll(TOKEN)) {
    if (token[0].startsWith('"') || (EXCLUDING.test(token[0]) && HAS_WORD.test(token[0]))) continue;
    for (const match of token[0].matchAll(WORD)) {
      const [word] = match;
      const letters = Array.from(word.normalize('NFC')).length;
      if (letters < MIN_LETTERS || letters > MAX_LETTERS || !/\p{L}/u.test(word)) continue;
      const start = token.index + match.index;
      places.push({ word, start, end: start + word.length });
    }
  }
  return places;
}

/**
 * The candidates with the fewest typing errors from the word: at most 1 in words of 4 and 5 letters, 2 in longer ones;
 * of these the one most alike first, then by the alphabet. Digits are never changed.
 * @param word lower case, without accents
 * @returns up to three, all with the same number of errors; none when none is near enough
 */
export function nearestCandidates(word: string, candidates: readonly Candidate[]): string[] {
  const letters = Array.from(word).length;
  if (letters < MIN_LETTERS) return [];
  const maxEdits = letters < TWO_EDITS_FROM ? 1 : 2;
  const digits = digitsOf(word);
  const near = candidates
    .filter((candidate) => candidate.word !== word && digitsOf(candidate.word) === digits)
    .map((candidate) => ({ ...candidate, edits: optimalStringAlignmentDistance(word, candidate.word) }))
    .filter(({ edits }) => edits <= maxEdits)
    .sort(
      (a, b) =>
        a.edits - b.edits || b.similarity - a.similarity || (a.word < b.word ? -1 : a.word > b.word ? 1 : 0),
    );
  return near
    .filter(({ edits }) => edits === near[0]!.edits)
    .slice(0, MAX_EQUALS)
    .map((candidate) => candidate.word);
}

/**
 * Every choice of one value for each key, those with the first values first.
 * @returns up to six; one without anything for no keys
 */
export function combinationsOf(values: ReadonlyMap<string, readonly string[]>): Map<string, string>[] {
  let choices: { places: number; words: [string, string][] }[] = [{ places: 0, words: [] }];
  for (const [key, words] of values) {
    choices = choices.flatMap((choice) =>
      words.map((word, place) => ({
        places: choice.places + place,
        words: [...choice.words, [key, word] as [string, string]],
      })),
    );
    choices = choices.sort((a, b) => a.places - b.places).slice(0, MAX_COMBINATIONS);
  }
  return choices.map(({ words }) => new Map(words));
}

/**
 * Puts the corrected words in place.
 * @param corrections word as typed -> what to put there
 * @returns null when there is nothing to put
 */
export function replaceWords(terms: string, corrections: ReadonlyMap<string, string>): Correction | null {
  let corrected = '';
  let position = 0;
  const replaced = new Map<string, string>();
  for (const { word, start, end } of correctableWords(terms)) {
    const to = corrections.get(word);
    if (to === undefined) continue;
    corrected += terms.slice(position, start) + to;
    position = end;
    replaced.set(word, to);
  }
  if (replaced.size === 0) return null;
  return {
    terms: corrected + terms.slice(position),
    replaced: [...replaced].map(([from, to]) => ({ from, to })),
  };
}

function digitsOf(word: string): string {
  return word.replace(/\P{N}/gu, '');
}
