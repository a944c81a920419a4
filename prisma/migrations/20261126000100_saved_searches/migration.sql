-- Searches that a user keeps under a name and runs again.
CREATE TABLE saved_searches (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name varchar(100) NOT NULL,
  -- The body of POST /v1/search as it was sent, without what belongs to one call of it (limit, cursor, sessionId).
  search jsonb NOT NULL CHECK (jsonb_typeof(search) = 'object'),
  -- What "new since last time" compares with: the last complete run, when it was, and which files it found. Ids of
  -- files that are deleted later stay until the next run and mean nothing: an id is never given twice.
  last_run_at timestamptz(3),
  last_search_id uuid,
  seen_media_ids uuid[] NOT NULL DEFAULT '{}',
  seen_is_capped boolean NOT NULL DEFAULT false,
  -- What the last run reported, for its further pages: which files were new, and since when.
  new_media_ids uuid[] NOT NULL DEFAULT '{}',
  new_is_capped boolean NOT NULL DEFAULT false,
  new_since timestamptz(3),
  -- Goes up with every run that is stored, so that two at once are told from one after the other.
  run_count integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  CONSTRAINT bounded_seen_media CHECK (cardinality(seen_media_ids) <= 2000)
);
CREATE UNIQUE INDEX saved_searches_user_id_name_key ON saved_searches (user_id, lower(name));
-- A run is no change of the saved search.
CREATE TRIGGER update_saved_searches_updated_at BEFORE UPDATE OF name, search ON saved_searches
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- C73: a query's vector, once per distinct normalised query, user and model, when SEARCH_KEEP_QUERY_VECTORS is on.
-- search_history.query_embedding stays for parity with document 001 and is never written.
CREATE TABLE search_query_vectors (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  model_id smallint NOT NULL REFERENCES embedding_models (id),
  -- SHA-256 of the user's id and the normalised query: the text itself is in the history alone.
  query_hash char(64) NOT NULL,
  embedding halfvec(1536) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- To the day: what was not asked for during the retention is removed.
  last_used_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, model_id, query_hash)
);
CREATE INDEX idx_search_query_vectors_model ON search_query_vectors (model_id);
CREATE INDEX idx_search_query_vectors_last_used_at ON search_query_vectors (last_used_at);

-- The vector of a search in the history, where it was kept: joined by hash, because either may go without the other.
ALTER TABLE search_history ADD COLUMN query_vector_hash char(64);
-- C49: from here on the row holds no personal text, address or session, and is counted only.
ALTER TABLE search_history ADD COLUMN anonymized_at timestamptz(3);

DO $$
DECLARE table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['saved_searches', 'search_query_vectors'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY %I ON %I FOR ALL TO app_user USING (user_id = (SELECT app_user_id())) WITH CHECK (user_id = (SELECT app_user_id()))',
      table_name || '_user_policy', table_name);
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_admin USING (true) WITH CHECK (true)', table_name || '_admin_policy', table_name);
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_system USING (true) WITH CHECK (true)', table_name || '_system_policy', table_name);
  END LOOP;
END $$;

-- An administrator reads neither: what somebody looks for is nobody's business.
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_searches, search_query_vectors TO app_user;
-- Retention.
GRANT SELECT, DELETE ON search_query_vectors TO app_system;
GRANT UPDATE (query_text, filters, query_vector_hash, search_session_id, source_page, user_agent, ip_address, anonymized_at)
  ON search_history TO app_system;
-- C49, C60: administrators count searches. What was looked for, found, and from where is not theirs to read.
REVOKE SELECT ON search_history FROM app_admin;
GRANT SELECT (user_id, id, mode, sort_by, sort_order, limit_count, offset_count, results_count, response_time_ms, cache_hit,
  click_through_rate, searched_at, anonymized_at) ON search_history TO app_admin;
