REVOKE EXECUTE ON FUNCTION create_search_history_partitions(integer) FROM app_system;
CREATE OR REPLACE FUNCTION create_search_history_partitions(months_ahead integer DEFAULT 3) RETURNS integer
  LANGUAGE plpgsql SET timezone = 'UTC'
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
    CONTINUE WHEN EXISTS (
      SELECT 1 FROM search_history_default
      WHERE searched_at >= month_start AND searched_at < month_start + interval '1 month');
    EXECUTE format('CREATE TABLE public.%I PARTITION OF public.search_history FOR VALUES FROM (%L) TO (%L)',
      partition_name, month_start, (month_start + interval '1 month')::date);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition_name);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition_name);
    made := made + 1;
  END LOOP;
  RETURN made;
END;
$$;
