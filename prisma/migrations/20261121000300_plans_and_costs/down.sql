DROP TABLE IF EXISTS upload_reservations;
DROP VIEW IF EXISTS current_usage_limits;
DROP TABLE IF EXISTS cost_services, usage_limits;
