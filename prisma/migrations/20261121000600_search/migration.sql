-- The narrow table of the full-text search (design section 5): one row per file that is not deleted.
CREATE TABLE search_docs (
  user_id uuid NOT NULL,
  media_file_id uuid NOT NULL,
  -- C42: the text search configuration of this row; 'simple' when the language is unknown.
  config regconfig NOT NULL DEFAULT 'simple',
  tsv tsvector NOT NULL,
  PRIMARY KEY (user_id, media_file_id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_search_docs_tsv ON search_docs USING gin (user_id, tsv);

-- ISO 639-1 code of a file's language -> text search configuration. English is the default, because titles and labels
-- are English more often than not and its stemmer leaves other words nearly alone.
CREATE FUNCTION search_config(language text) RETURNS regconfig
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT CASE left(lower(language), 2)
    WHEN 'de' THEN 'german' WHEN 'fr' THEN 'french' WHEN 'es' THEN 'spanish' WHEN 'it' THEN 'italian'
    WHEN 'pt' THEN 'portuguese' WHEN 'nl' THEN 'dutch' WHEN 'sv' THEN 'swedish' WHEN 'da' THEN 'danish'
    WHEN 'no' THEN 'norwegian' WHEN 'fi' THEN 'finnish' WHEN 'ru' THEN 'russian' WHEN 'hu' THEN 'hungarian'
    WHEN 'ro' THEN 'romanian' WHEN 'tr' THEN 'turkish'
    ELSE 'english' END::regconfig
$$;

-- File names hold words glued by dots, dashes, underscores and capitals: "IMG_beachHouse-2024.jpg".
CREATE FUNCTION filename_words(filename text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT regexp_replace(regexp_replace(filename, '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g'), '[._()\[\]-]+', ' ', 'g')
$$;

-- SECURITY DEFINER as app_definer, like the functions that copy names: it follows every change of a media file.
-- What the file itself says of its making: camera, lens, caption, author; a video's title and comment.
CREATE FUNCTION media_facts(exif jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT left(concat_ws(' . ', exif ->> 'cameraMake', exif ->> 'cameraModel', exif ->> 'lensModel', exif ->> 'description',
    exif ->> 'artist', exif #>> '{tags,title}', exif #>> '{tags,comment}'), 5000)
$$;

CREATE FUNCTION refresh_search_doc() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
DECLARE cfg regconfig := search_config(NEW.language);
BEGIN
  IF NEW.deleted_at IS NOT NULL THEN
    DELETE FROM search_docs WHERE user_id = NEW.user_id AND media_file_id = NEW.id;
    RETURN NULL;
  END IF;
  INSERT INTO search_docs (user_id, media_file_id, config, tsv) VALUES (
    NEW.user_id, NEW.id, cfg,
    setweight(to_tsvector(cfg, unaccent(concat_ws(' . ', NEW.title, filename_words(NEW.original_filename)))), 'A')
    || setweight(to_tsvector(cfg, unaccent(concat_ws(' . ', array_to_string(NEW.tags, ' . '), array_to_string(NEW.categories, ' . '),
         (SELECT string_agg(label ->> 'name', ' . ') FROM jsonb_array_elements(NEW.detected_labels) AS label)))), 'B')
    || setweight(to_tsvector(cfg, unaccent(concat_ws(' . ', NEW.ai_summary, media_facts(NEW.exif)))), 'C')
    -- A tsvector holds at most 1 MB: a text this long is cut, not refused.
    || setweight(to_tsvector(cfg, unaccent(left(concat_ws(' . ', array_to_string(NEW.detected_text, ' . '), NEW.transcription_text), 300000))), 'D')
  )
  ON CONFLICT (user_id, media_file_id) DO UPDATE SET config = excluded.config, tsv = excluded.tsv
    WHERE (search_docs.config, search_docs.tsv) IS DISTINCT FROM (excluded.config, excluded.tsv);
  RETURN NULL;
END;
$$;
CREATE TRIGGER refresh_search_doc_after_change
  AFTER INSERT OR UPDATE OF title, original_filename, tags, categories, detected_labels, ai_summary, exif, detected_text,
    transcription_text, language, deleted_at ON media_files
  FOR EACH ROW EXECUTE FUNCTION refresh_search_doc();

-- A text search that can use its GIN index: as an ordinary query, the policy would make PostgreSQL run the operator @@
-- (not leakproof) as a filter over all rows of the user. So the function runs as search_reader, which may read this
-- one table whole, takes the user from the transaction's setting and never as an argument, and gives out ids and ranks.
-- terms: websearch syntax ("quoted phrase", -not, or). Weights D..A as in ts_rank's default, with D raised from 0.1 to
-- 0.15; 1|32: divided by 1 + log(length), scaled to rank / (rank + 1).
CREATE FUNCTION search_documents(terms text, max_rows integer)
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

-- C18: partitioned by month; the key holds the partition column.
CREATE TABLE search_history (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  query_text text NOT NULL,
  -- C73: kept only when an operator turns it on, 3 KB a row.
  query_embedding halfvec(1536),
  filters jsonb NOT NULL DEFAULT '{}'::jsonb,
  mode varchar(10) NOT NULL DEFAULT 'hybrid' CHECK (mode IN ('hybrid', 'semantic', 'text')),
  sort_by varchar(50),
  sort_order varchar(4) CHECK (sort_order IN ('asc', 'desc')),
  limit_count integer,
  offset_count integer NOT NULL DEFAULT 0,
  results_count integer NOT NULL DEFAULT 0,
  -- The ids that were shown: only these can be clicked (C70).
  shown_results uuid[] NOT NULL DEFAULT '{}',
  response_time_ms integer,
  cache_hit boolean NOT NULL DEFAULT false,
  clicked_results uuid[] NOT NULL DEFAULT '{}',
  -- A ratio 0..1 (C70).
  click_through_rate numeric(5, 4),
  search_session_id uuid,
  source_page varchar(100),
  user_agent text,
  ip_address inet,
  searched_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id, searched_at),
  CONSTRAINT positive_results CHECK (results_count >= 0),
  CONSTRAINT positive_response_time CHECK (response_time_ms IS NULL OR response_time_ms >= 0),
  CONSTRAINT valid_click_rate CHECK (click_through_rate IS NULL OR click_through_rate BETWEEN 0 AND 1)
) PARTITION BY RANGE (searched_at);
CREATE TABLE search_history_default PARTITION OF search_history DEFAULT;
ALTER TABLE search_history_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_history_default FORCE ROW LEVEL SECURITY;
CREATE INDEX idx_search_history_searched_at ON search_history (user_id, searched_at DESC);
CREATE INDEX idx_search_history_query_text ON search_history USING gin (to_tsvector('english', query_text));
CREATE INDEX idx_search_history_session ON search_history (user_id, search_session_id) WHERE search_session_id IS NOT NULL;
CREATE INDEX idx_search_history_performance ON search_history (response_time_ms, cache_hit);

-- Makes the monthly partitions from this month to `months_ahead` months from now; what exists stays. Gives the number
-- made. A month whose rows already lie in the default partition is left there. Partitions have no policy and no grant
-- of their own: rows are reached through the parent only.
CREATE FUNCTION create_search_history_partitions(months_ahead integer DEFAULT 3) RETURNS integer
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
SELECT create_search_history_partitions(12);

-- C70
CREATE TABLE search_clicks (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  search_id uuid NOT NULL,
  searched_at timestamptz(3) NOT NULL,
  media_file_id uuid NOT NULL,
  position integer NOT NULL CHECK (position >= 1),
  clicked_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, search_id, media_file_id),
  FOREIGN KEY (user_id, search_id, searched_at) REFERENCES search_history (user_id, id, searched_at) ON DELETE CASCADE,
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_search_clicks_search ON search_clicks (user_id, search_id, searched_at);
CREATE INDEX idx_search_clicks_media ON search_clicks (user_id, media_file_id);
