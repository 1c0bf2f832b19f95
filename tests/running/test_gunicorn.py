"""What is gunicorn's own: its numbers, and whom it believes."""

import json
import re

import pytest

from tests.helpers.stack import run

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


def test_it_believes_its_own_networks_and_nobody_else(production):
    (app,) = json.loads(run("docker", "inspect", production.container("app")).stdout)
    joined = [*app["NetworkSettings"]["Networks"]]
    (frontend, backend) = json.loads(run("docker", "network", "inspect", *joined).stdout)
    subnets = {network["IPAM"]["Config"][0]["Subnet"] for network in (frontend, backend)}
    believed = shown(production)["forwarded_allow_ips"]
    assert set(re.findall(r"[0-9./]+", believed)) == subnets


def test_its_heartbeat_is_in_memory(production):
    worker = "find /proc/[0-9]*/fd -lname '/dev/shm/wgunicorn*' 2>/dev/null | wc -l"
    assert int(production.exec("app", "sh", "-c", worker)) >= 2
