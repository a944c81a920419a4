/** One word or phrase with its signs, as websearch_to_tsquery takes them apart. */
export const TOKEN = /-*"[^"]*"?|\S+/g;
/** A letter, a digit or an emoji: a token without one is none to look for. */
export const HAS_WORD = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;
