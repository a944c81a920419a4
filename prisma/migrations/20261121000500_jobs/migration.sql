-- The row is the truth of a job (design section 6); the transport carries its id and nothing else.
CREATE TABLE processing_jobs (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  media_file_id uuid,
  job_type varchar(50) NOT NULL CHECK (job_type IN (
    'image_analysis', 'video_analysis', 'transcription', 'text_analysis', 'embedding_generation',
    'media_probe', 'thumbnail', 'keyframe_extraction', 'clip_scoring', 'url_import', 'youtube_import',
    'reindex', 'export', 'purge')),
  status varchar(20) NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'retrying', 'cancelled', 'blocked')),
  -- 1 = highest.
  priority integer NOT NULL DEFAULT 5,
  -- Jobs of the same user that must have ended first; the job is 'blocked' until then.
  depends_on uuid[] NOT NULL DEFAULT '{}',

  progress_percentage integer NOT NULL DEFAULT 0 CHECK (progress_percentage BETWEEN 0 AND 100),
  step varchar(100),
  estimated_completion_at timestamptz(3),
  job_config jsonb NOT NULL DEFAULT '{}'::jsonb,
  subscription_tier varchar(20) NOT NULL,

  attempts integer NOT NULL DEFAULT 0,
  max_attempts integer NOT NULL DEFAULT 3,
  retry_at timestamptz(3),
  -- C48: a manual retry resets the attempts and keeps the job it repeats.
  retry_of uuid,

  -- The lease of the worker that holds the job. fencing_token grows with every lease, so that a worker which lost
  -- its lease cannot write any more (threat B3).
  locked_by varchar(100),
  lease_expires_at timestamptz(3),
  fencing_token bigint NOT NULL DEFAULT 0,
  cancel_requested_at timestamptz(3),
  dispatched_at timestamptz(3),

  result_data jsonb,
  error_message text,
  error_code varchar(50),
  hint text,

  -- C20
  estimated_cost numeric(20, 10),
  actual_cost numeric(20, 10),
  cost_currency char(3) NOT NULL DEFAULT 'USD' CHECK (cost_currency ~ '^[A-Z]{3}$'),

  queued_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  completed_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),

  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE CASCADE,
  -- C78: imports, exports, re-indexing and purging have no single file.
  CONSTRAINT job_has_media CHECK (
    media_file_id IS NOT NULL OR job_type IN ('url_import', 'youtube_import', 'reindex', 'export', 'purge')),
  CONSTRAINT valid_priority CHECK (priority BETWEEN 1 AND 10),
  CONSTRAINT valid_attempts CHECK (attempts BETWEEN 0 AND max_attempts),
  CONSTRAINT positive_cost CHECK (coalesce(estimated_cost, 0) >= 0 AND coalesce(actual_cost, 0) >= 0),
  CONSTRAINT processing_has_lease CHECK (status <> 'processing' OR lease_expires_at IS NOT NULL)
);
CREATE INDEX idx_processing_jobs_media_file_id ON processing_jobs (user_id, media_file_id);
CREATE INDEX idx_processing_jobs_status ON processing_jobs (user_id, status);
CREATE INDEX idx_processing_jobs_created_at ON processing_jobs (user_id, created_at DESC, id DESC);
CREATE INDEX idx_processing_jobs_job_type ON processing_jobs (job_type);
CREATE INDEX idx_processing_jobs_subscription_tier ON processing_jobs (subscription_tier);
-- The dispatcher's three questions: what is due, what may be tried again, whose lease ran out.
CREATE INDEX idx_processing_jobs_priority ON processing_jobs (priority, queued_at) WHERE status IN ('pending', 'retrying');
CREATE INDEX idx_processing_jobs_retry ON processing_jobs (retry_at) WHERE retry_at IS NOT NULL;
CREATE INDEX idx_processing_jobs_lease ON processing_jobs (lease_expires_at) WHERE status = 'processing';
-- Per user, so that one user's 200,000 jobs cost the dispatcher one probe (a full round: 427 -> 131 ms, an idle one: 29 -> 4-9 ms).
CREATE INDEX idx_processing_jobs_due ON processing_jobs (user_id, queued_at, id) WHERE status IN ('pending', 'retrying');
CREATE INDEX idx_processing_jobs_dispatched ON processing_jobs (dispatched_at) WHERE status IN ('pending', 'retrying');
-- The event stream: what has changed since (100 -> 2-14 ms at 200,000 jobs of one user).
CREATE INDEX idx_processing_jobs_updated_at ON processing_jobs (user_id, updated_at, id);
-- The administrator's list over all users, by id.
CREATE INDEX idx_processing_jobs_id ON processing_jobs (id);
CREATE INDEX idx_processing_jobs_blocked ON processing_jobs USING gin (user_id, depends_on) WHERE status = 'blocked';
CREATE TRIGGER update_processing_jobs_updated_at BEFORE UPDATE ON processing_jobs
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- The state machine of a job. Progress never goes backwards within one attempt.
CREATE FUNCTION check_job_transition() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  IF NEW.status IS DISTINCT FROM OLD.status AND NOT (
    CASE OLD.status
      WHEN 'blocked' THEN NEW.status IN ('pending', 'cancelled', 'failed')
      WHEN 'pending' THEN NEW.status IN ('processing', 'cancelled', 'failed')
      WHEN 'retrying' THEN NEW.status IN ('processing', 'cancelled', 'failed')
      WHEN 'processing' THEN NEW.status IN ('completed', 'failed', 'retrying', 'cancelled', 'pending')
      ELSE false
    END
  ) THEN
    RAISE EXCEPTION 'a job cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'job_status_transition';
  END IF;
  IF NEW.fencing_token = OLD.fencing_token THEN
    NEW.progress_percentage := greatest(NEW.progress_percentage, OLD.progress_percentage);
  END IF;
  RETURN NEW;
END;
$$;
CREATE TRIGGER check_processing_jobs_transition BEFORE UPDATE ON processing_jobs
  FOR EACH ROW EXECUTE FUNCTION check_job_transition();

-- What every provider call cost. Rows outlive their user without naming them (C58), hence the nullable user_id.
CREATE TABLE cost_tracking (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid REFERENCES users (id) ON DELETE SET NULL,
  user_pseudonym varchar(64),
  service_name varchar(50) NOT NULL REFERENCES cost_services (name),
  operation_type varchar(50) NOT NULL,
  amount numeric(20, 10) NOT NULL,
  currency char(3) NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
  billing_unit varchar(20),
  units_consumed numeric(20, 4),
  media_file_id uuid,
  processing_job_id uuid,
  reference_id varchar(255),
  -- Calendar month of incurred_at in UTC (C76), and the user's own billing period (C22).
  billing_period_month integer NOT NULL,
  billing_period_year integer NOT NULL,
  billing_period_start timestamptz(3),
  service_metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
  incurred_at timestamptz(3) NOT NULL DEFAULT now(),
  recorded_at timestamptz(3) NOT NULL DEFAULT now(),
  FOREIGN KEY (user_id, media_file_id) REFERENCES media_files (user_id, id) ON DELETE SET NULL (media_file_id),
  FOREIGN KEY (user_id, processing_job_id) REFERENCES processing_jobs (user_id, id) ON DELETE SET NULL (processing_job_id),
  CONSTRAINT positive_amount CHECK (amount >= 0),
  CONSTRAINT valid_month CHECK (billing_period_month BETWEEN 1 AND 12),
  CONSTRAINT valid_year CHECK (billing_period_year >= 2000),
  CONSTRAINT positive_units CHECK (units_consumed IS NULL OR units_consumed >= 0)
);
CREATE INDEX idx_cost_tracking_user_id ON cost_tracking (user_id, incurred_at);
CREATE INDEX idx_cost_tracking_service ON cost_tracking (service_name, operation_type);
CREATE INDEX idx_cost_tracking_billing_period ON cost_tracking (billing_period_year, billing_period_month);
CREATE INDEX idx_cost_tracking_media_file ON cost_tracking (user_id, media_file_id);
CREATE INDEX idx_cost_tracking_processing_job ON cost_tracking (user_id, processing_job_id);
CREATE INDEX idx_cost_tracking_incurred_at ON cost_tracking (incurred_at);
-- One charge per provider call, even when a job is delivered twice.
CREATE UNIQUE INDEX idx_cost_tracking_reference ON cost_tracking (user_id, service_name, reference_id)
  WHERE reference_id IS NOT NULL;
