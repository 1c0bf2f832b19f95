# Releases: images whose tag is the time of a deploy. A part of bin/deploy, whose variables it uses.
# shellcheck disable=SC2154

here() { docker image inspect "$1" >/dev/null 2>&1; }

# of RELEASE COMMAND…
of() { (export RELEASE="$1" && shift && "$@"); }

# The releases that are here, or those that an image was deployed as; the newest first.
releases() { docker image ls --format '{{.Tag}}' "$image" | grep -xE '[0-9]{8}-[0-9]{6}' | sort -r; }

releases_of() {
  docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$1" |
    sed -n "s/^$image:\([0-9]\{8\}-[0-9]\{6\}\)\$/\1/p" | sort -r
}

forget() {
  for name in "$image:$1" "$image-nginx:$1"; do
    ! here "$name" || docker image rm "$name" || say "$name stays for now, because somebody uses it."
  done
}

# Under which name the version that serves is here. One that was started without this script gets a name now.
name_old() {
  first=$(say "$old" | head -n 1)
  old_image=$(image_of "$first")
  old_release=$(releases_of "$old_image" | head -n 1)
  [ -z "$old_release" ] || return 0
  old_release=$(docker inspect --format '{{.Created}}' "$first" | sed 's/[-:]//g; s/T/-/; s/\..*//')
  docker tag "$old_image" "$image:$old_release"
  config=$(compose ps --all --quiet nginx-config)
  [ -z "$config" ] || docker tag "$(image_of "$config")" "$image-nginx:$old_release"
}

list() {
  printf '%-17s%-21s%s\n' release 'deployed (UTC)' revision
  for release in $(releases); do
    when=$(say "$release" | sed 's/\(....\)\(..\)\(..\)-\(..\)\(..\)\(..\)/\1-\2-\3 \4:\5:\6/')
    revision=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image:$release")
    [ "$release" = "$old_release" ] && note='  serves' || note=''
    printf '%-17s%-21s%s%s\n' "$release" "$when" "${revision:-unknown}" "$note"
  done
}

# Compose tells by the images' names whether a container is up to date.
latest() {
  for name in "$image" "$image-nginx"; do
    ! here "$name:$1" || docker tag "$name:$1" "$name:latest" || return
  done
}

# The release is in the image, so that no two releases are the same image.
build() {
  of "$new" compose build --build-arg "REVISION=$(git describe --always --dirty 2>/dev/null)" --build-arg "RELEASE=$new"
}

fetch() {
  source=$image:$wanted
  here "$source" || { source=$wanted && docker pull "$source"; } || return
  docker tag "$source" "$image:$new" || return
  if here "$image-nginx:$wanted"; then docker tag "$image-nginx:$wanted" "$image-nginx:$new"; else of "$new" compose build nginx-config; fi
}

# manage RELEASE COMMAND…
manage() { of "$1" compose run --rm --no-deps -T release python manage.py "$2" ${3+"$3"}; }

# Those between the old one and this one never served.
clean_up() {
  for release in $(releases | sed "1d;/^$old_release\$/,\$d"); do forget "$release" || return; done
  for release in $(releases_of "$image:$new" | sed 1d); do forget "$release" || return; done
  for release in $(releases | sed "1,${kept}d"); do forget "$release" || return; done
}
