/** Scripts that are written without spaces: their text is cut into single characters and pairs instead of words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** A run of letters, marks and digits, with inner apostrophes kept; or one pictograph. */
const TOKEN = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’][\p{L}\p{M}]+)*|\p{Extended_Pictographic}/gu;
/** Letters that Unicode does not decompose into a base letter and an accent. */
const SPECIAL_LETTERS: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** Lower case, compatibility forms made plain, Latin, Greek and Cyrillic accents taken off: `Größe` -> `grosse`. */
export function foldText(text: string): string {
  return (
    text
      .normalize('NFKD')
      .toLowerCase()
      // Only the general accents: the vowel signs of Hindi or Thai are marks too, but part of the word.
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFC')
      .replace(/[ßæœøłđðþı]/g, (letter) => SPECIAL_LETTERS[letter] ?? letter)
  );
}

/**
 * The words of a text in order, folded. `don't` stays one word (`dont`), `dog's` becomes `dog`; text in a script
 * without spaces gives its characters one by one.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [token] of foldText(text).matchAll(TOKEN)) {
    if (UNSPACED.test(token)) {
      for (const character of token) if (/[\p{L}\p{N}]/u.test(character)) words.push(character);
    } else {
      words.push(token.replace(/['’]s$/u, '').replace(/['’]/gu, ''));
    }
  }
  return words;
}

/** Is this a character of a script without spaces, as wordsOf gives them? */
export function isUnspacedCharacter(word: string): boolean {
  return UNSPACED.test(word);
}
