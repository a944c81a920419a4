import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import {
  combinationsOf,
  correctableWords,
  nearestCandidates,
  replaceWords,
  type Correction,
} from './corrections.js';
import { unknownWordsQuery, type UnknownWordRow } from './sql/spelling.sql.js';

/** Words of one query that are looked up; more are left as they are. */
const MAX_WORDS = 8;
/**
 * Per word, and all that similar_words() gives. A word of four letters with two of them swapped has one trigram in
 * common with what was meant, as hundreds of others have: with 200 candidates, three of four were missed in a library
 * of 50,000 words.
 */
const MAX_CANDIDATES = 1_000;

/** Finds what a query with typing errors could have meant, out of the user's own words. */
@Injectable()
export class SpellingService {
  /**
   * Replaces the words that the user's library does not hold by those of its words that are nearest. Words of files in
   * the trash and of private files are among them: show a correction only when its search finds something.
   * @param tx a transaction of the user's
   * @param terms websearch syntax: words, "phrases", -not, or; without NUL
   * @returns the likeliest first; several where words are equally near; none when every word is known or none has anything
   *   near it
   */
  async correct(tx: Transaction, terms: string): Promise<Correction[]> {
    const typed = [...new Set(correctableWords(terms).map(({ word }) => word))].slice(0, MAX_WORDS);
    if (typed.length === 0) return [];
    const rows = await tx.$queryRaw<UnknownWordRow[]>(unknownWordsQuery(typed, MAX_CANDIDATES));
    const corrections = new Map<string, string[]>();
    for (const { typed: word, normalised, candidates } of rows) {
      const nearest = nearestCandidates(normalised, candidates);
      if (nearest.length > 0) corrections.set(word, nearest);
    }
    return combinationsOf(corrections)
      .map((combination) => replaceWords(terms, combination))
      .filter((correction) => correction !== null);
  }
}
