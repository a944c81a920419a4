-- Policies in initplan form: (SELECT app_user_id()) is evaluated once per statement (design 3.3: 0.7 ms instead of 196).
-- Owners are held to the policies as well (FORCE): only a superuser or BYPASSRLS role escapes, and start-up refuses those.
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN
    SELECT * FROM (VALUES
      -- table, name of the owner policy (001-50 names where the documents name one)
      ('auth_identities', 'auth_identities_user_policy'), ('refresh_tokens', 'refresh_tokens_user_policy'),
      ('api_keys', 'api_keys_user_policy'), ('upload_reservations', 'upload_reservations_user_policy'),
      ('media_files', 'media_files_user_policy'), ('analyses', 'analyses_user_policy'),
      ('media_embeddings', 'media_embeddings_user_policy'), ('keyframes', 'keyframes_user_policy'),
      ('transcript_segments', 'transcript_segments_user_policy'), ('clips', 'clips_user_policy'),
      ('tags', 'tags_user_policy'), ('media_tags', 'media_tags_user_policy'),
      ('media_categories', 'media_categories_user_policy'), ('media_labels', 'media_labels_user_policy'),
      ('processing_jobs', 'processing_jobs_user_policy'), ('search_docs', 'search_docs_user_policy'),
      ('search_history', 'search_history_user_policy'), ('search_clicks', 'search_clicks_user_policy'),
      ('cost_tracking', 'cost_tracking_user_policy'), ('idempotency_keys', 'idempotency_keys_user_policy')
    ) AS tenant(name, policy)
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format(
      'CREATE POLICY %I ON %I FOR ALL TO app_user USING (user_id = (SELECT app_user_id())) WITH CHECK (user_id = (SELECT app_user_id()))',
      t.policy, t.name);
    -- C19: for all tenant tables. What an administrator or the system may do is decided by the grants below.
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_admin USING (true) WITH CHECK (true)',
      CASE t.name WHEN 'media_files' THEN 'admin_media_policy' ELSE t.name || '_admin_policy' END, t.name);
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_system USING (true) WITH CHECK (true)', t.name || '_system_policy', t.name);
  END LOOP;
END $$;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY users_isolation_policy ON users FOR ALL TO app_user
  USING (id = (SELECT app_user_id())) WITH CHECK (id = (SELECT app_user_id()));
CREATE POLICY admin_access_policy ON users FOR ALL TO app_admin USING (true) WITH CHECK (true);
CREATE POLICY users_system_policy ON users FOR ALL TO app_system USING (true) WITH CHECK (true);
CREATE POLICY users_definer_policy ON users FOR ALL TO app_definer USING (true) WITH CHECK (true);

-- C27: system categories are readable by all, writable by none but administrators.
ALTER TABLE categories ENABLE ROW LEVEL SECURITY;
ALTER TABLE categories FORCE ROW LEVEL SECURITY;
CREATE POLICY categories_user_read_policy ON categories FOR SELECT TO app_user
  USING (user_id IS NULL OR user_id = (SELECT app_user_id()));
CREATE POLICY categories_user_insert_policy ON categories FOR INSERT TO app_user
  WITH CHECK (user_id = (SELECT app_user_id()));
CREATE POLICY categories_user_update_policy ON categories FOR UPDATE TO app_user
  USING (user_id = (SELECT app_user_id())) WITH CHECK (user_id = (SELECT app_user_id()));
CREATE POLICY categories_user_delete_policy ON categories FOR DELETE TO app_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY categories_admin_policy ON categories FOR ALL TO app_admin USING (true) WITH CHECK (true);
CREATE POLICY categories_system_policy ON categories FOR ALL TO app_system USING (true) WITH CHECK (true);

-- C15: written by whoever acts, changed by nobody (no UPDATE or DELETE is granted to any runtime role).
ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_logs_user_policy ON audit_logs FOR SELECT TO app_user USING (user_id = (SELECT app_user_id()));
CREATE POLICY audit_logs_user_insert_policy ON audit_logs FOR INSERT TO app_user
  WITH CHECK (user_id = (SELECT app_user_id()) AND actor_type = 'user');
CREATE POLICY admin_audit_policy ON audit_logs FOR ALL TO app_admin USING (true) WITH CHECK (true);
CREATE POLICY audit_logs_system_policy ON audit_logs FOR ALL TO app_system USING (true) WITH CHECK (true);

-- Stripe's events belong to no user; only the system and administrators reach them.
ALTER TABLE stripe_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE stripe_events FORCE ROW LEVEL SECURITY;
CREATE POLICY stripe_events_system_policy ON stripe_events FOR ALL TO app_system USING (true) WITH CHECK (true);
CREATE POLICY stripe_events_admin_policy ON stripe_events FOR SELECT TO app_admin USING (true);

-- The one role that reads search_docs across users, for search_documents() alone (design section 5).
CREATE POLICY search_docs_reader_policy ON search_docs FOR SELECT TO search_reader USING (true);

-- Grants: least privilege per role. --------------------------------------------------------------------------------

-- A user, in person or through a job: own rows of everything that makes up a library.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  media_files, analyses, media_embeddings, keyframes, transcript_segments, clips, tags, media_tags, categories,
  media_categories, media_labels, processing_jobs, search_history, search_clicks, upload_reservations,
  idempotency_keys TO app_user;
-- Written by a trigger alone.
GRANT SELECT ON search_docs TO app_user;
GRANT SELECT ON users, usage_limits, current_usage_limits, user_dashboard_summary, embedding_models, cost_services TO app_user;
-- Never role, tier, Stripe ids, e-mail or the quota override; the counters move through the quota statements.
GRANT UPDATE (display_name, avatar_url, settings, uploads_this_month, searches_this_month, billing_period_start,
  billing_period_end, last_activity_at, updated_at) ON users TO app_user;
GRANT SELECT (user_id, id, provider, subject, created_at, updated_at, last_used_at) ON auth_identities TO app_user;
GRANT SELECT, INSERT ON api_keys TO app_user;
GRANT UPDATE (name, revoked_at) ON api_keys TO app_user;
GRANT SELECT, INSERT ON cost_tracking, audit_logs TO app_user;

-- An administrator reads everything but secrets, and writes what the administration is about.
GRANT SELECT ON
  users, media_files, analyses, media_embeddings, keyframes, transcript_segments, clips, tags, media_tags, categories,
  media_categories, media_labels, processing_jobs, search_history, search_clicks, search_docs, cost_tracking,
  cost_services, usage_limits, current_usage_limits, user_dashboard_summary, embedding_models, upload_reservations,
  audit_logs, stripe_events TO app_admin;
GRANT SELECT (user_id, id, provider, subject, created_at, updated_at, last_used_at) ON auth_identities TO app_admin;
GRANT SELECT (user_id, id, name, prefix, scopes, expires_at, last_used_at, revoked_at, created_at) ON api_keys TO app_admin;
GRANT UPDATE (role, subscription_tier, subscription_status, subscription_started_at, subscription_ends_at,
  storage_quota_bytes_override, display_name, deleted_at, updated_at) ON users TO app_admin;
GRANT INSERT, UPDATE ON usage_limits, embedding_models, cost_services TO app_admin;
GRANT INSERT, UPDATE, DELETE ON categories TO app_admin;
GRANT UPDATE ON processing_jobs TO app_admin;
GRANT INSERT ON audit_logs TO app_admin;

-- The system: log-in, dispatch, retention, webhooks, start-up. Reached from the named places in database/actor.ts only.
GRANT SELECT, INSERT, UPDATE ON users, refresh_tokens, stripe_events, embedding_models, usage_limits TO app_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_reservations, idempotency_keys TO app_system;
GRANT INSERT, DELETE, SELECT (user_id, id, provider, subject, created_at, updated_at, last_used_at),
  UPDATE (secret_hash, last_used_at, updated_at) ON auth_identities TO app_system;
GRANT DELETE ON refresh_tokens, users, stripe_events TO app_system;
GRANT SELECT ON api_keys, media_files, keyframes, current_usage_limits, cost_services, cost_tracking, categories TO app_system;
GRANT UPDATE (last_used_at) ON api_keys TO app_system;
GRANT SELECT, UPDATE ON processing_jobs TO app_system;
GRANT DELETE ON media_files TO app_system;
GRANT SELECT, DELETE ON search_history TO app_system;
GRANT SELECT, INSERT ON audit_logs TO app_system;

-- What the definer functions need, and no more.
CREATE POLICY auth_identities_definer_policy ON auth_identities FOR SELECT TO app_definer USING (true);
GRANT SELECT ON auth_identities TO app_definer;
GRANT SELECT (id, storage_used_bytes), UPDATE (storage_used_bytes, updated_at) ON users TO app_definer;
GRANT SELECT ON search_docs TO search_reader;
-- For the copies of tag and category names and for the search documents.
DO $$
DECLARE table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['media_files', 'tags', 'media_tags', 'categories', 'media_categories', 'search_docs'] LOOP
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_definer USING (true) WITH CHECK (true)',
      table_name || '_definer_policy', table_name);
  END LOOP;
END $$;
GRANT SELECT (user_id, id), UPDATE (tags, categories, updated_at) ON media_files TO app_definer;
GRANT SELECT ON tags, media_tags, categories, media_categories TO app_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON search_docs TO app_definer;

-- C01: from an external subject to the user, before there is a user. The one way to read a password hash.
CREATE FUNCTION resolve_identity(wanted_provider text, wanted_subject text)
  RETURNS TABLE (user_id uuid, secret_hash text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
  SELECT i.user_id, i.secret_hash FROM public.auth_identities i
  WHERE i.provider = wanted_provider AND i.subject = wanted_subject
$$;

-- ALTER ... OWNER TO asks that the new owner may create in the schema; for that moment only.
GRANT CREATE ON SCHEMA public TO app_definer, search_reader;
ALTER FUNCTION update_user_storage() OWNER TO app_definer;
ALTER FUNCTION copy_tag_names() OWNER TO app_definer;
ALTER FUNCTION copy_renamed_tag() OWNER TO app_definer;
ALTER FUNCTION copy_category_names() OWNER TO app_definer;
ALTER FUNCTION copy_renamed_category() OWNER TO app_definer;
ALTER FUNCTION refresh_search_doc() OWNER TO app_definer;
ALTER FUNCTION resolve_identity(text, text) OWNER TO app_definer;
ALTER FUNCTION search_documents(text, integer) OWNER TO search_reader;
REVOKE CREATE ON SCHEMA public FROM app_definer, search_reader;

REVOKE EXECUTE ON FUNCTION update_user_storage(), copy_tag_names(), copy_renamed_tag(), copy_category_names(),
  copy_renamed_category(), refresh_search_doc(), search_documents(text, integer), reset_monthly_usage(uuid),
  create_search_history_partitions(integer), resolve_identity(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_identity(text, text) TO app_system;
GRANT EXECUTE ON FUNCTION search_documents(text, integer) TO app_user;
GRANT EXECUTE ON FUNCTION reset_monthly_usage(uuid) TO app_user, app_system;

-- The application compares the applied migrations with its own at start-up. (A shadow database has no such table.)
DO $$
BEGIN
  IF to_regclass('public._prisma_migrations') IS NOT NULL THEN
    GRANT SELECT ON public._prisma_migrations TO app_system;
  END IF;
END $$;
