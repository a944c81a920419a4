ALTER INDEX IF EXISTS idx_search_docs_tsv RESET (gin_pending_list_limit);
ALTER INDEX IF EXISTS idx_analyses_search_vector RESET (gin_pending_list_limit);
