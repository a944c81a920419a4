#!/usr/bin/env bash
# Puts pgvector >= 0.8 beside an installed PostgreSQL >= 15. Idempotent: does nothing where it is there already.
# Called by `scripts/services.sh ensure-pgvector`; docs/services.md explains each way.
#
# Ways, in this order:
#   1. it is installed;
#   2. the distribution's package postgresql-XX-pgvector (Debian 13 and later, or any source the machine has);
#   3. the distribution's source package, built against the installed server (Debian 12).
# Nothing of the machine's package sources changes, and the server itself is never upgraded.
#
# With --no-build it stops before the third way.
#
# Environment: PG_CONFIG (pg_config of the server to serve), PGVECTOR_SUITES (suites to take the source from).
# Exit status: 0 installed, 1 not possible here (the message says what to do).
set -euo pipefail

# 0.8.2 mends a buffer overrun in parallel HNSW builds (CVE-2026-3172) and 0.8.4 a failing VACUUM of HNSW indexes,
# so the newer suite is asked first.
PGVECTOR_SUITES=${PGVECTOR_SUITES:-'sid trixie'}
MINIMUM_POSTGRES=15

say() { printf 'pgvector: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Prints the pg_config of the newest server on this machine, or nothing.
find_pg_config() {
  if [ -n "${PG_CONFIG:-}" ]; then
    printf '%s\n' "$PG_CONFIG"
    return
  fi
  local candidate
  for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -t/ -k5,5nr) \
    "$(command -v pg_config || true)"; do
    # libpq-dev has a pg_config too; only one with a server beside it counts.
    if [ -x "$candidate" ] && [ -x "$("$candidate" --bindir)/postgres" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}

# Prints the version of the installed pgvector, or nothing when one of its two halves is missing.
installed_version() {
  local control
  control="$("$PG_CONFIG" --sharedir)/extension/vector.control"
  [ -f "$control" ] && [ -f "$("$PG_CONFIG" --pkglibdir)/vector.so" ] || return 0
  sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$control"
}

version_at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

report_if_installed() {
  local version
  version=$(installed_version)
  [ -n "$version" ] && version_at_least "$version" 0.8 || return 1
  say "version $version is installed for PostgreSQL $major ($("$PG_CONFIG" --bindir))"
  version_at_least "$version" 0.8.4 ||
    say 'older than 0.8.4: keep parallel HNSW builds off (init-db.sql does so for the owner role; CVE-2026-3172)'
}

require_root() {
  [ "$(id -u)" = 0 ] || die "missing for PostgreSQL $major. Run once as root: scripts/services.sh ensure-pgvector"
}

install_package() {
  command -v apt-get >/dev/null || return 1
  local package="postgresql-$major-pgvector" candidate
  candidate=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: //p')
  if [ -z "$candidate" ] || [ "$candidate" = '(none)' ] || ! version_at_least "$candidate" 0.8; then
    return 1
  fi
  require_root
  say "installing $package $candidate"
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends --no-upgrade "$package" >&2
}

# Downloads the source package from the first suite that delivers it, into the current folder.
download_source() {
  local uri suite
  # apt itself reads the machine's sources, whatever their format; the first entry with "main" is the archive.
  # shellcheck disable=SC2016  # apt's own placeholders
  uri=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "main" { print $1; exit }')
  [ -n "$uri" ] || die "no package source with component 'main' on this machine"
  for suite in $PGVECTOR_SUITES; do
    mkdir -p "apt-$suite/lists/partial" "apt-$suite/cache/archives/partial"
    printf 'deb-src %s %s main\n' "$uri" "$suite" >"apt-$suite/sources.list"
    # A tree of its own: the machine's lists, caches and sources stay as they are, its proxies and keys apply.
    local private=(-q -o "Dir::Etc::sourcelist=$PWD/apt-$suite/sources.list"
      -o "Dir::Etc::sourceparts=$PWD/apt-$suite/none"
      -o "Dir::State::lists=$PWD/apt-$suite/lists" -o "Dir::Cache=$PWD/apt-$suite/cache")
    if apt-get "${private[@]}" update >"apt-$suite/log" 2>&1 &&
      apt-get "${private[@]}" source --download-only pgvector >>"apt-$suite/log" 2>&1; then
      say "source package from $suite: $(basename "$(echo pgvector_*.dsc)" .dsc)"
      return
    fi
    say "suite $suite does not deliver it: $(grep -m 1 '^E:' "apt-$suite/log" || echo 'see apt')"
    rm -f pgvector_*
  done
  return 1
}

# Unpacks the server headers to ./headers without installing the dev package, which would upgrade the server.
unpack_headers() {
  local package="postgresql-server-dev-$major" version
  version=$(dpkg-query -W -f '${Version}' "postgresql-$major")
  if ! apt-get -q download "$package=$version" >headers.log 2>&1; then
    apt-get -q update >>headers.log 2>&1 || true
    if ! apt-get -q download "$package=$version" >>headers.log 2>&1; then
      # Minor releases of one major version keep their binary interface.
      say "headers of $version are gone from the archive; taking the newest of PostgreSQL $major"
      apt-get -q download "$package" >>headers.log 2>&1 || return 1
    fi
  fi
  dpkg-deb -x "$package"_*.deb headers
}

build_from_source() {
  command -v apt-get >/dev/null && dpkg-query -W "postgresql-$major" >/dev/null 2>&1 || return 1
  require_root
  if ! command -v make >/dev/null || ! command -v gcc >/dev/null; then
    say 'installing a compiler'
    apt-get -q update >&2
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends gcc libc6-dev make >&2
  fi
  local build headers
  build=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder of now, not of then
  trap "rm -rf '$build'" EXIT
  # apt fetches as the user _apt, who must be able to write here.
  if id _apt >/dev/null 2>&1; then
    chmod 755 "$build" && chown _apt "$build"
  fi
  cd "$build"
  download_source || return 1
  headers=$("$PG_CONFIG" --includedir-server)
  if [ ! -f "$headers/postgres.h" ]; then
    unpack_headers || return 1
    headers="$build/headers$headers"
  fi
  mkdir source
  # apt has checked the archive against the signed index; Debian's patches concern its own tests only.
  tar -xf pgvector_*.orig.tar.* -C source --strip-components=1
  say "building against PostgreSQL $("$PG_CONFIG" --version | awk '{ print $2 }')"
  # OPTFLAGS empty: a portable build. It is as fast as a native one for halfvec and bit, and runs on any CPU.
  local flags=(-C source "PG_CONFIG=$PG_CONFIG" "includedir_server=$headers" with_llvm=no 'OPTFLAGS=')
  if ! make -j2 "${flags[@]}" >make.log 2>&1 || ! make "${flags[@]}" install >>make.log 2>&1; then
    tail -n 30 make.log >&2
    return 1
  fi
}

PG_CONFIG=$(find_pg_config)
[ -n "$PG_CONFIG" ] || die "no PostgreSQL server found; install PostgreSQL >= $MINIMUM_POSTGRES first"
major=$("$PG_CONFIG" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
[ "$major" -ge "$MINIMUM_POSTGRES" ] || die "PostgreSQL $major is too old; $MINIMUM_POSTGRES or later is needed"

if ! report_if_installed; then
  install_package || { [ "${1:-}" != --no-build ] && build_from_source; } ||
    die "no way worked for PostgreSQL $major. Install pgvector >= 0.8 by hand (docs/services.md) and try again."
  report_if_installed || die 'the installation ended without an error, but vector.so or vector.control is missing'
fi
