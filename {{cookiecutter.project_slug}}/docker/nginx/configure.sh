#!/bin/sh
# Fill in the templates, let nginx test the result, and install it on the volume that nginx mounts as /etc/nginx.
#
#   test    only fill in and test; print the whole configuration as nginx reads it
set -eu
# Take a lock: an earlier run may still be shutting down.
exec 9</srv/nginx
flock 9

export NGINX_ENTRYPOINT_QUIET_LOGS=1
if [ "${1:-}" = test ]; then
  exec /docker-entrypoint.sh nginx -T
fi
/docker-entrypoint.sh nginx -t

# All of it changes at once, by one link: nginx finds a whole configuration whenever it starts, after a power cut too.
cd /srv/nginx
find . -maxdepth 1 -name 'site.*' ! -name "$(readlink site)" -exec rm -r {} +
site=$(mktemp -d site.XXXXXX)
(cd /etc/nginx && cp -r conf.d mime.types nginx.conf snippets "/srv/nginx/$site/")
find "$site" -type f -exec sync {} +
for name in conf.d mime.types nginx.conf snippets; do ln -sfn "site/$name" "$name"; done
ln -sfn "$site" new && mv -T new site
