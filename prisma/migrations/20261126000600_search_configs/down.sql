CREATE OR REPLACE FUNCTION search_documents(terms text, max_rows integer)
  RETURNS TABLE (media_file_id uuid, rank real)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
  SELECT d.media_file_id,
         ts_rank('{0.15, 0.2, 0.4, 1.0}', d.tsv, q.query, 1 | 32) AS rank
  FROM (SELECT DISTINCT s.config FROM public.search_docs s WHERE s.user_id = (SELECT public.app_user_id())) c
  CROSS JOIN LATERAL (SELECT websearch_to_tsquery(c.config, public.unaccent(terms)) AS query) q
  JOIN public.search_docs d ON d.user_id = (SELECT public.app_user_id()) AND d.config = c.config AND d.tsv @@ q.query
  ORDER BY rank DESC, d.media_file_id
  LIMIT least(greatest(max_rows, 1), 10000)
$$;
DROP INDEX IF EXISTS idx_search_docs_config;
