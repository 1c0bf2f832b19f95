"""Which containers the health check asks for a page: the servers, and not the workers."""

import healthcheck
import pytest


@pytest.mark.parametrize(
    ("command", "is_server"),
    [
        ("python /app/docker/app/serve.py uwsgi --ini docker/app/uwsgi.ini", True),
        ("/bin/sh /entrypoint.sh gunicorn --config docker/app/gunicorn.conf.py", True),
        ("/sbin/docker-init -- /entrypoint.sh uwsgi --ini docker/app/uwsgi.ini", True),
        ("python manage.py runserver 0.0.0.0:8000", True),
        ("python manage.py send_reports", False),
        ("/sbin/docker-init -- /entrypoint.sh python manage.py send_reports", False),
    ],
)
def test_the_health_check_knows_a_server_by_its_command(command, is_server):
    assert healthcheck.runs_server(command.replace(" ", "\0").encode()) is is_server


def test_the_health_check_knows_a_server_that_renamed_itself():
    assert healthcheck.runs_server(b"uWSGI master\0")
    assert healthcheck.runs_server(b"gunicorn: master [config.wsgi]\0")
