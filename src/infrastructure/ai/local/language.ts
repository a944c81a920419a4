import { STOP_WORDS_BY_LANGUAGE } from './stop-words.js';
import { wordsOf } from './words.js';

/** Scripts that one of the product's likely languages is written in. Kana and Hangul come before Han. */
const SCRIPTS: [RegExp, string][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Cyrillic}/gu, 'ru'],
  [/\p{Script=Arabic}/gu, 'ar'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Devanagari}/gu, 'hi'],
];
const MAX_CHARACTERS = 20_000;
/** Fewer function words than this are chance. */
const MINIMUM_HITS = 3;

/**
 * The language of a text: by its script, or by which language's function words it holds most of.
 * @returns ISO 639-1, or null when the text is too short or two languages are about as likely
 */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, MAX_CHARACTERS);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters < 3) return null;
  for (const [script, language] of SCRIPTS) {
    // A third: Japanese and Chinese pages hold many Latin names.
    if ((sample.match(script)?.length ?? 0) * 3 >= letters) {
      return language === 'ru' && /[іїєґ]/iu.test(sample) ? 'uk' : language;
    }
  }
  const words = wordsOf(sample);
  const hits = [...STOP_WORDS_BY_LANGUAGE].map(([language, stopWords]) => ({
    language,
    count: words.filter((word) => stopWords.has(word)).length,
  }));
  hits.sort((a, b) => b.count - a.count);
  const [first, second] = hits;
  if (first === undefined || second === undefined) return null;
  // A tenth of a running text are function words in any of these languages; half as much again as the runner-up.
  const isClear =
    first.count >= MINIMUM_HITS && first.count * 10 >= words.length && first.count >= 1.4 * second.count;
  return isClear ? first.language : null;
}
