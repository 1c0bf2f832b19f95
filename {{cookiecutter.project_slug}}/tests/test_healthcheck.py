"""Which containers the health check asks for a page: the servers, and not the workers."""

import healthcheck
import pytest


@pytest.mark.parametrize(
    ("command", "is_server"),
    [
        ("python /app/docker/app/serve.py {{ cookiecutter.app_server }} --option", True),
        ("/bin/sh /entrypoint.sh {{ cookiecutter.app_server }} --option", True),
        ("/sbin/docker-init -- /entrypoint.sh {{ cookiecutter.app_server }} --option", True),
        ("python manage.py runserver 0.0.0.0:8000", True),
        ("python manage.py send_reports", False),
        ("/sbin/docker-init -- /entrypoint.sh python manage.py send_reports", False),
    ],
)
def test_the_health_check_knows_a_server_by_its_command(command, is_server):
    assert healthcheck.runs_server(command.replace(" ", "\0").encode()) is is_server


def test_the_health_check_knows_a_server_that_renamed_itself():
    assert healthcheck.runs_server(b"{{ cookiecutter.__app_server_name }} master\0")
    assert healthcheck.runs_server(b"{{ cookiecutter.__app_server_name }}: master [config.wsgi]\0")
