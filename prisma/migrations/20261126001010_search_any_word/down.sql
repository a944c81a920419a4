DROP FUNCTION IF EXISTS search_documents_by_any_word(text[], real, integer), search_documents(text), library_queries(text);
CREATE FUNCTION search_documents(terms text, max_rows integer)
  RETURNS TABLE (media_file_id uuid, rank real)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
  WITH RECURSIVE configs(config) AS (
    (SELECT s.config FROM public.search_docs s WHERE s.user_id = (SELECT public.app_user_id()) ORDER BY s.config LIMIT 1)
    UNION ALL
    SELECT (SELECT s.config FROM public.search_docs s
            WHERE s.user_id = (SELECT public.app_user_id()) AND s.config > c.config ORDER BY s.config LIMIT 1)
    FROM configs c WHERE c.config IS NOT NULL
  )
  SELECT d.media_file_id,
         ts_rank('{0.15, 0.2, 0.4, 1.0}', d.tsv, q.query, 1 | 32) AS rank
  FROM configs c
  CROSS JOIN LATERAL (SELECT websearch_to_tsquery(c.config, public.unaccent(terms)) AS query) q
  -- IS NOT DISTINCT FROM, which no index serves: with = the planner takes the index above and reads the whole library.
  JOIN public.search_docs d ON d.user_id = (SELECT public.app_user_id()) AND d.tsv @@ q.query
    AND d.config IS NOT DISTINCT FROM c.config
  WHERE c.config IS NOT NULL
  ORDER BY rank DESC, d.media_file_id
  LIMIT least(greatest(max_rows, 1), 10000)
$$;
GRANT CREATE ON SCHEMA public TO search_reader;
ALTER FUNCTION search_documents(text, integer) OWNER TO search_reader;
REVOKE CREATE ON SCHEMA public FROM search_reader;
REVOKE EXECUTE ON FUNCTION search_documents(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_documents(text, integer) TO app_user;
