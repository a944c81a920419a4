DROP VIEW IF EXISTS user_dashboard_summary;
DROP FUNCTION IF EXISTS reset_monthly_usage(uuid);
DROP TABLE IF EXISTS idempotency_keys, stripe_events, audit_logs;
