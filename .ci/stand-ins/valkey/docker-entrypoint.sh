#!/bin/sh
# As the official image: options alone are valkey-server's, root steps down, and protected mode is off.
set -eu
if [ "${1#-}" != "$1" ]; then
  set -- valkey-server "$@"
fi
if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  chown valkey:valkey /data
  exec setpriv --reuid=valkey --regid=valkey --clear-groups "$0" "$@"
fi
if [ "$1" = valkey-server ]; then
  set -- "$@" --protected-mode no
fi
exec "$@"
