-- Two faults of search_documents() made a common word slow among 50,000 documents: the query was parsed again for each
-- row that matched (the planner had pulled the sub-select up into ts_rank), which was 40 of its 72 ms; and the statement
-- was planned again for each search. Now the queries come out of a function, once, and PL/pgSQL keeps the plans. It gives
-- every document that matches: to sort and cut them here was dearer than to hand them over.

-- The terms as a query in each language of the user's library, found by walking idx_search_docs_config from one to the
-- next. `ranking` is the query without what it excludes: to ts_rank an excluded word is one that is missing.
CREATE FUNCTION library_queries(terms text)
  RETURNS TABLE (config regconfig, query tsquery, ranking tsquery)
  LANGUAGE plpgsql STABLE ROWS 2 SET search_path = pg_catalog, public, pg_temp
  AS $$
#variable_conflict use_variable
DECLARE
  owner_id uuid := app_user_id();
  plain text := unaccent(terms);
BEGIN
  LOOP
    SELECT d.config INTO config FROM search_docs d
    WHERE d.user_id = owner_id AND d.config > coalesce(config::oid, 0::oid) ORDER BY d.config LIMIT 1;
    EXIT WHEN config IS NULL;
    query := websearch_to_tsquery(config, plain);
    ranking := CASE WHEN query::text LIKE '%!%' THEN coalesce(nullif(querytree(query), 'T')::tsquery, query) ELSE query END;
    RETURN NEXT;
  END LOOP;
END;
$$;

DROP FUNCTION search_documents(text, integer);
CREATE FUNCTION search_documents(terms text)
  RETURNS TABLE (media_file_id uuid, rank real)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
DECLARE
  owner_id uuid := app_user_id();
BEGIN
  RETURN QUERY
  SELECT d.media_file_id, ts_rank('{0.15, 0.2, 0.4, 1.0}', d.tsv, q.ranking, 1 | 32)
  FROM library_queries(terms) q
  -- IS NOT DISTINCT FROM, which no index serves: with = the planner takes idx_search_docs_config and reads the whole
  -- library.
  JOIN search_docs d ON d.user_id = owner_id AND d.tsv @@ q.query AND d.config IS NOT DISTINCT FROM q.config;
END;
$$;

-- As search_documents(), but a document need not hold all the words: when fewer than `plenty` do, those follow that hold
-- words which together make up at least `min_coverage` of the query's weight. A word weighs as much as it is rare in the
-- library: ln((n + 1) / documents with it). One that nobody has weighs as one of a single document: a typing error must
-- not outweigh what was spelt right.
-- words: each a word or "phrase" of websearch syntax. plenty: null = never enough.
-- coverage: the share of the weight that the document holds; 1 = all the words, and only then. enough: combinations of
-- words that make up min_coverage; given with all documents when plenty is null, else with those that lack some word.
CREATE FUNCTION search_documents_by_any_word(words text[], min_coverage real, plenty integer)
  RETURNS TABLE (media_file_id uuid, coverage real, rank real, enough tsquery)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  -- To plan the last statement takes as long as to run it.
  SET plan_cache_mode = force_generic_plan
  AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid := app_user_id();
  -- For the weights, a library of up to so many documents is looked at whole, and so many of a larger one (each of them
  -- is a step into an index). Measured on test/relevance: weights out of 100 of its 339 documents cost hybrid .003 nDCG@10.
  whole_library constant integer := 500;
  sample_size constant integer := 200;
  -- Of the first so many words, the rarest so many count: n of them have up to n over n/2 combinations that are enough.
  max_weighed constant integer := 32;
  max_words constant integer := 6;
  configs regconfig[];
  everything tsquery[];
  found integer;
  first_ms bigint;
  last_ms bigint;
BEGIN
  SELECT array_agg(q.config), array_agg(q.query) INTO configs, everything
  FROM library_queries(array_to_string(words, ' ')) q WHERE numnode(q.query) > 0;

  IF plenty IS NOT NULL THEN
    RETURN QUERY
    SELECT d.media_file_id, 1::real, ts_rank('{0.15, 0.2, 0.4, 1.0}', d.tsv, q.query, 1 | 32), NULL::tsquery
    FROM unnest(configs, everything) AS q(config, query)
    JOIN search_docs d ON d.user_id = owner_id AND d.tsv @@ q.query AND d.config IS NOT DISTINCT FROM q.config;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found >= plenty OR cardinality(words) < 2 THEN RETURN; END IF;
  END IF;

  -- Ids are UUIDv7: their first 48 bits are milliseconds, and evenly spaced ones lead to a sample that is the same each
  -- time.
  IF (SELECT count(*) > whole_library FROM (
        SELECT FROM search_docs d WHERE d.user_id = owner_id LIMIT whole_library + 1) counted) THEN
    SELECT min(e.ms), max(e.ms) INTO first_ms, last_ms
    FROM (
      (SELECT d.media_file_id FROM search_docs d WHERE d.user_id = owner_id ORDER BY d.media_file_id LIMIT 1)
      UNION ALL
      (SELECT d.media_file_id FROM search_docs d WHERE d.user_id = owner_id ORDER BY d.media_file_id DESC LIMIT 1)) ends
    CROSS JOIN LATERAL (
      SELECT ('x' || translate(left(ends.media_file_id::text, 13), '-', ''))::bit(48)::bigint AS ms) e;
  END IF;

  RETURN QUERY
  WITH sample AS MATERIALIZED (
    SELECT s.config, s.tsv
    FROM generate_series(0, sample_size - 1) AS n
    CROSS JOIN LATERAL (
      SELECT d.config, d.tsv FROM search_docs d
      WHERE d.user_id = owner_id
        AND d.media_file_id >= rpad(lpad(to_hex(first_ms + (last_ms - first_ms) * n / sample_size), 12, '0'), 32, '0')::uuid
      ORDER BY d.media_file_id LIMIT 1) s
    WHERE first_ms IS NOT NULL
    UNION ALL
    SELECT d.config, d.tsv FROM search_docs d WHERE first_ms IS NULL AND d.user_id = owner_id
  ),
  word AS MATERIALIZED (
    SELECT c.config, w.n, q.query
    FROM unnest(words[1:max_weighed]) WITH ORDINALITY AS w(word, n)
    CROSS JOIN unnest(configs) AS c(config)
    CROSS JOIN LATERAL (SELECT websearch_to_tsquery(c.config, unaccent(w.word)) AS query OFFSET 0) q
  ),
  held AS MATERIALIZED (
    SELECT w.n, count(*) AS documents
    FROM sample s JOIN word w ON w.config = s.config AND s.tsv @@ w.query GROUP BY w.n
  ),
  weighed AS MATERIALIZED (
    SELECT w.config, w.query, ln((z.documents + 1)::float8 / coalesce(h.documents, 1)) AS weight,
      row_number() OVER (PARTITION BY w.config ORDER BY coalesce(h.documents, 0), w.n) AS place
    FROM word w CROSS JOIN (SELECT count(*) AS documents FROM sample) z LEFT JOIN held h ON h.n = w.n
    WHERE numnode(w.query) > 0
      -- A stop word is one in a language that the query need not be in: to French documents "who" is a word that none has.
      AND (h.documents > 0 OR NOT EXISTS (SELECT FROM word s WHERE s.n = w.n AND numnode(s.query) = 0))
  ),
  heaviest AS MATERIALIZED (
    SELECT w.config, w.query, w.place, w.weight / sum(w.weight) OVER (PARTITION BY w.config) AS share,
      1 << count(*) OVER (PARTITION BY w.config)::integer AS combinations
    FROM weighed w WHERE w.place <= max_words
  ),
  combination AS MATERIALIZED (
    SELECT h.config, '(' || string_agg('(' || h.query::text || ')', ' & ') || ')' AS query
    FROM heaviest h CROSS JOIN LATERAL generate_series(1, h.combinations - 1) AS c(members)
    WHERE c.members & (1 << (h.place - 1)::integer) <> 0
    GROUP BY h.config, c.members
    -- The smallest ones: without its lightest word it is not enough.
    HAVING sum(h.share) >= min_coverage - 1e-6 AND sum(h.share) - min(h.share) < min_coverage - 1e-6
  ),
  condition AS MATERIALIZED (
    SELECT u.config, c.enough, u.query AS everything, a.ranking,
      CASE WHEN plenty IS NULL THEN c.enough ELSE c.enough && !! u.query END AS condition
    FROM unnest(configs, everything) AS u(config, query)
    JOIN (SELECT config, string_agg(query, ' | ')::tsquery AS enough FROM combination GROUP BY config) c
      ON c.config = u.config
    JOIN (SELECT config, string_agg('(' || query::text || ')', ' | ')::tsquery AS ranking FROM heaviest GROUP BY config) a
      ON a.config = u.config
  )
  SELECT d.media_file_id,
    CASE WHEN d.tsv @@ c.everything THEN 1::real
      -- A word that was not weighed may be missing.
      ELSE (SELECT least(sum(h.share), 0.99)::real FROM heaviest h WHERE h.config = c.config AND d.tsv @@ h.query) END,
    ts_rank('{0.15, 0.2, 0.4, 1.0}', d.tsv, c.ranking, 1 | 32), c.enough
  FROM condition c
  JOIN search_docs d ON d.user_id = owner_id AND d.tsv @@ c.condition AND d.config IS NOT DISTINCT FROM c.config;
END;
$$;

GRANT CREATE ON SCHEMA public TO search_reader;
ALTER FUNCTION search_documents(text) OWNER TO search_reader;
ALTER FUNCTION search_documents_by_any_word(text[], real, integer) OWNER TO search_reader;
REVOKE CREATE ON SCHEMA public FROM search_reader;
REVOKE EXECUTE ON FUNCTION library_queries(text), search_documents(text),
  search_documents_by_any_word(text[], real, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION library_queries(text) TO search_reader;
GRANT EXECUTE ON FUNCTION search_documents(text), search_documents_by_any_word(text[], real, integer) TO app_user;
