import { cleanLine } from '../clean-text.js';
import { LIMITS } from '../vocabulary.js';
import { stem } from './stemmer.js';
import { SEARCH_STOP_WORDS } from './stop-words.js';
import { isUnspacedCharacter, wordsOf } from './words.js';

/** A piece of text and how much its words count. */
export interface WeightedText {
  text: string;
  weight: number;
}

/** Words that every caption, file name and measurement brings along. */
const UNTELLING = new Set(
  `image images picture pictures photo photos video videos clip img dsc dscn vid mov mp4 jpg jpeg png heic webp gif file
  copy final untitled orientation format landscape portrait square panorama mostly text light dark bright color colors
  colour sharp blurry contrast high low taken camera seconds minutes https http www com`.split(/\s+/),
);

/** Stem -> score of the telling words of some texts: 1 + ln(count) per text, times the text's weight. */
export function scoreWords(texts: WeightedText[]): Map<string, { score: number; spelling: string }> {
  const scores = new Map<string, { score: number; spelling: string }>();
  for (const { text, weight } of texts) {
    const counts = new Map<string, { count: number; spelling: string }>();
    for (const word of wordsOf(text)) {
      if (!isTelling(word)) continue;
      const key = stem(word);
      const entry = counts.get(key) ?? { count: 0, spelling: word };
      entry.count++;
      // The shortest spelling reads best: `beach` of `beaches` and `beach`.
      if (word.length < entry.spelling.length) entry.spelling = word;
      counts.set(key, entry);
    }
    for (const [key, { count, spelling }] of counts) {
      const entry = scores.get(key) ?? { score: 0, spelling };
      entry.score += weight * (1 + Math.log(count));
      if (spelling.length < entry.spelling.length) entry.spelling = spelling;
      scores.set(key, entry);
    }
  }
  return scores;
}

/** The words that tell most, best first; words of equal score in alphabetical order, so that the result is stable. */
export function topKeywords(texts: WeightedText[], maximum: number = LIMITS.keywords): string[] {
  return [...scoreWords(texts).values()]
    .sort((a, b) => b.score - a.score || (a.spelling < b.spelling ? -1 : 1))
    .slice(0, maximum)
    .map(({ spelling }) => cleanLine(spelling, LIMITS.keywordCharacters));
}

function isTelling(word: string): boolean {
  if (word.length < 3 || isUnspacedCharacter(word)) return false;
  // Numbers of files, times and prices; years are kept, people search for them.
  if (/^\d+$/.test(word)) return /^(?:19\d|20[0-3])\d$/.test(word);
  return !SEARCH_STOP_WORDS.has(word) && !UNTELLING.has(word) && !/\d{3}/.test(word);
}

const MAX_SENTENCES = 400;
/** Text with fewer sentence ends than one in so many characters has no punctuation to go by. */
const PUNCTUATED_CHARACTERS = 300;

/** Subtitles break lines in the middle of a sentence, so lines count as sentences only where nothing else ends them. */
function splitSentences(text: string): string[] {
  const ends = text.match(/[.!?…](?=\s|$)|[。！？]/gu)?.length ?? 0;
  const isPunctuated = ends * PUNCTUATED_CHARACTERS >= text.length;
  return isPunctuated
    ? text.replace(/\s+/gu, ' ').split(/(?<=[.!?…])\s+|(?<=[。！？])/u)
    : text.split(/(?<=[.!?…])\s+|\n+/u);
}

/**
 * The sentences of a text that hold most of its telling words, in their order (Luhn, "The automatic creation of
 * literature abstracts", 1958, with scores per word instead of clusters).
 * @returns '' for a text without telling words
 */
export function extractSentences(text: string, maxSentences: number, maxCharacters: number): string {
  const sentences = splitSentences(text)
    .map((sentence) => cleanLine(sentence, maxCharacters))
    .filter((sentence) => sentence !== '')
    .slice(0, MAX_SENTENCES);
  const scores = scoreWords([{ text: sentences.join('\n'), weight: 1 }]);
  const ranked = sentences
    .map((sentence, position) => {
      const stems = new Set(wordsOf(sentence).map(stem));
      let score = 0;
      for (const key of stems) score += scores.get(key)?.score ?? 0;
      // By the root of the length: neither the longest nor the shortest sentence wins by its length.
      return { sentence, position, score: score / Math.sqrt(stems.size + 3) };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.position - b.position);
  const chosen: typeof ranked = [];
  let length = 0;
  for (const candidate of ranked) {
    if (chosen.length >= maxSentences) break;
    if (length + candidate.sentence.length > maxCharacters && chosen.length > 0) continue;
    chosen.push(candidate);
    length += candidate.sentence.length + 1;
  }
  return chosen
    .sort((a, b) => a.position - b.position)
    .map(({ sentence }) => sentence)
    .join(' ');
}
