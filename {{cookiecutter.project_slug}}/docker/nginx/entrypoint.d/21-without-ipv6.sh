#!/bin/sh
# A kernel without IPv6 has no such file, and nginx could not listen.
set -eu
[ -e /proc/net/if_inet6 ] || sed -i 's/listen \[::\]:[^;]*;//g' /etc/nginx/conf.d/*.conf
