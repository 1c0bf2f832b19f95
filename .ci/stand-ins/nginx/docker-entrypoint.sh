#!/bin/sh
# Run what is in /docker-entrypoint.d before nginx, as the official image does:
# in version order, files that are not executable ignored, and in a subshell, so
# that what an .envsh exports reaches the later scripts and not nginx.
set -e
log() { [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"; }

case $1 in
nginx | nginx-debug)
  find /docker-entrypoint.d/ -follow -type f | sort -V | while read -r f; do
    if [ ! -x "$f" ]; then
      log "Ignoring $f, not executable"
      continue
    fi
    case $f in
    *.envsh)
      log "Sourcing $f"
      # shellcheck source=/dev/null
      . "$f"
      ;;
    *.sh)
      log "Launching $f"
      "$f"
      ;;
    *) log "Ignoring $f" ;;
    esac
  done
  log "Configuration complete; ready for start up"
  ;;
esac
exec "$@"
