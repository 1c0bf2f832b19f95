"""What is gunicorn's own: its numbers, and which headers it reads."""

import re

import pytest

pytestmark = [
    pytest.mark.containers,
    pytest.mark.parametrize("app_server", ["gunicorn"], indirect=True),
]


def shown(stack) -> dict[str, str]:
    """Return the settings that gunicorn works with, as it prints them."""
    command = ("gunicorn", "--config", "docker/app/gunicorn.conf.py", "--print-config")
    return dict(re.findall(r"^(\w+) += (.*)$", stack.exec("app", *command), re.MULTILINE))


def test_its_numbers_are_those_of_its_file(production):
    settings = shown(production)
    assert settings["worker_tmp_dir"] == "/dev/shm"
    assert settings["graceful_timeout"] == "60"
    assert settings["timeout"] == "60"
    assert settings["max_requests"] == "2000"
    assert settings["max_requests_jitter"] == "200"
    assert settings["control_socket_disable"] == "True"


def test_a_variable_wins_over_its_file(production):
    variables = ("--env", "GUNICORN_CMD_ARGS=--timeout 17", "--env", "WEB_CONCURRENCY=3")
    print_config = ("gunicorn", "--config", "docker/app/gunicorn.conf.py", "--print-config")
    printed = production.compose(
        "run", "--rm", "--no-TTY", "--no-deps", *variables, "app", *print_config
    )
    assert re.search(r"^timeout += 17$", printed, re.MULTILINE)
    assert re.search(r"^workers += 3$", printed, re.MULTILINE)


@pytest.mark.parametrize("header", ["X-Forwarded-Ssl", "X-Forwarded-Protocol"])
def test_a_client_says_nothing_about_the_scheme(production, header):
    """gunicorn refuses requests whose headers contradict each other, so it reads only nginx's."""
    assert production.get("/", headers={header: "off"}).status_code == 200


def test_its_heartbeat_is_in_memory(production):
    worker = "find /proc/[0-9]*/fd -lname '/dev/shm/wgunicorn*' 2>/dev/null | wc -l"
    assert int(production.exec("app", "sh", "-c", worker)) >= 2
