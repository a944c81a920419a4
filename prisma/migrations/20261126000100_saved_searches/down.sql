REVOKE SELECT ON search_history FROM app_admin;
REVOKE UPDATE (query_text, filters, query_vector_hash, search_session_id, source_page, user_agent, ip_address, anonymized_at)
  ON search_history FROM app_system;
GRANT SELECT ON search_history TO app_admin;
ALTER TABLE search_history DROP COLUMN IF EXISTS anonymized_at, DROP COLUMN IF EXISTS query_vector_hash;
DROP TABLE IF EXISTS search_query_vectors, saved_searches;
