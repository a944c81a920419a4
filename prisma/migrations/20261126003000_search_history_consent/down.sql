DROP TRIGGER IF EXISTS anonymize_unwanted_search ON search_history;
DROP FUNCTION IF EXISTS anonymize_unwanted_search();
-- A dropped column keeps its grants in the catalog.
REVOKE UPDATE (keeps_search_history) ON users FROM app_user;
ALTER TABLE users DROP COLUMN IF EXISTS keeps_search_history;
