-- Every tenant table below carries user_id, is keyed (user_id, id) and refers to its parent by both columns, so a
-- child row cannot point across users whatever the code does.
CREATE TABLE media_files (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),

  -- filename is made by the server; original_filename is what the user's device called it, data only.
  filename varchar(255) NOT NULL,
  original_filename varchar(255) NOT NULL,
  title varchar(255) NOT NULL,
  file_type varchar(10) NOT NULL CHECK (file_type IN ('image', 'video')),
  mime_type varchar(100) NOT NULL,
  file_size_bytes bigint NOT NULL,
  -- Thumbnails and key frames; they count towards the storage quota as well (C25).
  derivative_bytes bigint NOT NULL DEFAULT 0,
  file_hash char(64) NOT NULL,
  -- C11: the text id of another system, when the file was brought over from one.
  external_id varchar(255),

  -- C38
  storage_provider varchar(10) NOT NULL CHECK (storage_provider IN ('local', 's3', 'gcs', 'external')),
  s3_bucket varchar(100) NOT NULL,
  s3_key varchar(500) NOT NULL,
  thumbnail_s3_key varchar(500),

  -- C09
  status varchar(20) NOT NULL DEFAULT 'uploaded'
    CHECK (status IN ('uploaded', 'queued', 'processing', 'completed', 'failed', 'archived')),
  status_reason varchar(30) CHECK (status_reason IN ('blocked_budget', 'quarantined', 'partial')),
  processing_started_at timestamptz(3),
  processing_completed_at timestamptz(3),
  processing_error text,

  width integer,
  height integer,
  duration_seconds numeric(10, 3),
  frame_rate numeric(6, 3),
  has_audio boolean NOT NULL DEFAULT false,
  orientation smallint CHECK (orientation BETWEEN 1 AND 8),
  taken_at timestamptz(3),
  exif jsonb NOT NULL DEFAULT '{}'::jsonb,

  -- C28: the projection of the latest analysis; the truth is in analyses.
  ai_summary text,
  detected_labels jsonb NOT NULL DEFAULT '[]'::jsonb,
  detected_faces_count integer NOT NULL DEFAULT 0,
  detected_text text[] NOT NULL DEFAULT '{}',
  transcription_text text,
  sentiment varchar(20) CHECK (sentiment IN ('POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED')),
  content_warnings text[] NOT NULL DEFAULT '{}',
  dominant_colors jsonb NOT NULL DEFAULT '[]'::jsonb,
  perceptual_hash char(16),
  language varchar(10),

  -- tags and categories are copies for reading and full text, kept by triggers (C26); filters use the link tables.
  tags text[] NOT NULL DEFAULT '{}',
  categories text[] NOT NULL DEFAULT '{}',
  custom_metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
  is_private boolean NOT NULL DEFAULT false,

  view_count integer NOT NULL DEFAULT 0,
  last_viewed_at timestamptz(3),
  uploaded_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3),

  PRIMARY KEY (user_id, id),
  -- C06: keys are made by the server and hold the owner's id, so this tells nobody anything.
  CONSTRAINT media_files_bucket_key UNIQUE (s3_bucket, s3_key),
  CONSTRAINT positive_file_size CHECK (file_size_bytes > 0),
  CONSTRAINT positive_derivative_bytes CHECK (derivative_bytes >= 0),
  CONSTRAINT valid_dimensions CHECK ((width IS NULL) = (height IS NULL) AND (width IS NULL OR (width > 0 AND height > 0))),
  CONSTRAINT valid_duration CHECK (duration_seconds IS NULL OR duration_seconds >= 0),
  CONSTRAINT valid_frame_rate CHECK (frame_rate IS NULL OR frame_rate > 0),
  CONSTRAINT positive_face_count CHECK (detected_faces_count >= 0),
  CONSTRAINT positive_view_count CHECK (view_count >= 0),
  CONSTRAINT detected_labels_is_array CHECK (jsonb_typeof(detected_labels) = 'array'),
  CONSTRAINT custom_metadata_is_object CHECK (jsonb_typeof(custom_metadata) = 'object')
);
-- C05: the same bytes once per user. Another user's copy is none of their business.
CREATE UNIQUE INDEX idx_media_files_file_hash ON media_files (user_id, file_hash) WHERE deleted_at IS NULL;
-- The documents' single-column indexes, led by the owner: no query ever looks at two users at once (design 3.4).
CREATE INDEX idx_media_files_uploaded_at ON media_files (user_id, uploaded_at DESC, id DESC);
CREATE INDEX idx_media_files_file_type ON media_files (user_id, file_type);
CREATE INDEX idx_media_files_status ON media_files (user_id, status);
CREATE INDEX idx_media_files_taken_at ON media_files (user_id, taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX idx_media_files_active ON media_files (user_id, uploaded_at) WHERE status = 'completed' AND deleted_at IS NULL;
CREATE INDEX idx_media_files_processing_status ON media_files (status, processing_started_at);
CREATE INDEX idx_media_files_deleted_at ON media_files (deleted_at) WHERE deleted_at IS NOT NULL;
-- What a search leaves out by default; few rows beside a whole library (20 ms -> 0.1 ms at 20,000 files).
CREATE INDEX idx_media_files_hidden ON media_files (user_id, id) WHERE deleted_at IS NOT NULL OR is_private;
CREATE INDEX idx_media_files_tags ON media_files USING gin (tags);
CREATE INDEX idx_media_files_detected_labels ON media_files USING gin (detected_labels);
CREATE INDEX idx_media_files_custom_metadata ON media_files USING gin (custom_metadata);
CREATE TRIGGER update_media_files_updated_at BEFORE UPDATE ON media_files
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- C09: which status may follow which. Deletion is deleted_at alone.
CREATE FUNCTION check_media_status_transition() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  IF NEW.status IS DISTINCT FROM OLD.status AND NOT (
    CASE OLD.status
      WHEN 'uploaded' THEN NEW.status IN ('queued', 'processing', 'completed', 'failed', 'archived')
      WHEN 'queued' THEN NEW.status IN ('processing', 'completed', 'failed', 'archived')
      WHEN 'processing' THEN NEW.status IN ('queued', 'completed', 'failed', 'archived')
      WHEN 'completed' THEN NEW.status IN ('queued', 'processing', 'archived')
      WHEN 'failed' THEN NEW.status IN ('queued', 'processing', 'archived')
      WHEN 'archived' THEN NEW.status IN ('queued', 'completed', 'failed')
      ELSE false
    END
  ) THEN
    RAISE EXCEPTION 'a media file cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'media_status_transition';
  END IF;
  RETURN NEW;
END;
$$;
CREATE TRIGGER check_media_files_status BEFORE UPDATE OF status ON media_files
  FOR EACH ROW EXECUTE FUNCTION check_media_status_transition();

-- C02, C25: users.storage_used_bytes = bytes of the files that are not deleted, originals and derivatives.
-- SECURITY DEFINER as app_definer, because the users row may not be the caller's (an administrator or a job).
CREATE FUNCTION update_user_storage() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
DECLARE
  old_bytes bigint := 0;
  new_bytes bigint := 0;
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN old_bytes := OLD.file_size_bytes + OLD.derivative_bytes; END IF;
  IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN new_bytes := NEW.file_size_bytes + NEW.derivative_bytes; END IF;
  IF TG_OP = 'UPDATE' AND OLD.user_id <> NEW.user_id THEN
    UPDATE public.users SET storage_used_bytes = greatest(0, storage_used_bytes - old_bytes) WHERE id = OLD.user_id;
    UPDATE public.users SET storage_used_bytes = storage_used_bytes + new_bytes WHERE id = NEW.user_id;
  ELSIF new_bytes <> old_bytes THEN
    UPDATE public.users SET storage_used_bytes = greatest(0, storage_used_bytes + new_bytes - old_bytes)
    WHERE id = coalesce(NEW.user_id, OLD.user_id);
  END IF;
  RETURN NULL;
END;
$$;
CREATE TRIGGER update_storage_on_media_change
  AFTER INSERT OR DELETE OR UPDATE OF file_size_bytes, derivative_bytes, deleted_at, user_id ON media_files
  FOR EACH ROW EXECUTE FUNCTION update_user_storage();

-- 003-04: versioned results of an AI analysis; the latest version is projected onto media_files.
CREATE TABLE analyses (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  media_file_id uuid NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  kind varchar(30) NOT NULL CHECK (kind IN ('image', 'video', 'transcript', 'text')),
  category varchar(100),
  summary text,
  tags text[] NOT NULL DEFAULT '{}',
  labels jsonb NOT NULL DEFAULT '[]'::jsonb,
  detected_text text[] NOT NULL DEFAULT '{}',
  raw_response jsonb,
  provider_used varchar(50),
  model_used varchar(100),
  trace_id varchar(100),
  processing_job_id uuid,
  search_vector tsvector,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE,
  CONSTRAINT idx_analyses_item_version UNIQUE (user_id, media_file_id, kind, version)
);
CREATE INDEX ix_analyses_category ON analyses (user_id, category) WHERE category IS NOT NULL;
CREATE INDEX idx_analyses_search_vector ON analyses USING gin (user_id, search_vector);

-- Text of a JSON value of unknown shape: strings and numbers of a string, an array or an object's values; capped.
CREATE FUNCTION jsonb_words(value jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT left(coalesce(string_agg(item #>> '{}', ' '), ''), 100000)
  FROM jsonb_path_query(coalesce(value, 'null'::jsonb), 'lax $.**') AS item
  WHERE jsonb_typeof(item) IN ('string', 'number')
$$;

-- 003-06, C43: typed columns first, then the known keys of raw_response; nothing in there can block the insert.
CREATE FUNCTION analyses_search_vector_update() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
DECLARE raw jsonb := CASE WHEN jsonb_typeof(NEW.raw_response) = 'object' THEN NEW.raw_response ELSE '{}'::jsonb END;
BEGIN
  NEW.search_vector :=
    setweight(to_tsvector('simple', unaccent(concat_ws(' ', NEW.category, jsonb_words(raw -> 'category')))), 'A')
    || setweight(to_tsvector('simple', unaccent(concat_ws(' ', array_to_string(NEW.tags, ' '), jsonb_words(NEW.labels),
         jsonb_words(raw -> 'tags'), jsonb_words(raw -> 'labels')))), 'B')
    || setweight(to_tsvector('simple', unaccent(concat_ws(' ', NEW.summary, jsonb_words(raw -> 'summary')))), 'C')
    || setweight(to_tsvector('simple', unaccent(left(concat_ws(' ', array_to_string(NEW.detected_text, ' '),
         jsonb_words(raw -> 'text')), 200000))), 'D');
  RETURN NEW;
END;
$$;
CREATE TRIGGER analyses_search_vector_trigger BEFORE INSERT OR UPDATE ON analyses
  FOR EACH ROW EXECUTE FUNCTION analyses_search_vector_update();

-- C03: which models have produced vectors. One is active; search and new vectors use it.
CREATE TABLE embedding_models (
  id smallint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  provider varchar(50) NOT NULL,
  name varchar(100) NOT NULL,
  version varchar(20) NOT NULL DEFAULT 'v1',
  -- The model's own number of dimensions; stored vectors are padded to 1536.
  dimensions integer NOT NULL CHECK (dimensions BETWEEN 1 AND 1536),
  state varchar(10) NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'active', 'retired')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (provider, name, version)
);
CREATE UNIQUE INDEX embedding_models_one_active ON embedding_models ((state)) WHERE state = 'active';
CREATE TRIGGER update_embedding_models_updated_at BEFORE UPDATE ON embedding_models
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TABLE media_embeddings (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  media_file_id uuid NOT NULL,
  analysis_id uuid,
  model_id smallint NOT NULL REFERENCES embedding_models (id),
  segment_type varchar(20) NOT NULL DEFAULT 'full' CHECK (segment_type IN ('full', 'temporal', 'audio', 'visual')),
  start_time_seconds numeric(10, 3),
  end_time_seconds numeric(10, 3),
  is_primary boolean NOT NULL DEFAULT false,
  confidence_score numeric(5, 4),
  source_quality varchar(20) CHECK (source_quality IN ('high', 'medium', 'low')),
  source_text text NOT NULL,
  source_fields jsonb NOT NULL DEFAULT '{}'::jsonb,
  embedding halfvec(1536) NOT NULL,
  -- One bit per dimension: the first stage of the search compares these by Hamming distance (design section 5).
  code bit(1536) GENERATED ALWAYS AS ((binary_quantize(embedding))::bit(1536)) STORED NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE,
  FOREIGN KEY (user_id, analysis_id) REFERENCES analyses (user_id, id) ON DELETE SET NULL (analysis_id),
  -- C54: a whole file has no times, every segment has both.
  CONSTRAINT valid_time_range CHECK (
    CASE WHEN segment_type = 'full' THEN start_time_seconds IS NULL AND end_time_seconds IS NULL
    ELSE start_time_seconds IS NOT NULL AND end_time_seconds IS NOT NULL
      AND start_time_seconds >= 0 AND start_time_seconds < end_time_seconds END
  ),
  CONSTRAINT valid_confidence CHECK (confidence_score IS NULL OR confidence_score BETWEEN 0 AND 1)
);
-- Inline and uncompressed: a TOASTed vector costs a second look-up per row (measured 3 x slower, design section 5).
ALTER TABLE media_embeddings ALTER COLUMN embedding SET STORAGE PLAIN, ALTER COLUMN code SET STORAGE PLAIN;
-- The index-only scan of the first stage needs a fresh visibility map.
ALTER TABLE media_embeddings SET (
  autovacuum_vacuum_insert_threshold = 500, autovacuum_vacuum_insert_scale_factor = 0.01,
  autovacuum_vacuum_scale_factor = 0.02
);
CREATE INDEX idx_media_embeddings_code ON media_embeddings (user_id, model_id) INCLUDE (code, id, media_file_id, segment_type);
CREATE INDEX idx_embeddings_media_file ON media_embeddings (user_id, media_file_id, model_id);
CREATE INDEX idx_media_embeddings_segment_type ON media_embeddings (user_id, media_file_id, segment_type, start_time_seconds);
CREATE INDEX idx_media_embeddings_analysis ON media_embeddings (user_id, analysis_id) WHERE analysis_id IS NOT NULL;
CREATE INDEX idx_media_embeddings_model ON media_embeddings (model_id);
-- C44: one main vector per file and model.
CREATE UNIQUE INDEX idx_embeddings_is_primary ON media_embeddings (user_id, media_file_id, model_id) WHERE is_primary;
CREATE TRIGGER update_media_embeddings_updated_at BEFORE UPDATE ON media_embeddings
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- 004-04, C37
CREATE TABLE keyframes (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  media_file_id uuid NOT NULL,
  timestamp_seconds numeric(10, 3) NOT NULL CHECK (timestamp_seconds >= 0),
  storage_key varchar(500) NOT NULL,
  width integer NOT NULL CHECK (width > 0),
  height integer NOT NULL CHECK (height > 0),
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  description text,
  labels jsonb NOT NULL DEFAULT '[]'::jsonb,
  detected_text text[] NOT NULL DEFAULT '{}',
  perceptual_hash char(16),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, media_file_id, timestamp_seconds),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE
);

-- Speech and subtitles, line by line, with the second at which each is said.
CREATE TABLE transcript_segments (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  media_file_id uuid NOT NULL,
  start_time_seconds numeric(10, 3) NOT NULL CHECK (start_time_seconds >= 0),
  end_time_seconds numeric(10, 3) NOT NULL,
  text text NOT NULL,
  source varchar(20) NOT NULL CHECK (source IN ('subtitle-track', 'sidecar', 'speech')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE,
  CONSTRAINT transcript_valid_time_range CHECK (start_time_seconds < end_time_seconds)
);
CREATE INDEX idx_transcript_segments_media ON transcript_segments (user_id, media_file_id, start_time_seconds);

-- 002-13
CREATE TABLE clips (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  media_file_id uuid NOT NULL,
  start_time_seconds numeric(10, 3) NOT NULL CHECK (start_time_seconds >= 0),
  end_time_seconds numeric(10, 3) NOT NULL,
  score numeric(5, 4) NOT NULL CHECK (score BETWEEN 0 AND 1),
  rank integer NOT NULL CHECK (rank >= 1),
  features jsonb NOT NULL DEFAULT '{}'::jsonb,
  description text,
  status varchar(20) NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'analyzed', 'scored', 'published', 'rejected')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, media_file_id, rank),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE,
  CONSTRAINT clips_valid_time_range CHECK (start_time_seconds < end_time_seconds)
);
CREATE TRIGGER update_clips_updated_at BEFORE UPDATE ON clips
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- C26: names are unique per user, whatever their case.
CREATE TABLE tags (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name varchar(100) NOT NULL CHECK (name = btrim(name) AND name <> ''),
  description text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX tags_user_name_key ON tags (user_id, lower(name));

CREATE TABLE media_tags (
  user_id uuid NOT NULL,
  media_file_id uuid NOT NULL,
  tag_id uuid NOT NULL,
  source varchar(10) NOT NULL DEFAULT 'user' CHECK (source IN ('user', 'ai')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, media_file_id, tag_id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE,
  FOREIGN KEY (user_id, tag_id) REFERENCES tags (user_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_media_tags_tag ON media_tags (user_id, tag_id, media_file_id);

-- C27: user_id NULL = a system category, readable by all.
CREATE TABLE categories (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  name varchar(100) NOT NULL CHECK (name = btrim(name) AND name <> ''),
  description text,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX categories_user_name_key ON categories (user_id, lower(name)) NULLS NOT DISTINCT;
INSERT INTO categories (name, description) VALUES
  ('people', 'Portraits, groups, family'), ('nature', 'Landscapes, animals, plants, weather'),
  ('places', 'Cities, buildings, travel'), ('food', 'Meals, drinks, recipes'),
  ('documents', 'Scans, receipts, invoices, letters'), ('screenshots', 'Pictures of a screen'),
  ('work', 'Meetings, slides, whiteboards'), ('events', 'Parties, concerts, sports'),
  ('products', 'Things for sale or on a shelf'), ('art', 'Drawings, designs, posters');

CREATE TABLE media_categories (
  user_id uuid NOT NULL,
  media_file_id uuid NOT NULL,
  category_id uuid NOT NULL REFERENCES categories (id) ON DELETE CASCADE,
  source varchar(10) NOT NULL DEFAULT 'user' CHECK (source IN ('user', 'ai')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, media_file_id, category_id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_media_categories_category ON media_categories (category_id, user_id);

-- A category is the user's own or the system's. A foreign key cannot say "or", and it would not look at policies.
CREATE FUNCTION check_media_category_owner() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM categories c WHERE c.id = NEW.category_id AND (c.user_id IS NULL OR c.user_id = NEW.user_id)
  ) THEN
    RAISE EXCEPTION 'category % does not exist', NEW.category_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END;
$$;
CREATE TRIGGER check_media_categories_owner BEFORE INSERT OR UPDATE ON media_categories
  FOR EACH ROW EXECUTE FUNCTION check_media_category_owner();

-- Labels, normalised: filters and facets run under plain RLS on a btree (design section 5).
CREATE TABLE media_labels (
  user_id uuid NOT NULL,
  media_file_id uuid NOT NULL,
  label varchar(100) NOT NULL CHECK (label = lower(label) AND label <> ''),
  confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  kind varchar(30) NOT NULL,
  PRIMARY KEY (user_id, media_file_id, label),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_media_labels_label ON media_labels (user_id, label, media_file_id);

-- The copies of names on media_files. Statement-level, so that fifty tags cost one update. SECURITY DEFINER as
-- app_definer: they also run when an account is erased, the trash is emptied or a system category changes, and whoever
-- does that may not write media files. They touch only files that carry the changed tag or category.
CREATE FUNCTION tag_names(owner_id uuid, media_id uuid) RETURNS text[]
  LANGUAGE sql STABLE
  AS $$
  SELECT coalesce(array_agg(t.name ORDER BY lower(t.name)), '{}')
  FROM media_tags mt JOIN tags t ON t.user_id = mt.user_id AND t.id = mt.tag_id
  WHERE mt.user_id = owner_id AND mt.media_file_id = media_id
$$;
CREATE FUNCTION category_names(owner_id uuid, media_id uuid) RETURNS text[]
  LANGUAGE sql STABLE
  AS $$
  SELECT coalesce(array_agg(k.name ORDER BY lower(k.name)), '{}')
  FROM media_categories mc JOIN categories k ON k.id = mc.category_id
  WHERE mc.user_id = owner_id AND mc.media_file_id = media_id
$$;

CREATE FUNCTION copy_tag_names() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  UPDATE media_files m SET tags = tag_names(m.user_id, m.id)
  FROM (SELECT DISTINCT user_id, media_file_id FROM changed) c
  WHERE m.user_id = c.user_id AND m.id = c.media_file_id;
  RETURN NULL;
END;
$$;
CREATE TRIGGER copy_tags_after_insert AFTER INSERT ON media_tags
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION copy_tag_names();
CREATE TRIGGER copy_tags_after_delete AFTER DELETE ON media_tags
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION copy_tag_names();

CREATE FUNCTION copy_renamed_tag() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  UPDATE media_files m SET tags = tag_names(m.user_id, m.id)
  WHERE m.user_id = NEW.user_id
    AND m.id IN (SELECT media_file_id FROM media_tags WHERE user_id = NEW.user_id AND tag_id = NEW.id);
  RETURN NULL;
END;
$$;
CREATE TRIGGER copy_tags_after_rename AFTER UPDATE OF name ON tags
  FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION copy_renamed_tag();

CREATE FUNCTION copy_category_names() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  UPDATE media_files m SET categories = category_names(m.user_id, m.id)
  FROM (SELECT DISTINCT user_id, media_file_id FROM changed) c
  WHERE m.user_id = c.user_id AND m.id = c.media_file_id;
  RETURN NULL;
END;
$$;
CREATE TRIGGER copy_categories_after_insert AFTER INSERT ON media_categories
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION copy_category_names();
CREATE TRIGGER copy_categories_after_delete AFTER DELETE ON media_categories
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION copy_category_names();

CREATE FUNCTION copy_renamed_category() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  UPDATE media_files m SET categories = category_names(m.user_id, m.id)
  WHERE (m.user_id, m.id) IN (SELECT user_id, media_file_id FROM media_categories WHERE category_id = NEW.id);
  RETURN NULL;
END;
$$;
CREATE TRIGGER copy_categories_after_rename AFTER UPDATE OF name ON categories
  FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION copy_renamed_category();
