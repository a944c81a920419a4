import type { TextAnalysisInput } from '../ai.types.js';
import type { Category, ContentWarning } from '../vocabulary.js';
import { conceptsOf } from './concepts.js';
import { stem } from './stemmer.js';
import { SEARCH_STOP_WORDS } from './stop-words.js';
import { wordsOf } from './words.js';

/** A category is proposed from this score on; one word of a title that speaks for it is enough. */
const MINIMUM_SCORE = 2;
/** And it must lead the second by this factor, or nobody knows. */
const MINIMUM_LEAD = 1.3;

/**
 * Which of the system's categories a file belongs to, by rules for screens and papers and by the concepts of its words.
 * @returns null when the evidence is weak or divided
 */
export function categorize(input: TextAnalysisInput): Category | null {
  const scores = new Map<Category, number>();
  const add = (category: Category, score: number): void => {
    scores.set(category, (scores.get(category) ?? 0) + score);
  };
  const sources: [text: string, weight: number, cap: number][] = [
    [input.title, 2, 6],
    ...input.labels
      // What a model saw, not what was measured: a `white` picture is about nothing.
      .filter(({ kind }) => kind === 'object' || kind === 'scene')
      .map(({ name, confidence }): [string, number, number] => [name, 1.5 * confidence, 3]),
    [input.detectedText.join(' '), 0.7, 3],
    [input.transcript, 0.5, 4],
  ];
  for (const [text, weight, cap] of sources) {
    for (const [category, count] of categoryCounts(text)) add(category, Math.min(cap, weight * count));
  }

  const readWords = wordsOf(input.detectedText.join(' ')).length;
  const has = (name: string): boolean => input.labels.some((label) => label.name === name);
  if (
    /screen\s?shot|screen[ _-]?recording|bildschirmfoto|captura de pantalla|capture d.écran/i.test(
      input.title,
    )
  ) {
    add('screenshots', 8);
  }
  // A page is bright, without much colour and full of words; a drawn picture with words is a poster or a screen.
  const isPaper = has('bright') && (has('black and white') || has('white') || has('muted colors'));
  if (isPaper && readWords >= 40) add('documents', 4);
  else if (isPaper && readWords >= 12) add('documents', 1);

  const [first, second] = [...scores].sort(([, a], [, b]) => b - a);
  if (first === undefined || first[1] < MINIMUM_SCORE) return null;
  return second === undefined || first[1] >= MINIMUM_LEAD * second[1] ? first[0] : null;
}

function categoryCounts(text: string): Map<Category, number> {
  const counts = new Map<Category, number>();
  for (const word of wordsOf(text)) {
    if (SEARCH_STOP_WORDS.has(word)) continue;
    const categories = new Set(conceptsOf(stem(word)).map(({ category }) => category));
    for (const category of categories)
      if (category !== null) counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return counts;
}

/** Words that call for a warning. English, and few: a false alarm hides somebody's picture from themselves. */
const WARNING_WORDS: Record<ContentWarning, string> = {
  nudity: 'nude nudes naked nsfw porn porno pornography topless xxx',
  violence: 'murder murdered stabbing stabbed assault beheading torture massacre gore shooting brutality',
  blood: 'bloody bloodshed bleeding gore',
  weapons: 'gun guns rifle pistol handgun shotgun grenade ammunition machete firearm firearms',
  drugs: 'cocaine heroin meth methamphetamine marijuana cannabis ecstasy lsd fentanyl',
  'self-harm': 'suicide suicidal selfharm anorexia',
  hate: 'nazi nazis swastika lynching genocide',
  profanity: 'fuck fucking fucked fucker motherfucker shit shitty bullshit asshole bitch bastard cunt',
};
const WARNING_BY_WORD = new Map<string, Set<ContentWarning>>();
for (const [warning, list] of Object.entries(WARNING_WORDS) as [ContentWarning, string][]) {
  for (const word of list.split(' ')) {
    WARNING_BY_WORD.set(word, (WARNING_BY_WORD.get(word) ?? new Set()).add(warning));
  }
}

/** The warnings that a text's own words call for, in the order of the vocabulary. */
export function contentWarningsOf(text: string): ContentWarning[] {
  const found = new Set<ContentWarning>();
  for (const word of wordsOf(text)) for (const warning of WARNING_BY_WORD.get(word) ?? []) found.add(warning);
  return (Object.keys(WARNING_WORDS) as ContentWarning[]).filter((warning) => found.has(warning));
}
