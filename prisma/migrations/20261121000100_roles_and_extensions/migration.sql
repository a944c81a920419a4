-- Extensions (C30: the union of what the source documents name) and the roles that a transaction takes on (C14).
-- All extensions are "trusted" except none: an owner with CREATE on the database may create them without superuser.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- pgvector 0.8 brings halfvec, binary_quantize and iterative scans, which the search relies on.
DO $$
DECLARE installed text := (SELECT extversion FROM pg_extension WHERE extname = 'vector');
BEGIN
  IF string_to_array(regexp_replace(installed, '[^0-9.].*$', ''), '.')::int[] < ARRAY[0, 8, 0] THEN
    RAISE EXCEPTION 'pgvector % is too old: version 0.8.0 or later is needed', installed
      USING HINT = 'Install a newer pgvector, then ALTER EXTENSION vector UPDATE.';
  END IF;
END $$;

-- Roles are shared by all databases of a cluster, so another database may have made them already, even at this moment.
-- app_user, app_admin, app_system: taken on per transaction with set_config('role', ...).
-- app_definer owns the trigger functions that keep counters; search_reader owns the text search function.
DO $$
DECLARE role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
    -- The migration owner must be a member to hand objects over to the role. A superuser already is.
    IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
    END IF;
  END LOOP;
END $$;

-- C53: nobody but the owner creates objects in the schema.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO app_user, app_admin, app_system, app_definer, search_reader;

-- Every point in time is kept in milliseconds, timestamptz(3): exactly what a JavaScript Date holds, so that a time which
-- went out in a page cursor finds its row again.

-- The user in whose name the transaction runs, or NULL (C13: '' is what a transaction-local setting leaves behind).
CREATE FUNCTION app_user_id() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.current_user_id', true), '')::uuid $$;

-- 000-25, 001-56
CREATE FUNCTION update_updated_at_column() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END;
$$;
