CREATE TABLE audit_logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  event_type varchar(50) NOT NULL,
  event_category varchar(30) NOT NULL
    CHECK (event_category IN ('auth', 'upload', 'search', 'billing', 'admin', 'security')),
  user_id uuid REFERENCES users (id) ON DELETE SET NULL,
  actor_type varchar(20) NOT NULL DEFAULT 'user' CHECK (actor_type IN ('user', 'system', 'admin', 'service')),
  actor_identifier varchar(255),
  target_type varchar(50),
  target_id uuid,
  action varchar(50) NOT NULL,
  description text,
  ip_address inet,
  user_agent text,
  session_id varchar(255),
  request_id uuid,
  old_values jsonb,
  new_values jsonb,
  metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
  risk_level varchar(10) NOT NULL DEFAULT 'low' CHECK (risk_level IN ('low', 'medium', 'high', 'critical')),
  occurred_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT audit_logs_check_target CHECK ((target_type IS NULL) = (target_id IS NULL))
);
CREATE INDEX idx_audit_logs_user_id ON audit_logs (user_id, occurred_at DESC, id DESC);
CREATE INDEX idx_audit_logs_event_type ON audit_logs (event_type);
CREATE INDEX idx_audit_logs_event_category ON audit_logs (event_category);
CREATE INDEX idx_audit_logs_occurred_at ON audit_logs (occurred_at);
CREATE INDEX idx_audit_logs_target ON audit_logs (target_type, target_id);
CREATE INDEX idx_audit_logs_actor ON audit_logs (actor_type, actor_identifier);
CREATE INDEX idx_audit_logs_risk_level ON audit_logs (risk_level);
CREATE INDEX idx_audit_logs_ip_address ON audit_logs (ip_address);

-- Stripe's events as they came, before anything is done about them (threats C7, C10).
CREATE TABLE stripe_events (
  id varchar(255) PRIMARY KEY,
  type varchar(100) NOT NULL,
  payload jsonb NOT NULL,
  status varchar(20) NOT NULL DEFAULT 'received' CHECK (status IN ('received', 'applied', 'ignored', 'failed')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  error_message text,
  event_created_at timestamptz(3) NOT NULL,
  received_at timestamptz(3) NOT NULL DEFAULT now(),
  applied_at timestamptz(3)
);
CREATE INDEX idx_stripe_events_status ON stripe_events (status, received_at) WHERE status IN ('received', 'failed');

-- Answers to POSTs that carried an Idempotency-Key (threat B10). status 'running' is the lock.
CREATE TABLE idempotency_keys (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  key varchar(255) NOT NULL,
  method varchar(10) NOT NULL,
  path varchar(500) NOT NULL,
  -- SHA-256 of the request body; another body under the same key is refused.
  request_hash char(64) NOT NULL,
  status varchar(10) NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done')),
  response_status integer,
  response_body jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL DEFAULT (now() + interval '24 hours'),
  PRIMARY KEY (user_id, key)
);
CREATE INDEX idx_idempotency_keys_expires_at ON idempotency_keys (expires_at);

-- C23, C69: closes every billing period that has run out. Periods are anchor + n months, so the day of the month
-- survives short months, and a run that comes late loses none. Rows already moved on by another run do not match.
-- Returns the number of users whose period moved.
CREATE FUNCTION reset_monthly_usage(only_user uuid DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql SET timezone = 'UTC'
  AS $$
DECLARE moved integer;
BEGIN
  UPDATE users u SET
    uploads_this_month = 0,
    searches_this_month = 0,
    billing_period_start = u.billing_anchor_at + make_interval(months => next.n - 1),
    billing_period_end = u.billing_anchor_at + make_interval(months => next.n)
  FROM (
    SELECT id, (
      SELECT min(candidate.n) FROM (
        -- The whole months since the anchor, and their neighbours: clamped month ends make the count off by one.
        SELECT generate_series(greatest(elapsed.months, 1), elapsed.months + 2) AS n
      ) candidate WHERE due.billing_anchor_at + make_interval(months => candidate.n) > now()
    ) AS n
    FROM users due
    CROSS JOIN LATERAL (
      SELECT ((extract(year FROM now()) - extract(year FROM due.billing_anchor_at)) * 12
        + extract(month FROM now()) - extract(month FROM due.billing_anchor_at))::int - 1 AS months
    ) elapsed
    WHERE due.billing_period_end <= now() AND (only_user IS NULL OR due.id = only_user)
  ) next
  WHERE u.id = next.id AND u.billing_period_end <= now();
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END;
$$;

-- C16: counts are taken before they are joined, and the view runs with the rights of whoever asks.
CREATE VIEW user_dashboard_summary WITH (security_invoker = true) AS
SELECT
  u.id, u.subscription_tier, u.uploads_this_month, u.searches_this_month, u.storage_used_bytes,
  l.max_uploads_per_month, l.max_searches_per_month, l.max_storage_bytes,
  coalesce(files.total_files, 0) AS total_files,
  coalesce(files.processed_files, 0) AS processed_files,
  coalesce(costs.current_month_cost, 0) AS current_month_cost
FROM users u
LEFT JOIN current_usage_limits l ON l.tier_name = u.subscription_tier
LEFT JOIN LATERAL (
  SELECT count(*) AS total_files, count(*) FILTER (WHERE m.status = 'completed') AS processed_files
  FROM media_files m WHERE m.user_id = u.id AND m.deleted_at IS NULL
) files ON true
LEFT JOIN LATERAL (
  SELECT sum(c.amount) AS current_month_cost FROM cost_tracking c
  WHERE c.user_id = u.id AND c.currency = 'USD'
    AND c.billing_period_year = extract(year FROM now() AT TIME ZONE 'UTC')
    AND c.billing_period_month = extract(month FROM now() AT TIME ZONE 'UTC')
) costs ON true
WHERE u.deleted_at IS NULL;
