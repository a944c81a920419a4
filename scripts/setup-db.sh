#!/usr/bin/env bash
# Prepares the database that DATABASE_URL names: checks the settings, creates roles and database if an administrator's
# URL is at hand, migrates, and seeds if wanted. Every step may be repeated.
#
#   scripts/setup-db.sh [--yes] [--seed | --no-seed] [--admin-url URL]
#
#   --yes          ask nothing: take the environment as it is, create what is missing if an admin URL is given
#   --seed         run the seed without asking (with --yes the default is not to)
#   --no-seed      leave the seed out without asking
#   --admin-url    superuser or managed admin, e.g. postgresql://postgres:...@127.0.0.1:5432/postgres
#                  (also DATABASE_ADMIN_URL); only needed while roles or database are missing, or their passwords
#                  are not those of the two URLs
#
# Reads .env where a variable is not set. Colours go off with NO_COLOR or where the output is no terminal.
# Exit status: 0 ready, 1 a step failed (the message says what to do), 2 wrong option.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' BOLD=$'\e[1m' PLAIN=$'\e[0m'
else
  RED='' GREEN='' YELLOW='' BOLD='' PLAIN=''
fi
step() { printf '%s\n' "$BOLD$*$PLAIN"; }
good() { printf '%s\n' "$GREEN  ok$PLAIN  $*"; }
warn() { printf '%s\n' "$YELLOW  !!$PLAIN  $*"; }
fail() { printf '%s\n' "$RED  no$PLAIN  $*" >&2; exit 1; }
usage() { sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "$0"; }

assume_yes=false
seed=ask
admin_url=${DATABASE_ADMIN_URL:-}
while [ $# -gt 0 ]; do
  case $1 in
    --yes | -y) assume_yes=true ;;
    --seed) seed=yes ;;
    --no-seed) seed=no ;;
    --admin-url) admin_url=${2:?--admin-url needs a URL}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

# ask QUESTION DEFAULT: prints the answer, which is the default in a run that asks nothing.
ask() {
  local answer=''
  $assume_yes || read -r -p "      $1 [$2] " answer || true
  printf '%s\n' "${answer:-$2}"
}
agreed() { [[ $(ask "$1" "$2") == [yYjJ]* ]]; }

# Without psql and without a shell parsing .env: the project's own Node and its pg driver.
in_node() { node --input-type=module --eval "$1"; }

# env_file_value NAME: the value in .env, or nothing.
env_file_value() {
  [ ! -f .env ] || NAME=$1 in_node '
    import { readFileSync } from "node:fs";
    import { parseEnv } from "node:util";
    console.log(parseEnv(readFileSync(".env", "utf8"))[process.env.NAME] ?? "");
  '
}

# url_part URL username|password|hostname|port|database: that part, decoded; fails when it is no PostgreSQL URL.
url_part() {
  URL_TEXT=$1 PART=$2 in_node '
    const url = URL.parse(process.env.URL_TEXT);
    if (!url || !["postgres:", "postgresql:"].includes(url.protocol) || url.pathname.length < 2) process.exit(1);
    const part = process.env.PART === "database" ? url.pathname.slice(1) : url[process.env.PART];
    console.log(decodeURIComponent(part));
  '
}

# probe URL: prints "ok superuser bypass owns version" or "SQLSTATE-or-system-code message".
probe() {
  # shellcheck disable=SC2016  # $$ quotes inside SQL
  PROBE_URL=$1 in_node '
    import pg from "pg";
    const client = new pg.Client({ connectionString: process.env.PROBE_URL, connectionTimeoutMillis: 10_000 });
    try {
      await client.connect();
      const { rows: [row] } = await client.query(`
        SELECT rolsuper, rolbypassrls, split_part(current_setting($$server_version$$), $$ $$, 1) AS version,
               EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS owns
          FROM pg_roles r WHERE rolname = current_user`);
      console.log("ok", row.rolsuper, row.rolbypassrls, row.owns, row.version);
    } catch (error) {
      console.log(error.code ?? "ERROR", error.message);
    } finally {
      await client.end().catch(() => undefined);
    }
  '
}

step '1. Settings'
command -v node >/dev/null || fail 'node is not on the PATH. Run this through npm, or install Node 24.'
[ -d node_modules/pg ] || fail 'the dependencies are not installed. Run npm ci first.'
for name in DATABASE_URL DATABASE_MIGRATION_URL; do
  [ -n "${!name:-}" ] || export "$name=$(env_file_value "$name")"
done
if [ -z "$DATABASE_URL" ] && ! $assume_yes; then
  warn 'DATABASE_URL is not set. scripts/services.sh up starts a server here and prints the URLs.'
  DATABASE_URL=$(ask 'URL of the runtime login (postgresql://mediauser:...@host:5432/ai_media_search):' '')
fi
[ -n "$DATABASE_URL" ] || fail 'DATABASE_URL is not set. Put it into .env or the environment (see .env.example).'
if [ -z "$DATABASE_MIGRATION_URL" ] && ! $assume_yes; then
  DATABASE_MIGRATION_URL=$(ask 'URL of the owner role for migrations (empty: the same as above):' '')
fi
export DATABASE_URL DATABASE_MIGRATION_URL=${DATABASE_MIGRATION_URL:-$DATABASE_URL}
for name in DATABASE_URL DATABASE_MIGRATION_URL; do
  database=$(url_part "${!name}" database) || fail "$name is not of the form postgresql://login:password@host:port/database"
  user=$(url_part "${!name}" username)
  [ -n "$user" ] || fail "$name names no login"
  good "$name: $user at $(url_part "${!name}" hostname), database $database"
done
owner=$user
runtime=$(url_part "$DATABASE_URL" username)
[ "$database" = "$(url_part "$DATABASE_URL" database)" ] || fail 'the two URLs name different databases'
[ "$owner" != "$runtime" ] ||
  warn 'both URLs use the same login. Give migrations a login of their own: an owner is not held by row-level security.'

step '2. Server'
state=$(probe "$DATABASE_MIGRATION_URL")
case ${state%% *} in
  ok) good "$owner can connect, PostgreSQL ${state##* }" ;;
  28P01 | 28000 | 3D000) # wrong password or no such role, not permitted, no such database
    warn "$owner cannot connect: ${state#* }"
    [ -n "$admin_url" ] || $assume_yes ||
      admin_url=$(ask "URL of an administrator, to create $owner, $runtime and $database (empty: stop here):" '')
    [ -n "$admin_url" ] || fail 'give --admin-url, or run scripts/init-db.sql yourself (docs/services.md)'
    [ "$owner" != "$runtime" ] || fail 'creating them needs two logins: set DATABASE_MIGRATION_URL to that of the owner'
    command -v psql >/dev/null || fail 'psql is not installed; it comes with the package postgresql-client'
    agreed "Create or repair $owner, $runtime and $database there?" y || fail 'stopped before anything was changed'
    DATABASE_OWNER_PASSWORD=$(url_part "$DATABASE_MIGRATION_URL" password) \
      DATABASE_RUNTIME_PASSWORD=$(url_part "$DATABASE_URL" password) \
      psql "$admin_url" -X -q -v ON_ERROR_STOP=1 -v database="$database" -v owner="$owner" -v runtime="$runtime" \
      -f scripts/init-db.sql || fail 'scripts/init-db.sql failed, see above'
    good 'roles, database and extensions are there'
    ;;
  ECONNREFUSED | ENOTFOUND | ETIMEDOUT | EHOSTUNREACH)
    fail "no server answers: ${state#* }. Start one with scripts/services.sh up, or correct the URL."
    ;;
  *) fail "cannot connect: $state" ;;
esac

step '3. Migrations'
npm run --silent db:migrate || fail 'npm run db:migrate failed, see above'
good 'the schema is up to date'

step '4. Seed'
if [ "$seed" = ask ]; then
  seed=no
  $assume_yes || ! agreed 'Load the plans, the first admin and other start data?' y || seed=yes
fi
if [ "$seed" = yes ]; then
  npm run --silent db:seed || fail 'npm run db:seed failed, see above'
  good 'seeded'
else
  good 'left out; npm run db:seed does it later'
fi

step '5. Runtime login'
read -r result superuser bypass owns version <<<"$(probe "$DATABASE_URL")"
[ "$result" = ok ] || fail "$runtime cannot connect: $result $superuser $bypass $owns $version"
if [ "$superuser" = true ] || [ "$bypass" = true ] || [ "$owns" = true ]; then
  warn "$runtime is a superuser, bypasses row-level security or owns tables: the application refuses that in production"
else
  good "$runtime can connect, owns nothing and is held by row-level security"
fi
printf '\n%s\n' "${GREEN}Ready.$PLAIN Start the application with npm start."
