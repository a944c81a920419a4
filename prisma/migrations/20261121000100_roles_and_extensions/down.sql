-- Roles and extensions belong to the cluster or may serve others: they stay.
DROP FUNCTION IF EXISTS update_updated_at_column();
DROP FUNCTION IF EXISTS app_user_id();
