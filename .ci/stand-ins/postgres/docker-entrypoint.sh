#!/usr/bin/env bash
# As the official image: initdb on an empty PGDATA from POSTGRES_* (or POSTGRES_*_FILE),
# run /docker-entrypoint-initdb.d on a server that only the socket reaches, then exec.
set -euo pipefail

die() {
  echo "Error: $*" >&2
  exit 1
}

from_file() {
  local var=$1 file=$1_FILE
  [ -z "${!var:-}" ] || [ -z "${!file:-}" ] || die "both $var and $file are set (but are exclusive)"
  [ -z "${!file:-}" ] || export "$var"="$(<"${!file}")"
  unset "$file"
}

run_init_files() {
  local f
  for f in /docker-entrypoint-initdb.d/*; do
    case $f in
    *.sh)
      echo "$0: running $f"
      # shellcheck source=/dev/null
      if [ -x "$f" ]; then "$f"; else . "$f"; fi
      ;;
    *.sql) echo "$0: running $f" && "${sql[@]}" --dbname "$POSTGRES_DB" -f "$f" ;;
    *.sql.gz) echo "$0: running $f" && gunzip -c "$f" | "${sql[@]}" --dbname "$POSTGRES_DB" ;;
    *) echo "$0: ignoring $f" ;;
    esac
  done
}

init() {
  local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256} var
  for var in POSTGRES_{USER,PASSWORD,DB,INITDB_ARGS}; do from_file "$var"; done
  export POSTGRES_USER=${POSTGRES_USER:-postgres} POSTGRES_PASSWORD=${POSTGRES_PASSWORD:-}
  export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  [ -n "$POSTGRES_PASSWORD" ] || [ "$method" = trust ] ||
    die "Database is uninitialized and superuser password is not specified."
  # POSTGRES_INITDB_ARGS may quote, so a shell has to read it.
  eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") ${POSTGRES_INITDB_ARGS:-} ${POSTGRES_INITDB_WALDIR:+--waldir \"\$POSTGRES_INITDB_WALDIR\"}"
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p ${PGPORT:-5432}" -w start
  export PGPASSWORD=$POSTGRES_PASSWORD
  sql=(psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc)
  [ "$POSTGRES_DB" = postgres ] || "${sql[@]}" --dbname postgres -v db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  run_init_files
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" && chmod 700 "$PGDATA"
  find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
  chown postgres /var/run/postgresql && chmod 3775 /var/run/postgresql
  exec gosu postgres "$0" "$@"
fi

mkdir -p "$PGDATA" && chmod 700 "$PGDATA" || true # initdb says more of a folder that is not ours
if [ -s "$PGDATA/PG_VERSION" ]; then
  echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
else
  [ "$PG_MAJOR" -lt 18 ] || ! grep -q ' /var/lib/postgresql/data ' /proc/self/mountinfo ||
    die "in 18 and later, mount /var/lib/postgresql, not /var/lib/postgresql/data"
  init
fi
exec "$@"
