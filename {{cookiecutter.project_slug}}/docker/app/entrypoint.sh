#!/bin/sh
# Run the given command as process 1, so that it gets the signals. A server waits for the database;
# DJANGO_MANAGEPY_MIGRATE=on migrates before any command (and migrate waits by itself).
set -eu

if [ "${DJANGO_MANAGEPY_MIGRATE:-}" = on ]; then
  python manage.py migrate --no-input
elif [ "${1:-}" = {{ cookiecutter.app_server }} ]; then
  python manage.py wait_for_database
fi
{%- if cookiecutter.proxy != "none" %}

# The server needs a parent process that closes its socket before it stops.
if [ "${1:-}" = {{ cookiecutter.app_server }} ]; then
  set -- python /app/docker/app/serve.py "$@"
fi
{%- endif %}

exec "$@"
