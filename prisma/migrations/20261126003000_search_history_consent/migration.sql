-- C49: whether what a user searches for is kept. On by default: suggestions and "explain" live on it.
ALTER TABLE users ADD COLUMN keeps_search_history boolean NOT NULL DEFAULT true;
GRANT UPDATE (keeps_search_history) ON users TO app_user;

-- In the database, so that no writer can forget it: of somebody who does not want it, a search is counted and no more.
-- What remains is what anonymizeSearches() leaves of old searches.
CREATE FUNCTION anonymize_unwanted_search() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  IF EXISTS (SELECT FROM public.users u WHERE u.id = NEW.user_id AND NOT u.keeps_search_history) THEN
    NEW.query_text := 'sha256:' || encode(sha256(convert_to(
      NEW.user_id::text || ' ' || lower(regexp_replace(btrim(NEW.query_text), '\s+', ' ', 'g')), 'UTF8')), 'hex');
    NEW.filters := '{}';
    NEW.query_vector_hash := NULL;
    NEW.search_session_id := NULL;
    NEW.source_page := NULL;
    NEW.user_agent := NULL;
    NEW.ip_address := NULL;
    NEW.anonymized_at := now();
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER anonymize_unwanted_search BEFORE INSERT ON search_history
  FOR EACH ROW EXECUTE FUNCTION anonymize_unwanted_search();
