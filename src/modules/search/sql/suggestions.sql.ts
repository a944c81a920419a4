import { Prisma } from '../../../infrastructure/database/generated/client.js';

export interface SuggestionRow {
  text: string;
  kind: 'query' | 'tag' | 'label' | 'title';
}

/** Titles and searches are looked through from the newest on, this many. */
const NEWEST = 2_000;

/**
 * Completions of what has been typed, out of the user's own words: recent searches, tags, labels, titles. Prefixes are
 * compared by starts_with() and not by LIKE, so that % and _ are ordinary characters. Words that only files in the
 * trash or private files have are not suggested (C60).
 */
export function suggestionsQuery(input: { userId: string; prefix: string; perKind: number }): Prisma.Sql {
  const limit = Prisma.sql`LIMIT ${input.perKind}::integer`;
  const user = Prisma.sql`${input.userId}::uuid`;
  // Labels: a user may have a million rows of a few hundred different ones, so the index is walked from one distinct
  // label to the next (a "loose index scan") instead of read whole.
  return Prisma.sql`WITH RECURSIVE typed AS (SELECT lower(${input.prefix}::text) AS prefix),
label_names(label) AS (
  (SELECT l.label FROM media_labels l WHERE l.user_id = ${user} ORDER BY l.label LIMIT 1)
  UNION ALL
  SELECT (SELECT l.label FROM media_labels l WHERE l.user_id = ${user} AND l.label > n.label ORDER BY l.label LIMIT 1)
  FROM label_names n WHERE n.label IS NOT NULL
),
queries AS (
  SELECT recent.query_text AS text, max(recent.searched_at) AS newest
  FROM (SELECT s.query_text, s.searched_at FROM search_history s WHERE s.user_id = ${user} AND s.anonymized_at IS NULL
          -- Searches by picture and composed ones: what the history shows for them cannot be typed again.
          AND s.filters ->> 'kind' IS NULL
        ORDER BY s.searched_at DESC LIMIT ${NEWEST}::integer) recent, typed
  WHERE starts_with(lower(recent.query_text), typed.prefix)
  GROUP BY recent.query_text ORDER BY newest DESC ${limit}
),
tag_names AS (
  SELECT t.name AS text FROM tags t, typed
  WHERE t.user_id = ${user} AND starts_with(lower(t.name), typed.prefix)
    AND EXISTS (SELECT 1 FROM media_tags mt JOIN media_files m ON m.user_id = mt.user_id AND m.id = mt.media_file_id
      WHERE mt.user_id = ${user} AND mt.tag_id = t.id AND m.deleted_at IS NULL AND NOT m.is_private)
  ORDER BY lower(t.name) ${limit}
),
labels AS (
  SELECT n.label AS text FROM label_names n, typed
  WHERE starts_with(n.label, typed.prefix)
    AND EXISTS (SELECT 1 FROM media_labels l JOIN media_files m ON m.user_id = l.user_id AND m.id = l.media_file_id
      WHERE l.user_id = ${user} AND l.label = n.label AND m.deleted_at IS NULL AND NOT m.is_private)
  ORDER BY n.label ${limit}
),
titles AS (
  SELECT recent.title AS text, max(recent.uploaded_at) AS newest
  FROM (SELECT m.title, m.uploaded_at FROM media_files m
        WHERE m.user_id = ${user} AND m.deleted_at IS NULL AND NOT m.is_private
        ORDER BY m.uploaded_at DESC LIMIT ${NEWEST}::integer) recent, typed
  -- At the start of any word of the title.
  WHERE strpos(' ' || lower(recent.title), ' ' || typed.prefix) > 0
  GROUP BY recent.title ORDER BY newest DESC ${limit}
)
SELECT text, 'query' AS kind FROM queries
UNION ALL SELECT text, 'tag' FROM tag_names
UNION ALL SELECT text, 'label' FROM labels
UNION ALL SELECT text, 'title' FROM titles`;
}
