#!/bin/sh
# Sign a certificate for the names in DOMAIN, so that nginx can start, unless one is there already.
set -eu
cd /etc/nginx/certificates

if [ -e site.crt ] && { [ ! -e self-signed-for ] || [ "$(cat self-signed-for)" = "$SERVER_NAMES" ]; }; then
  exit 0
fi

# A stop half-way must not leave an old certificate with a new key.
rm -f site.crt
names=
for name in $SERVER_NAMES; do
  case $name in
  .*) names="$names,DNS:${name#.},DNS:*$name" ;;
  *) names="$names,DNS:$name" ;;
  esac
done

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
  -subj "/CN=self-signed" -addext "subjectAltName=${names#,}" -keyout site.key -out new.crt 2>/dev/null
echo "$SERVER_NAMES" >self-signed-for
mv new.crt site.crt
echo "$0: signed a certificate for: $SERVER_NAMES"
