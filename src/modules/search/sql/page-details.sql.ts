import { prepared } from '../../../infrastructure/database/prepared.js';
import { Prisma } from '../../../infrastructure/database/generated/client.js';
import type { HalfvecParameter } from './vector-leg.sql.js';

/** Segments of one kind looked at per file of a page; neighbours are merged afterwards and the best three stay. */
export const SEGMENTS_PER_MEDIA = 12;
/** A headline is made of this much of a long text. */
const HEADLINE_CHARACTERS = 20_000;

/**
 * Markers around a found word. Control characters, which no stored text may hold and which are taken out before, so
 * that the text can be HTML-escaped afterwards without touching the marks.
 */
export const MARK_START = '\u0002';
export const MARK_END = '\u0003';

export interface WordHitsRow {
  mediaFileId: string;
  inTitle: boolean;
  inVisual: boolean;
  inText: boolean;
  /** Texts with MARK_START and MARK_END around what was found; null where nothing was. */
  titleHeadline: string | null;
  labelsHeadline: string | null;
  summaryHeadline: string | null;
  textHeadline: string | null;
}

export interface MomentRow {
  mediaFileId: string;
  kind: 'speech' | 'visual';
  startSeconds: number;
  endSeconds: number;
  /** Words: the share of the query's words that are found here. Vectors: cosine similarity. 0..1. */
  score: number;
  text: string;
}

export interface WordsInput {
  userId: string;
  mediaFileIds: string[];
  /** The query without what it excludes. */
  terms: string;
}

/** How many moments of each kind are read of one file: those of a page, unless more are wanted. */
interface MomentsInput {
  perMedia?: number;
}

/**
 * CTE `docs`: the files of the page with the query's lexemes in each file's language. A file is on the page because
 * the whole query matches it somewhere or because it is near in meaning, so a single part may well hold only some of
 * the words: parts are compared with any of them.
 */
export function docs(input: WordsInput): Prisma.Sql {
  return Prisma.sql`docs AS MATERIALIZED (
  SELECT d.media_file_id, d.config, d.tsv, q.lexemes,
    (SELECT string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''', ' | ')
     FROM unnest(q.lexemes) AS lexeme)::tsquery AS any_word
  FROM search_docs d
  CROSS JOIN LATERAL (SELECT tsvector_to_array(to_tsvector(d.config, unaccent(${input.terms}))) AS lexemes) q
  WHERE d.user_id = ${input.userId}::uuid AND d.media_file_id = ANY(${input.mediaFileIds}::uuid[])
)`;
}

/** Where on the page the words were found, with marked excerpts. One row per file. */
export function wordHitsQuery(input: WordsInput): Prisma.Sql {
  return Prisma.sql`WITH ${docs(input)},
parts AS MATERIALIZED (
  SELECT docs.media_file_id, docs.config, docs.any_word,
    m.title, concat_ws(' ', m.title, filename_words(m.original_filename)) AS title_words,
    concat_ws(', ', array_to_string(m.tags, ', '), array_to_string(m.categories, ', '),
      (SELECT string_agg(label ->> 'name', ', ') FROM jsonb_array_elements(m.detected_labels) AS label)) AS labels,
    left(concat_ws(' · ', m.ai_summary, nullif(media_facts(m.exif), '')), ${HEADLINE_CHARACTERS}::integer) AS summary,
    left(array_to_string(m.detected_text, ' · '), ${HEADLINE_CHARACTERS}::integer) AS detected
  FROM docs JOIN media_files m ON m.user_id = ${input.userId}::uuid AND m.id = docs.media_file_id
),
found AS MATERIALIZED (
  SELECT parts.*,
    coalesce(to_tsvector(config, unaccent(title_words)) @@ any_word, false) AS in_title,
    coalesce(to_tsvector(config, unaccent(labels)) @@ any_word, false) AS in_labels,
    coalesce(to_tsvector(config, unaccent(summary)) @@ any_word, false) AS in_summary,
    coalesce(to_tsvector(config, unaccent(detected)) @@ any_word, false) AS in_detected
  FROM parts
)
SELECT media_file_id AS "mediaFileId", in_title AS "inTitle", in_labels OR in_summary AS "inVisual",
  in_detected AS "inText",
  ${headline(Prisma.sql`in_title`, Prisma.sql`title`, WHOLE_TEXT)} AS "titleHeadline",
  ${headline(Prisma.sql`in_labels`, Prisma.sql`labels`, WHOLE_TEXT)} AS "labelsHeadline",
  ${headline(Prisma.sql`in_summary`, Prisma.sql`summary`, FRAGMENTS)} AS "summaryHeadline",
  ${headline(Prisma.sql`in_detected`, Prisma.sql`detected`, FRAGMENTS)} AS "textHeadline"
FROM found`;
}

const WHOLE_TEXT = Prisma.sql`'HighlightAll=true'`;
const FRAGMENTS = Prisma.sql`'MaxFragments=2, MaxWords=20, MinWords=8, FragmentDelimiter=" … "'`;

/**
 * The text with marks. Words are found without their accents, so an accented text whose words do not show a mark gets
 * it in its unaccented form.
 */
function headline(isFound: Prisma.Sql, text: Prisma.Sql, options: Prisma.Sql): Prisma.Sql {
  const clean = Prisma.sql`translate(${text}, ${MARK_START + MARK_END}, '')`;
  const marks = Prisma.sql`concat(${options}, ', StartSel="', ${MARK_START}::text, '", StopSel="', ${MARK_END}::text, '"')`;
  return Prisma.sql`CASE WHEN ${isFound} THEN
    CASE WHEN to_tsvector(config, ${text}) @@ any_word THEN ts_headline(config, ${clean}, any_word, ${marks})
    ELSE ts_headline(config, unaccent(${clean}), any_word, ${marks}) END END`;
}

/**
 * Lines of speech and key frames of the page that hold words of the query, with their times. Only files whose text or
 * speech holds one of the words at all are read line by line.
 */
export function wordMomentsQuery(input: WordsInput & MomentsInput): Prisma.Sql {
  const perMedia = input.perMedia ?? SEGMENTS_PER_MEDIA;
  return Prisma.sql`WITH ${docs(input)}
SELECT docs.media_file_id AS "mediaFileId", moment.kind, moment.start_seconds AS "startSeconds",
  moment.end_seconds AS "endSeconds", moment.found::float8 / cardinality(docs.lexemes) AS score, moment.text
FROM docs
CROSS JOIN LATERAL (
  (SELECT 'speech' AS kind, s.start_time_seconds::float8 AS start_seconds, s.end_time_seconds::float8 AS end_seconds,
     s.text, hits.found
   FROM transcript_segments s
   CROSS JOIN LATERAL (${countFound(Prisma.sql`s.text`)}) hits
   WHERE s.user_id = ${input.userId}::uuid AND s.media_file_id = docs.media_file_id AND hits.found > 0
     AND ts_filter(docs.tsv, '{d}') @@ docs.any_word
   ORDER BY hits.found DESC, s.start_time_seconds LIMIT ${perMedia}::integer)
  UNION ALL
  (SELECT 'visual', k.start_seconds, k.end_seconds, k.text, hits.found
   FROM (${keyframeTexts(input)}) k
   CROSS JOIN LATERAL (${countFound(Prisma.sql`k.text`)}) hits
   WHERE hits.found > 0
   ORDER BY hits.found DESC, k.start_seconds LIMIT ${perMedia}::integer)
) moment
WHERE docs.any_word IS NOT NULL`;
}

function countFound(text: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`SELECT count(*)::integer AS found
     FROM unnest(tsvector_to_array(to_tsvector(docs.config, unaccent(${text})))) AS word WHERE word = ANY(docs.lexemes)`;
}

/** A key frame stands for the time until the next one, the last one until the end of the film. */
function keyframeTexts(input: WordsInput): Prisma.Sql {
  return Prisma.sql`SELECT kf.timestamp_seconds::float8 AS start_seconds,
       greatest(kf.timestamp_seconds,
         coalesce(lead(kf.timestamp_seconds) OVER (ORDER BY kf.timestamp_seconds), m.duration_seconds, 0))::float8 AS end_seconds,
       concat_ws(' · ', nullif(kf.description, ''),
         (SELECT string_agg(label ->> 'name', ', ') FROM jsonb_array_elements(
           CASE jsonb_typeof(kf.labels) WHEN 'array' THEN kf.labels ELSE '[]'::jsonb END) AS label),
         nullif(array_to_string(kf.detected_text, ' '), '')) AS text
     FROM keyframes kf
     JOIN media_files m ON m.user_id = ${input.userId}::uuid AND m.id = kf.media_file_id
     WHERE kf.user_id = ${input.userId}::uuid AND kf.media_file_id = docs.media_file_id`;
}

/** The segments of the page's videos that are nearest to the query's vector, above the floor. */
export function vectorMomentsQuery(
  input: {
    userId: string;
    mediaFileIds: string[];
    modelId: number;
    vector: HalfvecParameter;
    floor: number;
  } & MomentsInput,
): Prisma.Sql {
  return prepared(Prisma.sql`SELECT page.id AS "mediaFileId", CASE s.segment_type WHEN 'audio' THEN 'speech' ELSE 'visual' END AS kind,
  s.start_time_seconds::float8 AS "startSeconds", s.end_time_seconds::float8 AS "endSeconds", s.similarity AS score,
  s.source_text AS text
FROM unnest(${input.mediaFileIds}::uuid[]) AS page(id)
CROSS JOIN LATERAL (
  SELECT e.segment_type, e.start_time_seconds, e.end_time_seconds, e.source_text,
    1 - (e.embedding <=> ${input.vector}::halfvec(1536)) AS similarity
  FROM media_embeddings e
  WHERE e.user_id = ${input.userId}::uuid AND e.media_file_id = page.id AND e.model_id = ${input.modelId}::smallint
    AND e.segment_type <> 'full'
  ORDER BY similarity DESC, e.start_time_seconds LIMIT ${input.perMedia ?? SEGMENTS_PER_MEDIA}::integer
) s
WHERE s.similarity >= ${input.floor}::float8`);
}
