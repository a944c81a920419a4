-- What was written lately waits in a list at the head of these indexes, which belong to all users: each search reads it to
-- its end, so that somebody else's uploads made one's own searches slow. 256 kB instead of 4 MB, as for the one of search_words.
ALTER INDEX idx_search_docs_tsv SET (gin_pending_list_limit = 256);
ALTER INDEX idx_analyses_search_vector SET (gin_pending_list_limit = 256);
