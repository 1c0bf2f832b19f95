# The stack's containers. A part of bin/deploy, whose variables it uses.
# shellcheck disable=SC2154

# Services and names of the containers, but for those that somebody runs for a command.
stack() { compose ps "$@" --format '{{.Label "com.docker.compose.oneoff"}} {{.Service}} {{.Name}}' | sed -n 's/^False //p'; }

# Of a command that ended between making its container and starting it.
never_began() { compose ps --all --status created --format '{{.Label "com.docker.compose.oneoff"}} {{.Name}}' | sed -n 's/^True //p'; }

runs() { stack --status running | grep -q "^$1 "; }

containers() { stack "$@" app | sed 's/.* //'; }

image_of() { docker inspect --format '{{.Image}}' "$1"; }

others() { containers --all | grep -vxF "$old"; }

remove_others() {
  for name in $(others); do docker rm --force "$name" || return; done
}

# create CONTAINERS-OF-APP SERVICE…: what is not there yet. `up --no-deps` would do, but before Compose 2.27 what it
# makes is not what a plain `up` would make, which then makes it anew.
create() {
  scale="app=$1" && shift
  compose create --no-build --no-recreate --scale "$scale" app "$@"
}

start() {
  latest "$new" && create $((count * 2)) || return
  fresh=$(others)
  # shellcheck disable=SC2086
  docker start $fresh && healthy $fresh
}

healthy() {
  why=
  for name; do
    while :; do
      case $(docker inspect --format '{{.RestartCount}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$name") in
      '0 running healthy' | '0 running ') break ;;
      '0 running starting') sleep 0.2 ;;
      '0 running unhealthy') why="It is not healthy: it does not answer." && break 2 ;;
      *) why="It ended soon after its start." && break 2 ;;
      esac
    done
  done
  [ -z "$why" ] || refuse "$name" "$why"
}

ready() {
  for name in $fresh; do
    said=$(docker exec "$name" python manage.py ready 2>&1) || refuse "$name" "$said" || return
  done
}

# refuse CONTAINER WHY
refuse() {
  docker logs --tail 15 "$1"
  say "$2"
  return 1
}

stop_old() {
  # shellcheck disable=SC2086
  docker stop $old && docker rm $old
}

# Whether the compose files have this service: somebody else may keep the database.
declared() { compose config --services | grep -qx "$1"; }

containers_of() { stack --all | sed -n "s/^$1 //p"; }

# Whether a container of this service is not what the compose files say now, was never started, or is not there.
changed() {
  first=$(containers_of "$1" | head -n 1)
  [ -n "$first" ] && [ -z "$(stack --all --status created "$1")" ] || return 0
  compose --dry-run create --no-build --scale "app=$count" app "$1" 2>&1 | grep -q " $first .*Recreate"
}

# The image first: a registry that does not answer shall not keep the service away.
restart() {
  compose pull --quiet --policy missing --ignore-buildable "$1" || return
  for name in $(containers_of "$1"); do
    docker stop "$name" && docker rm "$name" || return
  done
  create "$count" "$1" || return
  for name in $(containers_of "$1"); do
    docker start "$name" && healthy "$name" || return
  done
}

# What else has changed: services that a restart takes from nobody, those to which a person agreed, those that run once.
other_services() {
  for service in $(compose config --services | grep -vxE 'app|check|nginx|nginx-config|postgres|release'); do
    ! changed "$service" || restarts="$restarts $service"
  done
  once=$(stack --all | sed -n 's/^\(check\|nginx-config\|release\) //p')
  for name in $once; do docker rm "$name" || return; done
  create "$count" check nginx-config release || return
  for service in $restarts; do restart "$service" || return; done
}

agrees() {
  [ -z "$yes" ] || return 0
  [ -t 0 ] && [ -t 1 ] || return 1
  printf '  %s itself has changed, and takes that by a restart: it is away for some seconds. Restart it at the end? [y/N] ' "$1"
  read -r answer && [ "$answer" = y ]
}

# With nothing that serves, all is started.
start_all() {
  latest "$new" || return
  said=$(compose up --detach --no-build --wait 2>&1) && return
  compose logs --no-color --no-log-prefix --tail 4 check nginx-config release app nginx
  say "$said" | tail -n 1
  return 1
}
