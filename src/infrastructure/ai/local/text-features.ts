import { conceptsOf } from './concepts.js';
import { stem } from './stemmer.js';
import { SEARCH_STOP_WORDS } from './stop-words.js';
import { foldText, isUnspacedCharacter, wordsOf } from './words.js';

/**
 * Weights of the kinds of feature. Chosen so that the same word beats a word with the same meaning, which beats a word
 * that only looks alike; a misspelt word still finds its original by its n-grams.
 */
const WEIGHT = {
  stem: 1,
  /** The word as it was written: ranks `painting` before `paint` for the query `painting`. */
  word: 0.25,
  /** All n-grams of one word together (as a vector length). */
  grams: 0.75,
  /** Two words in a row. */
  bigram: 0.3,
  concept: 0.8,
  broaderConcept: 0.5,
} as const;

/** Words that stand in nearly every caption of a media library and tell nothing apart. */
const COMMON_IN_CAPTIONS = new Set(
  'image images picture pictures photo photos photograph photography video videos clip file mostly orientation'.split(
    ' ',
  ),
);
const COMMON_FACTOR = 0.3;

/** Here these words are about the frame and not about what is in it: one word, without a concept. */
const FORMAT_PHRASE = /\b(landscape|portrait|square) (?:orientation|format)\b/g;
const FORMAT_WORDS: Record<string, string> = {
  landscape: 'wideframe',
  portrait: 'tallframe',
  square: 'evenframe',
};

/**
 * The features of a text and their weights: stems, words, character 3- and 4-grams, word pairs and concepts.
 * Repetition counts by 1 + ln(count).
 * @returns empty only for a text without any visible character
 */
export function textFeatures(text: string): Map<string, number> {
  const features = new FeatureCounter();
  const folded = foldText(text).replace(FORMAT_PHRASE, (_, kind: string) => FORMAT_WORDS[kind]!);
  const all = wordsOf(folded);
  const words = all.filter((word) => !SEARCH_STOP_WORDS.has(word));
  // "The Who" or "It" must be findable, so a text of stop words only keeps them.
  const kept = words.length > 0 ? words : all;

  let previous: string | undefined;
  for (const word of kept) {
    const stemmed = stem(word);
    const factor = COMMON_IN_CAPTIONS.has(word) ? COMMON_FACTOR : 1;
    features.add(`s:${stemmed}`, WEIGHT.stem * factor);
    if (!isUnspacedCharacter(word)) {
      features.add(`w:${word}`, WEIGHT.word * factor);
      const grams = characterGrams(word);
      for (const gram of grams) features.add(`g:${gram}`, (WEIGHT.grams * factor) / Math.sqrt(grams.length));
    }
    // In a script without spaces the pair of characters is what a word is elsewhere.
    const pairWeight = isUnspacedCharacter(word) ? WEIGHT.stem : WEIGHT.bigram * factor;
    if (previous !== undefined) features.add(`b:${previous} ${stemmed}`, pairWeight);
    previous = stemmed;
    for (const concept of conceptsOf(stemmed)) {
      features.add(`c:${concept.name}`, WEIGHT.concept);
      for (const broader of concept.broader) features.add(`c:${broader}`, WEIGHT.broaderConcept);
    }
  }
  const result = features.toMap();
  const visible = folded.replace(/[\s\p{C}\p{M}]+/gu, '');
  // "???" or "…" are no words, but the same signs shall find themselves.
  if (result.size === 0 && visible !== '') result.set(`x:${visible.slice(0, 100)}`, 1);
  return result;
}

/** `cat` -> `<ca`, `cat`, `at>`, `<cat`, `cat>`; a word longer than 40 letters is cut. */
function characterGrams(word: string): string[] {
  const framed = `<${word.slice(0, 40)}>`;
  const grams: string[] = [];
  for (const size of [3, 4]) {
    for (let start = 0; start + size <= framed.length; start++) grams.push(framed.slice(start, start + size));
  }
  return grams;
}

class FeatureCounter {
  private readonly entries = new Map<string, { count: number; weight: number }>();

  add(feature: string, weight: number): void {
    const entry = this.entries.get(feature);
    if (entry === undefined) {
      this.entries.set(feature, { count: 1, weight });
    } else {
      entry.count++;
      // An n-gram or a concept can come from several words: the strongest counts.
      entry.weight = Math.max(entry.weight, weight);
    }
  }

  toMap(): Map<string, number> {
    const weights = new Map<string, number>();
    for (const [feature, { count, weight }] of this.entries)
      weights.set(feature, weight * (1 + Math.log(count)));
    return weights;
  }
}
