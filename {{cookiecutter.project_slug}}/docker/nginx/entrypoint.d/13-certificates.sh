#!/bin/sh
# Sign a certificate for each name in DOMAIN, so that nginx can start, and link to it where there is
# nothing yet. certbot will link to a better one; a file in place of the link is the owner's own.
set -eu
umask 077
cd /etc/nginx/certificates
mkdir -p self-signed

for name in $CERTIFICATE_NAMES; do
  pem=self-signed/$name.pem
  if ! openssl x509 -in "$pem" -noout -checkend 86400 >/dev/null 2>&1; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=self-signed" \
      -addext "subjectAltName=DNS:$name,DNS:*.$name" -keyout - >self-signed/new 2>/dev/null
    mv self-signed/new "$pem"
    echo "$0: signed a certificate for $name" >&2
  fi
  [ -e "$name.pem" ] || ln -sf "$pem" "$name.pem"
done
