-- The indexes themselves: as "db:large-libraries --drop-all" does.
DO $$
DECLARE index_name text;
BEGIN
  FOR index_name IN
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'i' AND c.relname ~ '^idx_graph_[0-9a-f]{32}_[0-9]+$'
  LOOP
    EXECUTE format('DROP INDEX public.%I', index_name);
  END LOOP;
END $$;
DROP FUNCTION IF EXISTS graph_index_name(uuid, smallint);
