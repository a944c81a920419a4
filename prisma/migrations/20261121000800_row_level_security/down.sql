DROP FUNCTION IF EXISTS resolve_identity(text, text);
DO $$
DECLARE p record;
BEGIN
  FOR p IN SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' LOOP
    EXECUTE format('DROP POLICY %I ON public.%I', p.policyname, p.tablename);
  END LOOP;
  FOR p IN
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relrowsecurity AND c.relname NOT LIKE 'search_history\_%'
  LOOP
    EXECUTE format('ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY', p.relname);
    EXECUTE format('ALTER TABLE public.%I DISABLE ROW LEVEL SECURITY', p.relname);
  END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app_user, app_admin, app_system, app_definer, search_reader;
REVOKE ALL ON FUNCTION search_documents(text, integer), reset_monthly_usage(uuid) FROM app_user, app_system;
ALTER FUNCTION update_user_storage() OWNER TO CURRENT_USER;
ALTER FUNCTION copy_tag_names() OWNER TO CURRENT_USER;
ALTER FUNCTION copy_renamed_tag() OWNER TO CURRENT_USER;
ALTER FUNCTION copy_category_names() OWNER TO CURRENT_USER;
ALTER FUNCTION copy_renamed_category() OWNER TO CURRENT_USER;
ALTER FUNCTION refresh_search_doc() OWNER TO CURRENT_USER;
ALTER FUNCTION search_documents(text, integer) OWNER TO CURRENT_USER;
GRANT EXECUTE ON FUNCTION update_user_storage(), copy_tag_names(), copy_renamed_tag(), copy_category_names(),
  copy_renamed_category(), refresh_search_doc(), search_documents(text, integer), reset_monthly_usage(uuid),
  create_search_history_partitions(integer) TO PUBLIC;
