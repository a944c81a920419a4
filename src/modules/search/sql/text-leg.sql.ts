import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { Restriction } from './restriction.sql.js';

/**
 * Where words can be found. `title`: title and file name; `visual`: tags, categories, labels and summary; `text`: text
 * read in the picture; `speech`: speech and subtitles.
 */
export const ZONES = ['title', 'visual', 'text', 'speech'] as const;
export type Zone = (typeof ZONES)[number];

export interface TextLegInput {
  userId: string;
  /**
   * What a file must hold: `terms`, in websearch syntax (words, "phrases", -not, or), as they stand; or enough of `words`,
   * each a word or "phrase".
   */
  match: { terms: string } | { words: string[] };
  /** null = all. */
  zones: Zone[] | null;
  restriction: Restriction;
  /** How many of the best files are given; null = all. */
  depth: number | null;
}

/**
 * Share of the weight of a query's words that a file must hold: with two words, the rarer one or one about as rare; with
 * three alike, two of them. Measured in docs/RELEVANCE.md: from .4 to .5 hybrid's nDCG@10 stays within .003.
 */
const MIN_COVERAGE = 0.45;
/** So many files with all the words, and those that lack some are not looked for: nobody turns so many pages. */
const PLENTY_OF_MATCHES = 200;

/** The weights D, C, B, A of search_documents(), so that the parts of a document rank as the whole does. */
const RANK_WEIGHTS = Prisma.sql`'{0.15, 0.2, 0.4, 1.0}'::real[]`;
/** 1 | 32: divided by 1 + log(length), then scaled to rank / (rank + 1). */
const RANK_NORMALISATION = Prisma.sql`33`;

/**
 * CTEs `text_matches(media_file_id, coverage, rank)`: every file that matches, coverage 1 = all the words; and
 * `text_ranked`: the best `depth` of them.
 */
export function textLeg(input: TextLegInput): Prisma.Sql {
  const cut =
    input.depth === null ? Prisma.empty : Prisma.sql`ORDER BY ${TEXT_ORDER} LIMIT ${input.depth}::integer`;
  return Prisma.sql`text_allowed AS (
  SELECT i.* FROM ${documents(input)} i WHERE true ${input.restriction.allows(Prisma.sql`i.media_file_id`)}
),
text_matches AS MATERIALIZED (
  ${input.zones === null ? WHOLE_DOCUMENTS : inZones(input, input.zones)}
),
text_ranked AS (
  SELECT t.media_file_id, t.coverage, t.rank FROM text_matches t ${cut}
)`;
}

/** Files that hold more of the query first, then those in which it stands in the better place. */
export const TEXT_ORDER = Prisma.sql`coverage DESC, rank DESC, media_file_id`;
const WHOLE_DOCUMENTS = Prisma.sql`SELECT a.media_file_id, a.coverage, a.rank FROM text_allowed a`;

/** (media_file_id, coverage, rank, enough) of the user's documents, before the restriction. */
function documents({ match, zones }: TextLegInput): Prisma.Sql {
  if ('terms' in match) {
    return Prisma.sql`(SELECT s.media_file_id, 1::real AS coverage, s.rank, NULL::tsquery AS enough
    FROM search_documents(${match.terms}) s)`;
  }
  // A part of a document may hold enough of the words where the whole one holds all.
  const plenty = zones === null ? PLENTY_OF_MATCHES : null;
  return Prisma.sql`search_documents_by_any_word(${match.words}::text[], ${MIN_COVERAGE}::real, ${plenty}::integer)`;
}

/** Matches again, within the parts of the document that the caller asked for. */
function inZones({ userId, match }: TextLegInput, zones: Zone[]): Prisma.Sql {
  const terms = 'terms' in match ? match.terms : match.words.join(' ');
  return Prisma.sql`SELECT z.media_file_id, CASE WHEN z.tsv @@ z.query THEN 1 ELSE least(z.coverage, 0.99) END AS coverage,
    ts_rank(${RANK_WEIGHTS}, z.tsv, z.query, ${RANK_NORMALISATION}) AS rank
  FROM (
    SELECT a.media_file_id, a.coverage, a.enough, websearch_to_tsquery(d.config, unaccent(${terms})) AS query,
      ${zoneVector(zones)} AS tsv
    FROM text_allowed a
    JOIN search_docs d ON d.user_id = ${userId}::uuid AND d.media_file_id = a.media_file_id
    JOIN media_files m ON m.user_id = ${userId}::uuid AND m.id = a.media_file_id
  ) z
  WHERE z.tsv @@ coalesce(z.enough, z.query)`;
}

/** Weight A is the title, B and C the visual zone, D text and speech together (refresh_search_doc in the migrations). */
function zoneVector(zones: Zone[]): Prisma.Sql {
  const hasText = zones.includes('text');
  const hasSpeech = zones.includes('speech');
  const weights = [
    ...(zones.includes('title') ? ['a'] : []),
    ...(zones.includes('visual') ? ['b', 'c'] : []),
    ...(hasText && hasSpeech ? ['d'] : []),
  ];
  const parts = [
    ...(weights.length > 0 ? [Prisma.sql`ts_filter(d.tsv, ${weights}::text[]::"char"[])`] : []),
    ...(hasText && !hasSpeech ? [TEXT_ZONE] : []),
    ...(hasSpeech && !hasText ? [SPEECH_ZONE] : []),
  ];
  return Prisma.join(parts, ' || ');
}

// Parsed again only where both kinds of text share the weight; most files have at most one of them.
const TEXT_ZONE = Prisma.sql`(CASE WHEN coalesce(m.transcription_text, '') = '' THEN ts_filter(d.tsv, '{d}')
        ELSE setweight(to_tsvector(d.config, unaccent(array_to_string(m.detected_text, ' . '))), 'D') END)`;
const SPEECH_ZONE = Prisma.sql`(CASE WHEN coalesce(m.transcription_text, '') = '' THEN ''::tsvector
        WHEN cardinality(m.detected_text) = 0 THEN ts_filter(d.tsv, '{d}')
        ELSE setweight(to_tsvector(d.config, unaccent(left(m.transcription_text, 300000))), 'D') END)`;
