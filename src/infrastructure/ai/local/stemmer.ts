/**
 * The Porter stemmer: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the author's own
 * later correction of step 2 (`abli` became `bli`, and `logi` was added). English only; a word of another language is
 * shortened in the same way on both sides of a search, which does no harm.
 */

const CONSONANT = '[^aeiou]';
const VOWEL = '[aeiouy]';
const CONSONANTS = `${CONSONANT}[^aeiouy]*`;
const VOWELS = `${VOWEL}[aeiou]*`;

/** m > 0, m = 1, m > 1 of the paper: the number of vowel-consonant sequences in a stem. */
const MEASURE_ABOVE_0 = new RegExp(`^(?:${CONSONANTS})?${VOWELS}${CONSONANTS}`);
const MEASURE_IS_1 = new RegExp(`^(?:${CONSONANTS})?${VOWELS}${CONSONANTS}(?:${VOWELS})?$`);
const MEASURE_ABOVE_1 = new RegExp(`^(?:${CONSONANTS})?${VOWELS}${CONSONANTS}${VOWELS}${CONSONANTS}`);
const HAS_VOWEL = new RegExp(`^(?:${CONSONANTS})?${VOWEL}`);
/** *o of the paper: ends consonant-vowel-consonant, the last not w, x or y. */
const ENDS_CVC = new RegExp(`^${CONSONANTS}${VOWEL}[^aeiouwxy]$`);
const ENDS_DOUBLE_CONSONANT = /([^aeiouylsz])\1$/;

const STEP_2: [string, string][] = Object.entries({
  ational: 'ate', tional: 'tion', enci: 'ence', anci: 'ance', izer: 'ize', bli: 'ble', alli: 'al', entli: 'ent',
  eli: 'e', ousli: 'ous', ization: 'ize', ation: 'ate', ator: 'ate', alism: 'al', iveness: 'ive', fulness: 'ful',
  ousness: 'ous', aliti: 'al', iviti: 'ive', biliti: 'ble', logi: 'log',
}); // prettier-ignore
const STEP_3: [string, string][] = Object.entries({
  icate: 'ic', ative: '', alize: 'al', iciti: 'ic', ical: 'ic', ful: '', ness: '',
}); // prettier-ignore
const STEP_4 =
  /^(.+?)(al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize|(?<=[st])ion)$/;

/**
 * @param word lower case, without accents
 * @returns its stem, e.g. `running` -> `run`, `beaches` -> `beach`; words of one or two letters are left alone
 */
export function stem(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word;
  // A y at the start is a consonant; written Y it is none of the vowels above.
  let w = word.startsWith('y') ? `Y${word.slice(1)}` : word;
  w = stepOneA(w);
  w = stepOneB(w);
  if (w.endsWith('y') && HAS_VOWEL.test(w.slice(0, -1))) w = `${w.slice(0, -1)}i`;
  w = replaceSuffix(w, STEP_2);
  w = replaceSuffix(w, STEP_3);
  const four = STEP_4.exec(w);
  if (four !== null && MEASURE_ABOVE_1.test(four[1]!)) w = four[1]!;
  w = stepFive(w);
  return w.toLowerCase();
}

function stepOneA(w: string): string {
  if (w.endsWith('sses') || w.endsWith('ies')) return w.slice(0, -2);
  return /[^s]s$/.test(w) ? w.slice(0, -1) : w;
}

function stepOneB(w: string): string {
  if (w.endsWith('eed')) return MEASURE_ABOVE_0.test(w.slice(0, -3)) ? w.slice(0, -1) : w;
  const match = /^(.+?)(?:ed|ing)$/.exec(w);
  if (match === null || !HAS_VOWEL.test(match[1]!)) return w;
  const rest = match[1]!;
  if (/(?:at|bl|iz)$/.test(rest)) return `${rest}e`;
  if (ENDS_DOUBLE_CONSONANT.test(rest)) return rest.slice(0, -1);
  return MEASURE_IS_1.test(rest) && ENDS_CVC.test(rest) ? `${rest}e` : rest;
}

function replaceSuffix(w: string, rules: [string, string][]): string {
  // The longest suffix that matches decides, even if its condition then fails.
  let best: [string, string] | undefined;
  for (const rule of rules) {
    if (w.endsWith(rule[0]) && rule[0].length > (best?.[0].length ?? 0)) best = rule;
  }
  if (best === undefined) return w;
  const rest = w.slice(0, -best[0].length);
  return MEASURE_ABOVE_0.test(rest) ? rest + best[1] : w;
}

function stepFive(w: string): string {
  let result = w;
  if (result.endsWith('e')) {
    const rest = result.slice(0, -1);
    if (MEASURE_ABOVE_1.test(rest) || (MEASURE_IS_1.test(rest) && !ENDS_CVC.test(rest))) result = rest;
  }
  return result.endsWith('ll') && MEASURE_ABOVE_1.test(result) ? result.slice(0, -1) : result;
}
