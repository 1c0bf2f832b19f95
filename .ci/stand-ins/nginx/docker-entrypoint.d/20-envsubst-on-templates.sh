#!/bin/sh
# /etc/nginx/templates/NAME.template -> /etc/nginx/conf.d/NAME, with only those
# variables replaced that are set (and match NGINX_ENVSUBST_FILTER).
set -e
me=${0##*/}
from=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
to=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
log() { [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$me: $*"; }

[ -d "$from" ] || exit 0
if [ ! -w "$to" ]; then
  # The official image serves its default site then, too: a stack must notice by itself.
  log "ERROR: $from exists, but $to is not writable"
  exit 0
fi
names=$(awk -v filter="${NGINX_ENVSUBST_FILTER:-}" 'BEGIN { for (name in ENVIRON) if (name ~ filter) printf "${%s} ", name }')
find "$from" -follow -type f -name "*$suffix" | while read -r template; do
  name=${template#"$from"/}
  out=$to/${name%"$suffix"}
  mkdir -p "${out%/*}"
  log "Running envsubst on $template to $out"
  envsubst "$names" <"$template" >"$out"
done
