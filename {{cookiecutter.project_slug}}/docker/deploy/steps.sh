# The steps of a deploy, each with its time, and the way back. A part of bin/deploy, whose variables it uses.
# shellcheck disable=SC2034,SC2154

# step WHAT COMMAND…: do it, and say how long it took, or why it failed.
step() {
  what=$1 && shift
  printf '  %-36s' "$what"
  began=$(date +%s)
  "$@" >"$log" 2>&1 || fail
  printf '%4d s\n' $(($(date +%s) - began))
}

# In lines of JSON, as in the app's log, the ends of lines are written as \n.
fail() {
  lines=$(tr -d '\r' <"$log" | awk '{ gsub(/\\n/, "\n") } 1' | grep '[^[:space:]]' | tail -n 20)
  printf ' failed\n\n%s failed: %s\n' "$what" "$(say "$lines" | tail -n 1)"
  say "$lines" | sed 's/^/    /'
  exit 1
}

# undone_by COMMAND…: what takes back what is done from here on; the last of it comes first.
undone_by() { undo="$* || left=1; $undo"; }

# However this ends: by a step that failed, by a signal, or because nobody reads any more what it says.
end() {
  status=$?
  trap '' HUP INT PIPE TERM
  # Docker's client would end by a second Ctrl-C all the same; and bash is still where the output of a step goes.
  alone=setsid
  exec >&3
  set +e
  if [ -n "$undo" ]; then
    printf '\nGoing back.\n'
    { [ -z "$old" ] || wait_for_engine; } >>"$log" 2>&1 && eval "$undo" >>"$log" 2>&1 || left=1
    if [ -z "$old" ] && [ -n "$(serving 2>/dev/null)" ]; then
      say "What was started goes on. The next bin/deploy does the rest."
    elif [ -z "$left" ]; then
      say "${old_release:-Nothing} serves, as before.$migrated"
    else
      say "Not all could be taken back. The next bin/deploy does that; bin/doctor looks for what is in its way."
    fi
  elif [ "$status" != 0 ] && [ -n "$switched" ]; then
    printf '\n%s serves. The next bin/deploy does what is left.\n' "$new"
  fi
  rm -f "$log"
}
