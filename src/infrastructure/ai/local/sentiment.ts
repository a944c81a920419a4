import type { Sentiment } from '../ai.types.js';
import { wordsOf } from './words.js';

/** Own small list of English words that say how somebody feels; strong ones count double. */
const POSITIVE =
  words(`good nice happy glad fun funny enjoy enjoyed enjoying like liked pleasant lovely sweet cute
  beautiful pretty smile smiling laugh laughing joy win won winner success successful celebrate celebration friendly
  kind helpful thanks thank grateful proud delicious tasty cozy comfortable relaxed relaxing peaceful calm exciting
  excited hope hopeful better improved cheerful bright charming clean easy fresh safe welcome congratulations`);
const VERY_POSITIVE =
  words(`love loved loving great amazing awesome wonderful fantastic excellent perfect brilliant
  best delighted superb outstanding incredible gorgeous magnificent stunning unforgettable favorite favourite`);
const NEGATIVE =
  words(`bad sad unhappy angry annoyed annoying boring bored poor ugly dirty broken fail failed failure
  problem problems error wrong loss lose lost lonely afraid fear scared worry worried pain painful hurt sick ill tired
  difficult hard slow late cry crying complain complaint disappointed disappointing unfortunately damage damaged sorry
  stress stressful noisy cold rude unsafe mess worse missing cancelled delayed regret`);
const VERY_NEGATIVE =
  words(`hate hated terrible horrible awful worst disgusting disaster tragedy tragic death dead
  died killed kill murder violent violence attack cruel miserable devastating nightmare catastrophe unacceptable`);
const NEGATIONS =
  words(`not no never none nobody nothing neither without hardly barely cannot cant dont doesnt didnt
  isnt wasnt arent werent wont wouldnt couldnt shouldnt havent hasnt aint`);
/** A negation reaches this many words ahead: "not a very good day". */
const NEGATION_REACH = 3;

/**
 * The feeling of an English text by its words. Words of either side that outweigh the other two to one decide; both
 * sides strong is MIXED; next to nothing is NEUTRAL, and so is every other language.
 */
export function sentimentOf(text: string): Sentiment {
  let positive = 0;
  let negative = 0;
  for (const sentence of text.split(/[.!?;\n]+/)) {
    const tokens = wordsOf(sentence);
    tokens.forEach((token, index) => {
      const value = valueOf(token);
      if (value === 0) return;
      const isNegated = tokens
        .slice(Math.max(0, index - NEGATION_REACH), index)
        .some((word) => NEGATIONS.has(word));
      // "Not good" is bad, but "not great" is no more than a bit bad.
      const meant = isNegated ? -Math.sign(value) : value;
      if (meant > 0) positive += meant;
      else negative -= meant;
    });
  }
  const stronger = Math.max(positive, negative);
  if (stronger < 1) return 'NEUTRAL';
  if (stronger >= 2 * Math.min(positive, negative)) return positive > negative ? 'POSITIVE' : 'NEGATIVE';
  return 'MIXED';
}

function valueOf(token: string): number {
  if (POSITIVE.has(token)) return 1;
  if (VERY_POSITIVE.has(token)) return 2;
  if (NEGATIVE.has(token)) return -1;
  return VERY_NEGATIVE.has(token) ? -2 : 0;
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}
