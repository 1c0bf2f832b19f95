# Sourced by the scripts beside it.
# shellcheck shell=bash

# An engine that we unpacked carries this label; only there do stand-ins take
# the names of official images unasked.
# shellcheck disable=SC2034
ENGINE_LABEL=django-docker.engine=unpacked

# Tests put a made-up machine here, and nothing is touched outside it.
SYSROOT=${CI_SYSROOT:-}

say() { echo "${0##*/}: $*" >&2; }

die() {
  say "$*"
  exit 1
}

# Show what a command printed only when it fails.
quietly() {
  local output
  output=$("$@" 2>&1) || {
    tail -20 <<<"$output" >&2
    return 1
  }
}

# Ubuntu and others have apt-get too, but their mirrors hold no Debian suites.
on_debian_as_root() { [ "$(id -u)" = 0 ] && grep -qsx 'ID=debian' "$SYSROOT/etc/os-release"; }

# The mirror that this machine's own apt uses.
debian_mirror() {
  local uri
  uri=$(cat "$SYSROOT"/etc/apt/sources.list.d/debian.sources "$SYSROOT"/etc/apt/sources.list 2>/dev/null |
    awk '/^URIs:/ { print $2; exit } /^deb / { sub(/\[[^]]*\] */, ""); print $2; exit }' || true)
  [ -n "${DEBIAN_MIRROR:-$uri}" ] || die "no Debian mirror in apt's sources; set DEBIAN_MIRROR"
  echo "${DEBIAN_MIRROR:-$uri}"
}

debian_keyring() {
  local keyring
  for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
    [ ! -e "$keyring" ] || break
  done
  echo "$keyring"
}

apt_install() {
  say "installing $* with apt-get"
  quietly apt-get -qq update || true # one dead third-party source need not stop the rest
  DEBIAN_FRONTEND=noninteractive quietly apt-get -qq -o DPkg::Lock::Timeout=300 \
    install -y --no-install-recommends "$@"
}
