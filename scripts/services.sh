#!/usr/bin/env bash
# PostgreSQL with pgvector, and Redis, for development and CI on a machine without Docker Compose.
#
#   scripts/services.sh up                 start both (installs what is missing, when it may) and print their URLs
#   scripts/services.sh status [--env]     versions and ports; with --env the URLs. Exit status 1 if one is down
#   scripts/services.sh down               stop both; the data stay in .services/
#   scripts/services.sh ensure-pgvector    only install: PostgreSQL, pgvector, Redis, PgBouncer (for the test harness)
#
# Each may be run again at any time. Messages go to standard error and the URLs to standard output, so
#   set -a; eval "$(scripts/services.sh status --env)"; set +a
# puts them into the environment. The clusters that the distribution's packages made are never touched.
#
# Environment: SERVICES_DIR (.services), SERVICES_POSTGRES_PORT and SERVICES_REDIS_PORT (the first free ones),
# SERVICES_WITH=local|docker to choose, PG_CONFIG and PGVECTOR_SUITES (see install-pgvector.sh).
set -euo pipefail

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SERVICES_DIR=${SERVICES_DIR:-$PROJECT/.services}
DATABASE=ai_media_search
# The same images as in docker-compose.yml.
POSTGRES_IMAGE=pgvector/pgvector:0.8.6-pg17
REDIS_IMAGE=redis:7
CONTAINER=ai-media-search-services

say() { printf 'services: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- What is installed, and installing it -----------------------------------------------------------------------

# Prints the folder of the newest PostgreSQL >= 15 with a server, or nothing.
postgres_bin() {
  local folder
  if [ -n "${PG_CONFIG:-}" ]; then
    "$PG_CONFIG" --bindir
    return
  fi
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5,5nr) \
    "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
    if [ -x "$folder/initdb" ] && [ "$(postgres_major "$folder")" -ge 15 ]; then
      printf '%s\n' "$folder"
      return
    fi
  done
}

postgres_major() { "$1/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/'; }

# Prints the distribution's names of the packages whose programs are missing.
missing_packages() {
  [ -n "$(postgres_bin)" ] || printf 'postgresql postgresql-contrib '
  command -v psql >/dev/null || [ -n "$(postgres_bin)" ] || printf 'postgresql-client '
  command -v redis-server >/dev/null || printf 'redis-server '
  PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || printf 'pgbouncer '
}

install_packages() {
  local packages
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  command -v apt-get >/dev/null ||
    die "missing: $packages. Install them with this system's package manager (docs/services.md) and run this again."
  [ "$(id -u)" = 0 ] || die "missing: $packages. Run as root: apt-get install $packages"
  say "installing $packages"
  apt-get -q update >&2
  # shellcheck disable=SC2086  # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends --no-upgrade $packages >&2
}

ensure_installed() {
  install_packages
  "$PROJECT/scripts/install-pgvector.sh"
}

docker_answers() { command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1; }

# Docker is taken when it was asked for, or when the local way would have to build pgvector or cannot install.
choose_way() {
  if [ -n "${SERVICES_WITH:-}" ]; then
    printf '%s\n' "$SERVICES_WITH"
  elif [ -f "$SERVICES_DIR/way" ]; then
    cat "$SERVICES_DIR/way"
  elif { [ -z "$(missing_packages)" ] || [ "$(id -u)" = 0 ]; } &&
    { ! docker_answers || "$PROJECT/scripts/install-pgvector.sh" --no-build 2>/dev/null; }; then
    echo local
  elif docker_answers; then
    echo docker
  else
    echo local
  fi
}

# --- State: ports and passwords, made once ----------------------------------------------------------------------

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

first_free_port() {
  local port
  for ((port = $1; port < $1 + 100; port++)); do
    if port_is_free "$port"; then
      echo "$port"
      return
    fi
  done
  die "no free port from $1 on"
}

random_password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

load_state() {
  [ -f "$SERVICES_DIR/state" ] || return 1
  # shellcheck disable=SC1091  # written by save_state
  . "$SERVICES_DIR/state"
  POSTGRES_PORT=${SERVICES_POSTGRES_PORT:-$POSTGRES_PORT}
  REDIS_PORT=${SERVICES_REDIS_PORT:-$REDIS_PORT}
}

prepare_state() {
  if ! load_state; then
    POSTGRES_PORT=${SERVICES_POSTGRES_PORT:-$(first_free_port 54320)}
    REDIS_PORT=${SERVICES_REDIS_PORT:-$(first_free_port 63790)}
    ADMIN_PASSWORD=$(random_password)
    OWNER_PASSWORD=$(random_password)
    RUNTIME_PASSWORD=$(random_password)
  fi
  (
    umask 077
    local name
    for name in POSTGRES_PORT REDIS_PORT ADMIN_PASSWORD OWNER_PASSWORD RUNTIME_PASSWORD; do
      printf '%s=%s\n' "$name" "${!name}"
    done >"$SERVICES_DIR/state"
  )
}

print_urls() {
  local server="127.0.0.1:$POSTGRES_PORT/$DATABASE"
  echo "DATABASE_URL=postgresql://mediauser:$RUNTIME_PASSWORD@$server"
  echo "DATABASE_MIGRATION_URL=postgresql://ai_media_owner:$OWNER_PASSWORD@$server"
  echo "REDIS_URL=redis://127.0.0.1:$REDIS_PORT"
}

# --- Local services ---------------------------------------------------------------------------------------------

# Runs a command as the user of the services: PostgreSQL refuses root, so root becomes the user postgres.
as_service_user() {
  if [ "$(id -u)" = 0 ]; then
    (cd "$SERVICES_DIR" && setpriv --reuid postgres --regid postgres --clear-groups env HOME="$SERVICES_DIR" "$@")
  else
    (cd "$SERVICES_DIR" && "$@")
  fi
}

prepare_folders() {
  mkdir -p "$SERVICES_DIR/postgres" "$SERVICES_DIR/redis"
  chmod 700 "$SERVICES_DIR/postgres" "$SERVICES_DIR/redis"
  [ "$(id -u)" = 0 ] || return 0
  chmod 755 "$SERVICES_DIR"
  chown postgres: "$SERVICES_DIR/postgres" "$SERVICES_DIR/redis"
  as_service_user test -x "$SERVICES_DIR/postgres" 2>/dev/null ||
    die "the user postgres cannot reach $SERVICES_DIR. Set SERVICES_DIR to a folder that it can, e.g. under /var/lib."
}

pg_ctl() { as_service_user "$BIN/pg_ctl" -D "$SERVICES_DIR/postgres/data" "$@"; }

psql_admin() {
  local psql="$BIN/psql"
  [ -x "$psql" ] || psql=psql
  PGPASSWORD=$ADMIN_PASSWORD PGCONNECT_TIMEOUT=10 "$psql" -X -q -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$POSTGRES_PORT" -U postgres "$@"
}

# A zombie, which a container without an init process keeps for ever, still answers to its id but runs no more.
is_zombie() { [[ $(ps -o stat= -p "$1" 2>/dev/null) == Z* ]]; }

postgres_pid() { head -n 1 "$SERVICES_DIR/postgres/data/postmaster.pid" 2>/dev/null || echo 0; }

postgres_is_up() { [ -n "$BIN" ] && pg_ctl status >/dev/null 2>&1 && ! is_zombie "$(postgres_pid)"; }

start_postgres() {
  local data="$SERVICES_DIR/postgres/data"
  if postgres_is_up; then
    say 'PostgreSQL runs already'
    return
  fi
  # PostgreSQL would take a killed server's zombie for a running one. Other left-over pid files it judges itself.
  ! is_zombie "$(postgres_pid)" || rm "$data/postmaster.pid"
  port_is_free "$POSTGRES_PORT" ||
    die "port $POSTGRES_PORT is taken by another program. Set SERVICES_POSTGRES_PORT to a free one."
  if [ ! -f "$data/PG_VERSION" ]; then
    say "making a cluster of PostgreSQL $(postgres_major "$BIN")"
    # The folder is closed to other users, and so is the file with the password.
    printf '%s\n' "$ADMIN_PASSWORD" | as_service_user tee "$SERVICES_DIR/postgres/password" >/dev/null
    as_service_user "$BIN/initdb" -D "$data" -U postgres --pwfile="$SERVICES_DIR/postgres/password" \
      --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$SERVICES_DIR/initdb.log" 2>&1 ||
      { cat "$SERVICES_DIR/initdb.log" >&2; die 'initdb failed'; }
    rm "$SERVICES_DIR/postgres/password" "$SERVICES_DIR/initdb.log"
    printf "include 'tuning.conf'\n" | as_service_user tee -a "$data/postgresql.conf" >/dev/null
  elif [ "$(cat "$data/PG_VERSION")" != "$(postgres_major "$BIN")" ]; then
    die "$data is of PostgreSQL $(cat "$data/PG_VERSION"). Set PG_CONFIG to that version's pg_config, or move it away."
  fi
  {
    cat "$PROJECT/docker/postgres/postgresql.conf"
    [ -f "$("$BIN/pg_config" --pkglibdir)/pg_stat_statements.so" ] || echo "shared_preload_libraries = ''"
    # No socket file: the folder's path may be longer than the 107 bytes that a socket's may have.
    printf "listen_addresses = '127.0.0.1'\nport = %s\nunix_socket_directories = ''\n" "$POSTGRES_PORT"
  } | as_service_user tee "$data/tuning.conf" >/dev/null
  pg_ctl start -w -t 60 -l "$SERVICES_DIR/postgres/server.log" >/dev/null ||
    { tail -n 20 "$SERVICES_DIR/postgres/server.log" >&2; die 'PostgreSQL did not start'; }
  say "PostgreSQL started on 127.0.0.1:$POSTGRES_PORT"
}

init_database() {
  DATABASE_OWNER_PASSWORD=$OWNER_PASSWORD DATABASE_RUNTIME_PASSWORD=$RUNTIME_PASSWORD \
    psql_admin -d postgres -v database="$DATABASE" -f "$PROJECT/scripts/init-db.sql"
}

# Prints the id of our own redis-server, from its pid file; nothing when it is down or the id is a stranger's now.
redis_pid() {
  local pid
  pid=$(cat "$SERVICES_DIR/redis/redis.pid" 2>/dev/null) || return 0
  case $(ps -o args= -p "$pid" 2>/dev/null) in
    *redis-server*":$REDIS_PORT"*) echo "$pid" ;;
  esac
}

redis_answers() { [ "$(redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null)" = PONG ]; }

start_redis() {
  if [ -n "$(redis_pid)" ]; then
    say 'Redis runs already'
    return
  fi
  port_is_free "$REDIS_PORT" ||
    die "port $REDIS_PORT is taken by another program. Set SERVICES_REDIS_PORT to a free one."
  # No persistence: the rows in the database are the truth, and a flushed Redis loses nothing.
  as_service_user redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --daemonize yes --save '' --appendonly no \
    --maxmemory-policy noeviction --dir "$SERVICES_DIR/redis" --pidfile "$SERVICES_DIR/redis/redis.pid" \
    --logfile "$SERVICES_DIR/redis/server.log" >/dev/null
  local attempt
  for ((attempt = 0; attempt < 50; attempt++)); do
    if redis_answers; then
      say "Redis started on 127.0.0.1:$REDIS_PORT"
      return
    fi
    sleep 0.1
  done
  tail -n 20 "$SERVICES_DIR/redis/server.log" >&2
  die 'Redis did not start'
}

stop_local() {
  if postgres_is_up; then
    pg_ctl stop -m fast -w -t 60 >/dev/null
    say 'PostgreSQL stopped'
  fi
  local pid attempt
  pid=$(redis_pid)
  if [ -n "$pid" ]; then
    kill "$pid"
    for ((attempt = 0; attempt < 50; attempt++)); do
      [ -n "$(redis_pid)" ] || break
      sleep 0.1
    done
    [ -z "$(redis_pid)" ] || kill -9 "$pid"
    say 'Redis stopped'
  fi
}

status_local() {
  local down=0
  if postgres_is_up && psql_admin -d "$DATABASE" -c '' 2>/dev/null; then
    say "PostgreSQL $(psql_admin -d "$DATABASE" -Atc 'SHOW server_version') with pgvector" \
      "$(psql_admin -d "$DATABASE" -Atc "SELECT extversion FROM pg_extension WHERE extname = 'vector'")" \
      "on 127.0.0.1:$POSTGRES_PORT"
  else
    say 'PostgreSQL is down'
    down=1
  fi
  if [ -n "$(redis_pid)" ] && redis_answers; then
    say "Redis $(redis-cli -h 127.0.0.1 -p "$REDIS_PORT" info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p')" \
      "on 127.0.0.1:$REDIS_PORT"
  else
    say 'Redis is down'
    down=1
  fi
  return "$down"
}

# --- Docker, where there is an engine and the local way is not open ---------------------------------------------

start_docker() {
  docker_answers || die 'no Docker engine answers'
  if ! docker start "$CONTAINER-postgres" >/dev/null 2>&1; then
    POSTGRES_PASSWORD=$ADMIN_PASSWORD DATABASE_OWNER_PASSWORD=$OWNER_PASSWORD \
      DATABASE_RUNTIME_PASSWORD=$RUNTIME_PASSWORD docker run --detach --name "$CONTAINER-postgres" --shm-size 256m \
      --env POSTGRES_PASSWORD --env DATABASE_OWNER_PASSWORD --env DATABASE_RUNTIME_PASSWORD \
      --publish "127.0.0.1:$POSTGRES_PORT:5432" --volume "$CONTAINER-postgres:/var/lib/postgresql/data" \
      --volume "$PROJECT/docker/postgres/postgresql.conf:/etc/postgresql/postgresql.conf:ro" \
      --volume "$PROJECT/scripts/init-db.sql:/docker-entrypoint-initdb.d/10-init-db.sql:ro" \
      "$POSTGRES_IMAGE" -c config_file=/etc/postgresql/postgresql.conf -c 'listen_addresses=*' >/dev/null
  fi
  docker start "$CONTAINER-redis" >/dev/null 2>&1 ||
    docker run --detach --name "$CONTAINER-redis" --publish "127.0.0.1:$REDIS_PORT:6379" "$REDIS_IMAGE" \
      redis-server --save '' --appendonly no --maxmemory-policy noeviction >/dev/null
  local attempt
  for ((attempt = 0; attempt < 120; attempt++)); do
    status_docker 2>/dev/null && return
    sleep 0.5
  done
  docker logs --tail 20 "$CONTAINER-postgres" >&2
  die 'the containers did not become ready'
}

# Over TCP, because the image's own set-up phase listens on its socket only.
status_docker() {
  if ! docker exec "$CONTAINER-postgres" pg_isready -q -h 127.0.0.1 -U postgres -d "$DATABASE" ||
    ! docker exec "$CONTAINER-redis" redis-cli ping >/dev/null; then
    say 'a container is down'
    return 1
  fi
  say "$POSTGRES_IMAGE on 127.0.0.1:$POSTGRES_PORT and $REDIS_IMAGE on 127.0.0.1:$REDIS_PORT run"
}

# --- Commands ---------------------------------------------------------------------------------------------------

usage() { sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "$0" >&2; }

case ${1:-} in
  up)
    way=$(choose_way)
    mkdir -p "$SERVICES_DIR"
    echo "$way" >"$SERVICES_DIR/way"
    prepare_state
    if [ "$way" = docker ]; then
      start_docker
    else
      ensure_installed
      BIN=$(postgres_bin)
      prepare_folders
      start_postgres
      init_database
      start_redis
    fi
    print_urls
    ;;
  down)
    load_state || { say 'nothing was started from here'; exit 0; }
    if [ "$(cat "$SERVICES_DIR/way")" = docker ]; then
      docker stop "$CONTAINER-postgres" "$CONTAINER-redis" >/dev/null
    else
      BIN=$(postgres_bin)
      stop_local
    fi
    ;;
  status)
    load_state || die "never started from here: run 'scripts/services.sh up'"
    BIN=$(postgres_bin)
    "status_$(cat "$SERVICES_DIR/way")"
    [ "${2:-}" != --env ] || print_urls
    ;;
  ensure-pgvector) ensure_installed ;;
  -h | --help | help) usage ;;
  *) usage; exit 2 ;;
esac
