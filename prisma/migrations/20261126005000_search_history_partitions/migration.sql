-- C18: the partitions of the coming year, made by every deploy and by the hourly maintenance: what exists stays. Gives
-- the number made. A month with rows in the default partition already is left there: PostgreSQL finds them itself
-- (23514). The policies would hide them from a query of the owner's. Two that run at once make each month once.
-- SECURITY DEFINER as the owner of the tables, because nobody else can make a partition. Partitions have no policy and
-- no grant of their own: rows are reached through the parent only.
CREATE OR REPLACE FUNCTION create_search_history_partitions(months_ahead integer DEFAULT 12) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
  AS $$
DECLARE
  first_day date := date_trunc('month', now())::date;
  month_start date;
  partition_name text;
  made integer := 0;
BEGIN
  FOR month_offset IN 0..least(greatest(months_ahead, 0), 36) LOOP
    month_start := (first_day + make_interval(months => month_offset))::date;
    partition_name := 'search_history_' || to_char(month_start, 'YYYY_MM');
    CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
    -- What CREATE TABLE locks, in the order of a search: it counts at its user first, then it is noted.
    LOCK TABLE public.users IN SHARE ROW EXCLUSIVE MODE;
    LOCK TABLE public.search_history IN ACCESS EXCLUSIVE MODE;
    BEGIN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.search_history FOR VALUES FROM (%L) TO (%L)',
        partition_name, month_start, (month_start + interval '1 month')::date);
      EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition_name);
      EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition_name);
      made := made + 1;
    EXCEPTION WHEN check_violation OR duplicate_table THEN NULL;
    END;
  END LOOP;
  RETURN made;
END;
$$;
GRANT EXECUTE ON FUNCTION create_search_history_partitions(integer) TO app_system;
