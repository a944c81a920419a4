import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { docs, type WordsInput } from './page-details.sql.js';

/** As much of a long text as the search document holds (refresh_search_doc in the migrations). */
const SEARCHED_CHARACTERS = 300_000;

/** Which parts of one file hold at least one of the query's words. */
export interface MatchedPartsRow {
  mediaFileId: string;
  inTitle: boolean;
  inFileName: boolean;
  /** The names that hold one, as they are stored and in their order. */
  tags: string[];
  categories: string[];
  labels: string[];
  inSummary: boolean;
  /** Camera, lens, caption, author: what the file says of itself. */
  inFileDetails: boolean;
  inText: boolean;
  /** Of a transcript without lines only; lines are found with their times by wordMomentsQuery. */
  inSpeech: boolean;
}

/**
 * One row for each file of the page that has a search document. wordHitsQuery puts tags, categories and labels into one
 * excerpt, from which the single name cannot be told: names may hold the comma between them, and the excerpt drops what
 * looks like a tag of HTML.
 */
export function matchedPartsQuery(input: WordsInput): Prisma.Sql {
  return Prisma.sql`WITH ${docs(input)}
SELECT docs.media_file_id AS "mediaFileId",
  ${holdsWord(Prisma.sql`m.title`)} AS "inTitle",
  ${holdsWord(Prisma.sql`filename_words(m.original_filename)`)} AS "inFileName",
  ${namesWithWord(Prisma.sql`unnest(m.tags)`)} AS tags,
  ${namesWithWord(Prisma.sql`unnest(m.categories)`)} AS categories,
  ${namesWithWord(Prisma.sql`jsonb_path_query(m.detected_labels, '$[*].name')`, Prisma.sql`n.name #>> '{}'`)} AS labels,
  ${holdsWord(Prisma.sql`m.ai_summary`)} AS "inSummary",
  ${holdsWord(Prisma.sql`media_facts(m.exif)`)} AS "inFileDetails",
  ${holdsWord(Prisma.sql`left(array_to_string(m.detected_text, ' . '), ${SEARCHED_CHARACTERS}::integer)`)} AS "inText",
  CASE WHEN m.transcription_text <> '' AND ts_filter(docs.tsv, '{d}') @@ docs.any_word AND NOT EXISTS (
      SELECT 1 FROM transcript_segments s WHERE s.user_id = ${input.userId}::uuid AND s.media_file_id = m.id)
    THEN ${holdsWord(Prisma.sql`left(m.transcription_text, ${SEARCHED_CHARACTERS}::integer)`)} ELSE false END AS "inSpeech"
FROM docs
JOIN media_files m ON m.user_id = ${input.userId}::uuid AND m.id = docs.media_file_id`;
}

function holdsWord(text: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`coalesce(to_tsvector(docs.config, unaccent(${text})) @@ docs.any_word, false)`;
}

function namesWithWord(names: Prisma.Sql, text: Prisma.Sql = Prisma.sql`n.name`): Prisma.Sql {
  return Prisma.sql`ARRAY(SELECT ${text} FROM ${names} WITH ORDINALITY AS n(name, position)
    WHERE ${holdsWord(text)} ORDER BY n.position)`;
}
