-- What facets count, one narrow row per file. The names used to be gathered from every link of the user and out of the
-- JSON of rows of some kilobytes (bench/results has the figures). As arrays beside their file they need no join, so there
-- is none that could go wrong on a table that has just grown.
CREATE TABLE media_facets (
  user_id uuid NOT NULL,
  media_file_id uuid NOT NULL,
  file_type varchar(10) NOT NULL,
  status varchar(20) NOT NULL,
  -- First day of the month in which it was taken, or else uploaded, UTC.
  month date NOT NULL,
  orientation varchar(10),
  sentiment varchar(20),
  duration_seconds numeric(10, 3),
  file_size_bytes bigint NOT NULL,
  has_transcript boolean NOT NULL,
  has_text boolean NOT NULL,
  -- Each name once, as media_files holds them.
  tags text[] NOT NULL,
  categories text[] NOT NULL,
  labels text[] NOT NULL,
  colors text[] NOT NULL,
  PRIMARY KEY (user_id, media_file_id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE
)
-- Room for the next version of a row on its page: a file's row is written some times while it is analysed.
WITH (fillfactor = 90);

-- A file as its row of media_facets. An entry of an unexpected shape is left out, where a cast would fail the write.
CREATE FUNCTION facets_of(media media_files) RETURNS media_facets
  LANGUAGE sql STABLE
  AS $$
  SELECT media.user_id, media.id, media.file_type, media.status,
    date_trunc('month', coalesce(media.taken_at, media.uploaded_at) AT TIME ZONE 'UTC')::date,
    CASE WHEN media.width > media.height THEN 'landscape' WHEN media.width < media.height THEN 'portrait'
      WHEN media.width = media.height THEN 'square' END,
    media.sentiment, media.duration_seconds, media.file_size_bytes,
    coalesce(media.transcription_text <> '', false), media.detected_text <> '{}', media.tags, media.categories,
    ARRAY(SELECT DISTINCT l.label ->> 'name' FROM jsonb_path_query(media.detected_labels, '$[*]') AS l(label)
          WHERE jsonb_typeof(l.label -> 'name') = 'string'),
    ARRAY(SELECT DISTINCT c.color ->> 'name' FROM jsonb_path_query(media.dominant_colors, '$[*]') AS c(color)
          WHERE jsonb_typeof(c.color -> 'name') = 'string')
$$;

-- SECURITY DEFINER as app_definer, like the search documents: the tags of a file are also copied when an account is
-- erased, or by an administrator. Nothing is written when nothing has changed.
CREATE FUNCTION refresh_media_facets() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  INSERT INTO media_facets SELECT f.* FROM facets_of(NEW) f
  ON CONFLICT (user_id, media_file_id) DO UPDATE SET
    file_type = excluded.file_type, status = excluded.status, month = excluded.month,
    orientation = excluded.orientation, sentiment = excluded.sentiment, duration_seconds = excluded.duration_seconds,
    file_size_bytes = excluded.file_size_bytes, has_transcript = excluded.has_transcript, has_text = excluded.has_text,
    tags = excluded.tags, categories = excluded.categories, labels = excluded.labels, colors = excluded.colors
  WHERE media_facets IS DISTINCT FROM excluded;
  RETURN NULL;
END;
$$;
CREATE TRIGGER refresh_media_facets_after_change
  AFTER INSERT OR UPDATE OF file_type, status, taken_at, uploaded_at, width, height, sentiment, duration_seconds,
    file_size_bytes, transcription_text, detected_text, tags, categories, detected_labels, dominant_colors ON media_files
  FOR EACH ROW EXECUTE FUNCTION refresh_media_facets();

-- What is there already. The owner is bound by the policies as well (FORCE), and has none: for this one statement it is
-- not. In one block, so that nothing can be left open half-way.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE media_files NO FORCE ROW LEVEL SECURITY';
  INSERT INTO media_facets SELECT f.* FROM media_files m CROSS JOIN LATERAL facets_of(m) f;
  EXECUTE 'ALTER TABLE media_files FORCE ROW LEVEL SECURITY';
END $$;

ALTER TABLE media_facets ENABLE ROW LEVEL SECURITY;
ALTER TABLE media_facets FORCE ROW LEVEL SECURITY;
CREATE POLICY media_facets_user_policy ON media_facets FOR ALL TO app_user
  USING (user_id = (SELECT app_user_id())) WITH CHECK (user_id = (SELECT app_user_id()));
CREATE POLICY media_facets_admin_policy ON media_facets FOR ALL TO app_admin USING (true) WITH CHECK (true);
CREATE POLICY media_facets_system_policy ON media_facets FOR ALL TO app_system USING (true) WITH CHECK (true);
CREATE POLICY media_facets_definer_policy ON media_facets FOR ALL TO app_definer USING (true) WITH CHECK (true);

-- Written by the trigger alone. Neither administrators nor the system have a use for it.
GRANT SELECT ON media_facets TO app_user;
GRANT SELECT, INSERT, UPDATE ON media_facets TO app_definer;

GRANT CREATE ON SCHEMA public TO app_definer;
ALTER FUNCTION refresh_media_facets() OWNER TO app_definer;
REVOKE CREATE ON SCHEMA public FROM app_definer;
REVOKE EXECUTE ON FUNCTION refresh_media_facets() FROM PUBLIC;

-- The filter by a label and its confidence reads the index alone.
DROP INDEX idx_media_labels_label;
CREATE INDEX idx_media_labels_label ON media_labels (user_id, label, media_file_id) INCLUDE (confidence);
