-- Plans. NULL = unlimited (C07). A change closes the row in force and opens a new one (C24).
CREATE TABLE usage_limits (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tier_name varchar(20) NOT NULL CHECK (tier_name IN ('free', 'premium', 'ultimate')),
  max_uploads_per_month integer,
  max_searches_per_month integer,
  max_storage_bytes bigint,
  max_file_size_bytes bigint,
  max_video_duration_seconds integer,
  priority_level integer NOT NULL DEFAULT 5,
  features_enabled text[] NOT NULL DEFAULT '{}',
  ai_features_enabled text[] NOT NULL DEFAULT '{}',
  max_monthly_cost numeric(10, 2),
  cost_alert_threshold numeric(5, 4) NOT NULL DEFAULT 0.8,
  -- Per hour.
  api_rate_limit integer NOT NULL DEFAULT 100,
  upload_rate_limit integer NOT NULL DEFAULT 10,
  search_rate_limit integer NOT NULL DEFAULT 50,
  support_level varchar(20) NOT NULL DEFAULT 'community' CHECK (support_level IN ('community', 'email', 'priority')),
  effective_from timestamptz(3) NOT NULL DEFAULT now(),
  effective_until timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT usage_limits_tier_effective_from_key UNIQUE (tier_name, effective_from),
  CONSTRAINT usage_limits_no_overlap
    EXCLUDE USING gist (tier_name WITH =, tstzrange(effective_from, effective_until) WITH &&),
  CONSTRAINT positive_limits CHECK (
    (max_uploads_per_month IS NULL OR max_uploads_per_month >= 0)
    AND (max_searches_per_month IS NULL OR max_searches_per_month >= 0)
    AND (max_storage_bytes IS NULL OR max_storage_bytes >= 0)
    AND (max_file_size_bytes IS NULL OR max_file_size_bytes > 0)
    AND (max_video_duration_seconds IS NULL OR max_video_duration_seconds > 0)
    AND (max_monthly_cost IS NULL OR max_monthly_cost >= 0)
    AND api_rate_limit >= 0 AND upload_rate_limit >= 0 AND search_rate_limit >= 0
  ),
  CONSTRAINT valid_priority CHECK (priority_level BETWEEN 1 AND 10),
  CONSTRAINT valid_cost_threshold CHECK (cost_alert_threshold > 0 AND cost_alert_threshold <= 1),
  CONSTRAINT valid_effective_range CHECK (effective_until IS NULL OR effective_from < effective_until)
);
CREATE TRIGGER update_usage_limits_updated_at BEFORE UPDATE ON usage_limits
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- 001-44 to 001-46; ultimate's -1 is NULL here (C07).
INSERT INTO usage_limits (
  tier_name, max_uploads_per_month, max_searches_per_month, max_storage_bytes, max_file_size_bytes,
  max_video_duration_seconds, priority_level, features_enabled, ai_features_enabled, max_monthly_cost,
  api_rate_limit, upload_rate_limit, search_rate_limit, support_level, effective_from
) VALUES
  ('free', 10, 50, 5368709120, 104857600, 300, 5, '{basic_upload,basic_search}', '{basic_analysis}', 5.00,
   100, 5, 50, 'community', '2024-01-01 00:00:00+00'),
  ('premium', 100, 500, 53687091200, 524288000, 1800, 3, '{advanced_upload,advanced_search,export,sharing}',
   '{full_analysis,celebrity_detection,content_moderation}', 50.00, 500, 20, 200, 'email', '2024-01-01 00:00:00+00'),
  ('ultimate', NULL, NULL, 536870912000, 2147483648, 7200, 1, '{all_features}',
   '{all_ai_features,custom_models,api_access}', 200.00, 1000, 50, 500, 'priority', '2024-01-01 00:00:00+00');

CREATE VIEW current_usage_limits WITH (security_invoker = true) AS
  SELECT * FROM usage_limits
  WHERE effective_from <= now() AND (effective_until IS NULL OR effective_until > now());

-- C21: a lookup table instead of a CHECK, so that a new provider is a row and not a migration.
CREATE TABLE cost_services (
  name varchar(50) PRIMARY KEY,
  description text NOT NULL
);
INSERT INTO cost_services (name, description) VALUES
  ('aws_rekognition', 'Amazon Rekognition'),
  ('aws_transcribe', 'Amazon Transcribe'),
  ('aws_comprehend', 'Amazon Comprehend'),
  ('aws_s3', 'Amazon S3 or a compatible store'),
  ('openai_embeddings', 'Embeddings of an OpenAI-compatible server'),
  ('openai_gpt', 'Vision and text analysis of an OpenAI-compatible server'),
  ('openai_transcription', 'Speech to text of an OpenAI-compatible server'),
  ('gcs', 'Google Cloud Storage'),
  ('gemini', 'Google Gemini'),
  ('anthropic', 'Anthropic'),
  ('voyage', 'Voyage AI'),
  ('youtube', 'YouTube Data API'),
  ('local_analysis', 'Analysis on this machine, free of charge'),
  ('local_embeddings', 'Embeddings on this machine, free of charge');

-- Slots that uploads under way hold (C68). Deleted on success; given back on failure or once expired.
CREATE TABLE upload_reservations (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- The billing period that was charged: a slot of a past period is not given back to the present one.
  billing_period_start timestamptz(3) NOT NULL,
  -- Where the file may already lie when the process died before its row was committed (B8).
  storage_key varchar(500),
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id)
);
CREATE INDEX idx_upload_reservations_expires_at ON upload_reservations (expires_at);
