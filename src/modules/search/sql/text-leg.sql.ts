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
  /** Websearch syntax: words, "phrases", -not, or. */
  terms: string;
  /** `index`: through search_documents(), its best `maxMatches` before filters; `scan`: every document allowed. */
  source: 'index' | 'scan';
  /** null = all. */
  zones: Zone[] | null;
  restriction: Restriction;
  /** What the index gives at most, before the restriction. */
  maxMatches: number;
  /** How many of the best files are given; null = all. */
  depth: number | null;
}

/** The weights D, C, B, A of search_documents(), so that both sources rank alike. */
const RANK_WEIGHTS = Prisma.sql`'{0.15, 0.2, 0.4, 1.0}'::real[]`;
/** 1 | 32: divided by 1 + log(length), then scaled to rank / (rank + 1). */
const RANK_NORMALISATION = Prisma.sql`33`;

/**
 * CTEs `text_matches(media_file_id, rank)`: every file that matches; `text_ranked`: the best `depth` of them; and
 * `text_facts("textMatchesCut")`: the index gave as many rows as it was allowed to, so that there may be more.
 */
export function textLeg(input: TextLegInput): Prisma.Sql {
  const cut =
    input.depth === null ? Prisma.empty : Prisma.sql`ORDER BY 2 DESC, 1 LIMIT ${input.depth}::integer`;
  return Prisma.sql`${input.source === 'index' ? fromIndex(input) : fromScan(input)},
text_matches AS MATERIALIZED (
  ${input.zones === null ? Prisma.sql`SELECT a.media_file_id, a.rank FROM text_allowed a` : inZones(input, input.zones)}
),
text_ranked AS (
  SELECT t.media_file_id, t.rank FROM text_matches t ${cut}
)`;
}

function fromIndex(input: TextLegInput): Prisma.Sql {
  return Prisma.sql`text_index AS MATERIALIZED (
  SELECT i.media_file_id, i.rank FROM search_documents(${input.terms}, ${input.maxMatches}::integer) i
),
text_facts AS (
  SELECT count(*) >= ${input.maxMatches}::integer AS "textMatchesCut" FROM text_index
),
text_allowed AS (
  SELECT i.media_file_id, i.rank FROM text_index i WHERE true ${input.restriction.allows(Prisma.sql`i.media_file_id`)}
)`;
}

function fromScan(input: TextLegInput): Prisma.Sql {
  return Prisma.sql`text_facts AS (
  SELECT false AS "textMatchesCut"
),
text_allowed AS (
  SELECT d.media_file_id, ts_rank(${RANK_WEIGHTS}, d.tsv, q.query, ${RANK_NORMALISATION}) AS rank
  FROM search_docs d
  CROSS JOIN LATERAL (SELECT websearch_to_tsquery(d.config, unaccent(${input.terms})) AS query) q
  WHERE d.user_id = ${input.userId}::uuid AND d.tsv @@ q.query ${input.restriction.allows(Prisma.sql`d.media_file_id`)}
)`;
}

/** Matches again, within the parts of the document that the caller asked for. */
function inZones(input: TextLegInput, zones: Zone[]): Prisma.Sql {
  return Prisma.sql`SELECT z.media_file_id, ts_rank(${RANK_WEIGHTS}, z.tsv, z.query, ${RANK_NORMALISATION}) AS rank
  FROM (
    SELECT a.media_file_id, websearch_to_tsquery(d.config, unaccent(${input.terms})) AS query,
      ${zoneVector(zones)} AS tsv
    FROM text_allowed a
    JOIN search_docs d ON d.user_id = ${input.userId}::uuid AND d.media_file_id = a.media_file_id
    JOIN media_files m ON m.user_id = ${input.userId}::uuid AND m.id = a.media_file_id
  ) z
  WHERE z.tsv @@ z.query`;
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
