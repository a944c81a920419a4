DROP TABLE IF EXISTS search_clicks, search_history, search_docs;
DROP TRIGGER IF EXISTS refresh_search_doc_after_change ON media_files;
DROP FUNCTION IF EXISTS create_search_history_partitions(integer), search_documents(text, integer), refresh_search_doc(), media_facts(jsonb),
  filename_words(text), search_config(text);
