-- Roles, database and extensions, before the first migration. A psql script; safe to run again.
--
--   DATABASE_OWNER_PASSWORD=... DATABASE_RUNTIME_PASSWORD=... psql "$ADMIN_URL" -f scripts/init-db.sql
--
-- psql variables: owner_password and runtime_password, each also taken from the environment as above, where no
-- other user of the machine can read them; database, owner, runtime (names, with defaults).
-- Run it as a superuser, or as a managed service's admin role: one with CREATEROLE and CREATEDB that may create
-- the extension vector, which is not a "trusted" one.
--
-- Who is who:
--   owner          owns the database and its objects, runs migrations, and nothing else
--   runtime        the login of the API and of the workers; owns nothing, so no policy is ever skipped for it
--   app_user, app_admin, app_system     taken on by the runtime login for one transaction (SET LOCAL ROLE)
--   app_definer, search_reader          own SECURITY DEFINER functions; nobody takes them on at run time
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

\if :{?database}
\else
  \set database ai_media_search
\endif
\if :{?owner}
\else
  \set owner ai_media_owner
\endif
\if :{?runtime}
\else
  \set runtime mediauser
\endif
\if :{?owner_password}
\else
  \getenv owner_password DATABASE_OWNER_PASSWORD
\endif
\if :{?owner_password}
\else
  DO $$ BEGIN RAISE EXCEPTION 'set DATABASE_OWNER_PASSWORD, or give -v owner_password=...'; END $$;
\endif
\if :{?runtime_password}
\else
  \getenv runtime_password DATABASE_RUNTIME_PASSWORD
\endif
\if :{?runtime_password}
\else
  DO $$ BEGIN RAISE EXCEPTION 'set DATABASE_RUNTIME_PASSWORD, or give -v runtime_password=...'; END $$;
\endif

DO $$
BEGIN
  IF current_setting('server_version_num')::int < 150000 THEN
    RAISE EXCEPTION 'PostgreSQL 15 or later is needed, this is %', current_setting('server_version');
  END IF;
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
    RAISE EXCEPTION 'pgvector is not installed on this server'
      USING HINT = 'Run scripts/services.sh ensure-pgvector on the machine of the server.';
  END IF;
END
$$;

-- Roles. Created without SUPERUSER and BYPASSRLS by default; naming the attributes would need a superuser,
-- which managed services do not give. The check at the end refuses a role that has either all the same.
SELECT format('CREATE ROLE %I LOGIN CREATEROLE', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
SELECT format('CREATE ROLE %I LOGIN NOINHERIT', :'runtime')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'runtime') \gexec
SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY['app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE :"owner" WITH LOGIN CREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"runtime" WITH LOGIN NOINHERIT NOCREATEROLE NOCREATEDB PASSWORD :'runtime_password';

-- A non-superuser admin must be a member of the owner role to give it the database.
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec

-- The owner may grant these roles in migrations and hand functions over to them.
-- From PostgreSQL 16 on, CREATEROLE alone no longer gives that, and each part of a membership is named.
SELECT current_setting('server_version_num')::int >= 160000 AS named_membership_options \gset
\if :named_membership_options
  GRANT app_user, app_admin, app_system, app_definer, search_reader TO :"owner"
    WITH ADMIN TRUE, INHERIT TRUE, SET TRUE;
  GRANT app_user, app_admin, app_system TO :"runtime" WITH ADMIN FALSE, INHERIT FALSE, SET TRUE;
\else
  GRANT app_user, app_admin, app_system, app_definer, search_reader TO :"owner" WITH ADMIN OPTION;
  GRANT app_user, app_admin, app_system TO :"runtime";
\endif

-- Parallel workers and JIT cost more than they bring to one user's searches (measured, see the design notes).
-- The limits keep a forgotten transaction or a lock from holding a pooled connection for good.
ALTER ROLE :"runtime" SET jit = off;
ALTER ROLE :"runtime" SET max_parallel_workers_per_gather = 0;
ALTER ROLE :"runtime" SET statement_timeout = '30s';
ALTER ROLE :"runtime" SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE :"runtime" SET lock_timeout = '10s';
-- CVE-2026-3172: pgvector before 0.8.2 may overrun a buffer in parallel HNSW builds, and Debian has 0.8.0.
ALTER ROLE :"owner" SET max_parallel_maintenance_workers = 0;

-- The database.
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"runtime";

\connect :"database"
\set QUIET on
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS unaccent;
-- Its view answers only where the library is preloaded, so it is created only there. It is no trusted extension:
-- where the admin may not create it, the admin report says that it is absent.
DO $$
BEGIN
  IF current_setting('shared_preload_libraries', true) LIKE '%pg\_stat\_statements%' THEN
    CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
  END IF;
EXCEPTION WHEN insufficient_privilege OR undefined_file THEN
  RAISE WARNING 'pg_stat_statements is left out: %', SQLERRM;
END
$$;

ALTER SCHEMA public OWNER TO :"owner";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO app_user, app_admin, app_system, app_definer, search_reader;

-- Row-level security is worth nothing for a role that may skip it. psql variables do not reach into a DO block.
SELECT set_config('init_db.roles', concat_ws(',', :'owner', :'runtime'), false) AS ignored \gset
DO $$
DECLARE
  checked CONSTANT text[] := string_to_array(current_setting('init_db.roles'), ',')
    || ARRAY['app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader'];
  faulty text;
BEGIN
  SELECT string_agg(rolname, ', ') INTO faulty
  FROM pg_roles WHERE rolname = ANY (checked) AND (rolsuper OR rolbypassrls);
  IF faulty IS NOT NULL THEN
    RAISE EXCEPTION 'these roles skip row-level security: %', faulty
      USING HINT = 'ALTER ROLE ... NOSUPERUSER NOBYPASSRLS, then run this script again.';
  END IF;
  IF (SELECT extversion FROM pg_extension WHERE extname = 'vector') ~ '^0\.[0-7](\.|$)' THEN
    RAISE EXCEPTION 'pgvector 0.8 or later is needed'
      USING HINT = 'Install it, then ALTER EXTENSION vector UPDATE.';
  END IF;
END
$$;
