#!/bin/sh
# Have a certificate of ACME_SERVER for each name in DOMAIN. certbot asks for it, and renews it in time;
# this calls certbot every 20 minutes, hands what it got to nginx, and says in a line why it got nothing.
set -u
umask 077
cd /etc/nginx/certificates || exit
round=${ROUND:-1200}
# Each server has its own state: no certificate counts as renewed because another server signed one.
state=/var/lib/letsencrypt/${ACME_SERVER#*://}

# A certificate of the owner's own is a file; ours are links.
is_ours() { [ -L "$1.pem" ] || [ ! -e "$1.pem" ]; }

# Moved into place whole, so that nginx never reads the certificate of one key and another key.
hand_over() {
  mkdir -p acme && cat "$state/live/$1/fullchain.pem" "$state/live/$1/privkey.pem" >acme/new || return
  if ! cmp -s acme/new "acme/$1.pem"; then
    mv acme/new "acme/$1.pem"
    echo "$1: a certificate until $(openssl x509 -in "acme/$1.pem" -noout -enddate | cut -d = -f 2)."
  fi
  is_ours "$1" && ln -sf "acme/$1.pem" "$1.pem"
}

# In /tmp a name has a line for each failure in a row, and a line for each round that it has to sit out.
sits_out() {
  [ -s "/tmp/$1.out" ] && sed -i 1d "/tmp/$1.out"
}

failed() {
  rounds=$(($(cat "/tmp/$1.out" 2>/dev/null | wc -l) + 1))
  echo "$1: no new certificate, next try $(date -ud "+$((rounds * round)) seconds" '+%F %R UTC'): $2"
}

try() {
  getent ahosts "$1." >/dev/null &
  if ! wait $!; then
    failed "$1" "the name has no address in DNS"
    return
  fi
  # What a full disk or a power cut left half written would be in certbot's way for ever.
  [ -s "$state/renewal/$1.conf" ] || rm -rf "$state/renewal/$1.conf" "$state/live/$1" "$state/archive/$1"
  certbot certonly --config-dir "$state" --server "$ACME_SERVER" --cert-name "$1" --domain "$1" >/tmp/said 2>&1 &
  if wait $!; then
    rm -f "/tmp/$1.failures"
    hand_over "$1"
  elif grep '^ *Detail: ' /tmp/said >/tmp/detail; then
    # The server looked for the name and did not find this machine. Let's Encrypt pauses names that fail for
    # weeks: after the n-th failure in a row the next try is n rounds away, at most a day.
    echo >>"/tmp/$1.failures"
    sed 1d "/tmp/$1.failures" | tail -n 71 >"/tmp/$1.out"
    failed "$1" "$(sed -n '1s/^ *Detail: //p' /tmp/detail)"
  else
    failed "$1" "$(grep -v '^Ask for help' /tmp/said | tail -n 1)"
  fi
}

names=
for name in $(echo "$DOMAIN" | tr ',' ' '); do
  case $name in
  .*) echo "$name: a certificate for ${name#.} only; name those below it in DOMAIN." ;;
  esac
  name=${name#.}
  case $name in
  *.example | *.home.arpa | *.internal | *.invalid | *.local | *.localhost | *.test) ;;
  *.*) names="$names $name" && continue ;;
  esac
  echo "$name: stays self-signed, because no public CA signs such a name."
done

trap 'kill $! 2>/dev/null; wait; exit 0' TERM
while :; do
  for name in $names; do
    if is_ours "$name"; then
      sits_out "$name" || try "$name"
    fi
  done
  sleep "$round" &
  wait $!
done
