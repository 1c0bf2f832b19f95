# nginx: whom it sends requests to, and its configuration. A part of bin/deploy, whose variables it uses.
# shellcheck disable=SC2154

# The containers that nginx is told of by name.
told() { compose exec -T nginx sed -n '/server app:/d;s/^ *server \(.*\):8000 .*;/\1/p' /etc/nginx/upstream/app.conf | sort; }

# The containers that get requests: those of them that run, or else all that run. Without nginx nobody gets any.
serving() {
  runs nginx || return 0
  compose exec -T nginx true || return
  both=$(printf '%s\n' "$(told)" "$(containers)" | sort | uniq -d)
  [ -n "$both" ] || both=$(containers | sort)
  say "$both"
}

# An engine that was restarted starts its containers again.
wait_for_engine() {
  for _ in $(seq 60); do
    ! compose exec -T nginx true || return 0
    sleep 1
  done
  return 1
}

check_nginx() { of "$new" compose run --rm --no-deps -T nginx-config test; }

# configure RELEASE CONTAINER…: give nginx the configuration of this release, and these containers to send requests to.
configure() { of "$1" compose run --rm --no-deps -T --entrypoint /configure.sh nginx-config "$@"; }

# A process may end while grep reads.
workers() { compose exec -T nginx sh -c "grep -las '^nginx: worker' /proc/[0-9]*/cmdline || :"; }

# Let nginx read its files anew. What it refuses only now, such as another key for a zone of limits, is in its log.
reload() {
  before=$(workers) && compose exec -T nginx nginx -s reload || return
  for _ in $(seq 50); do
    # In a trap, bash takes a plain `return` for one with the status from before.
    workers | grep -qvxF "$before" && return 0
    sleep 0.2
  done
  compose logs --no-color --no-log-prefix --since 30s nginx | grep emerg
  say "nginx goes on with its old configuration."
  return 1
}

# The workers from before a reload end when their last request is answered, or after worker_shutdown_timeout.
drained() {
  for _ in $(seq 400); do
    now=$(workers) || return
    [ -n "$(printf '%s\n' "$before" "$now" | sort | uniq -d)" ] || return 0
    sleep 0.2
  done
  return 1
}

answers() {
  compose exec -T nginx curl --fail --silent --noproxy '*' --max-time 60 --output /dev/null http://127.0.0.1:8081/healthz ||
    { say "nginx gets no answer from the new version." && return 1; }
}

switch() {
  # shellcheck disable=SC2086
  configure "$new" $fresh && reload && answers
}

send_back() {
  # shellcheck disable=SC2086
  configure "$old_release" $old && reload && drained
}
