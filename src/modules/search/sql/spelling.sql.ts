import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** A word that no document of the user holds, with the user's own words that are like it. */
export interface UnknownWordRow {
  typed: string;
  /** Lower case, without accents: how the library's words are written. */
  normalised: string;
  candidates: { word: string; similarity: number }[];
}

/**
 * Of the words given, those that the user's library does not know, in one round trip. Known is: written like this in a
 * document, a stop word ("with", which the text search leaves out), or found by its stem. The order matters for the
 * time: the first is one step into an index, and only a word that is not found by it costs a search.
 */
export function unknownWordsQuery(typed: readonly string[], maxCandidates: number): Prisma.Sql {
  return Prisma.sql`WITH configs AS MATERIALIZED (
  SELECT DISTINCT d.config FROM search_docs d WHERE d.user_id = (SELECT app_user_id())
),
words AS MATERIALIZED (
  SELECT t.typed, t.position, lower(unaccent(t.typed)) AS normalised
  FROM unnest(${typed}::text[]) WITH ORDINALITY AS t(typed, position)
),
unwritten AS MATERIALIZED (
  SELECT w.typed, w.position, w.normalised FROM words w
  WHERE NOT EXISTS (SELECT 1 FROM search_words s WHERE s.user_id = (SELECT app_user_id()) AND s.word = w.normalised)
    AND NOT EXISTS (SELECT 1 FROM configs c WHERE to_tsvector(c.config, w.normalised) = '')
),
unknown AS MATERIALIZED (
  SELECT w.typed, w.position, w.normalised FROM unwritten w
  WHERE NOT EXISTS (SELECT 1 FROM search_documents(w.typed))
)
SELECT u.typed, u.normalised, json_agg(json_build_object('word', s.word, 'similarity', s.similarity)) AS candidates
FROM unknown u
CROSS JOIN LATERAL similar_words(u.normalised, ${maxCandidates}::integer) s
-- A stop word would be left out of the search again; in a library of several languages it is nobody's typing error.
WHERE NOT EXISTS (SELECT 1 FROM configs c WHERE to_tsvector(c.config, s.word) = '')
GROUP BY u.typed, u.position, u.normalised
ORDER BY u.position`;
}

export interface ForgottenRow {
  /** Rows of lost words looked at; 0 when nothing is due. */
  lookedAt: number;
  /** Words removed. */
  removed: number;
}

/** Looks after the words that changes took out of one user's documents; what it does stands in the migration. */
export function forgetLostWords(maxRows: number): Prisma.Sql {
  return Prisma.sql`SELECT f.looked_at AS "lookedAt", f.removed FROM forget_lost_words(${maxRows}::integer) f`;
}
