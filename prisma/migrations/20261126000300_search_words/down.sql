DROP TRIGGER IF EXISTS collect_search_words_after_change ON media_files;
DROP TRIGGER IF EXISTS collect_search_words_after_delete ON media_files;
DROP FUNCTION IF EXISTS similar_words(text, integer), forget_lost_words(integer), collect_search_words(),
  search_parts(media_files), words_of(text);
DROP TEXT SEARCH CONFIGURATION IF EXISTS words_as_written;
DROP TABLE IF EXISTS lost_words, search_words;
