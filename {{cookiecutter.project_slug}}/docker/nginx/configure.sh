#!/bin/sh
# Fill in the templates, let nginx test the result, and put it on the volumes: /srv/nginx is nginx's /etc/nginx, and
# /srv/upstream the folder upstream in there.
#
#   test               only test
#   RELEASE NAME…      let nginx send requests to these containers; and where there is none of them any more, or
#                      none was named, to whatever app runs
set -eu
# One after the other: who was told to end by a deploy that goes back may not have ended yet.
exec 9</srv/nginx
flock 9
cd /etc/nginx

task=${1:-} edit='' backup=''
[ $# -eq 0 ] || shift
for name; do edit="$edit\\1$name\\2;\\n" backup=' backup'; done
sed "s/\( *server \)app\(:8000 .*\);/$edit\\1app\\2$backup;/" upstream.conf >upstream/app.conf
NGINX_ENTRYPOINT_QUIET_LOGS=1 /docker-entrypoint.sh nginx -t
[ "$task" != test ] || exit 0

cp upstream/app.conf /srv/upstream/new
sync /srv/upstream/new
mv /srv/upstream/new /srv/upstream/app.conf

# All of it changes at once, by one link, so that nginx finds a whole configuration whenever it starts, after a power cut
# too.
cd /srv/nginx
find . -maxdepth 1 -name 'site.*' ! -name "$(readlink site)" -exec rm -r {} +
site=$(mktemp -d site.XXXXXX)
(cd /etc/nginx && cp -r conf.d mime.types nginx.conf snippets "/srv/nginx/$site/")
find "$site" -type f -exec sync {} +
for name in conf.d mime.types nginx.conf snippets; do ln -sfn "site/$name" "$name"; done
ln -sfn "$site" new && mv -T new site
