"""What is uWSGI's own: its routing rules, its threads, and that each number can be set."""

import json
import re

import pytest

from tests.helpers.stack import ENOUGH, in_image, run

pytestmark = [
    pytest.mark.containers,
    pytest.mark.parametrize("app_server", ["uwsgi"], indirect=True),
]


def test_uwsgi_has_pcre_for_its_routing_rules(image):
    assert "--route-host" in in_image(image, "uwsgi", "--help", options=ENOUGH).stdout


def test_a_variable_wins_over_its_file(started):
    _, container = started(*ENOUGH, "--env=UWSGI_THREADS=2", "--env=WEB_CONCURRENCY=4")
    ask = ("docker", "exec", container, "uwsgi", "--connect-and-read", "127.0.0.1:9191")
    stats = json.loads(run(*ask).stderr or run(*ask).stdout)
    assert [len(worker["cores"]) for worker in stats["workers"]] == [2, 2, 2, 2]


def test_a_word_that_uwsgi_does_not_know_ends_the_start(image):
    # With a limit, because a uWSGI that starts all the same would go on for ever.
    limited = ("sh", "-c", "timeout 20 uwsgi --ini docker/app/uwsgi.ini; echo ended with $?")
    done = in_image(image, *limited, options=[*ENOUGH, "--env=UWSGI_HARAKIRY=10"])
    assert "ended with 1\n" in done.stdout
    assert "harakiry" in done.stderr


def test_every_number_in_uwsgi_ini_can_be_set_from_outside(started, served):
    numbers = {
        "SOCKET_TIMEOUT": 77, "THREADS": 7, "HARAKIRI": 17, "WORKER_RELOAD_MERCY": 27,
        "MAX_REQUESTS": 37, "MAX_REQUESTS_DELTA": 47, "BUFFER_SIZE": 5700,
    }  # fmt: skip
    ini = served.read("docker/app/uwsgi.ini")
    written = re.findall(r"^([a-z-]+) = \d+$", ini, re.MULTILINE)
    assert written == [name.lower().replace("_", "-") for name in numbers]
    numbers["LISTEN"] = 67  # which listen.py writes
    flags = [f"--env=UWSGI_{name}={value}" for name, value in numbers.items()]
    _, container = started(*ENOUGH, *flags, "--env=UWSGI_SHOW_CONFIG=1")
    logs = run("docker", "logs", container)
    shown = logs.stdout + logs.stderr
    for name, value in numbers.items():
        option = name.lower().replace("_", "-")
        assert re.findall(rf"^{option} = (\d+)$", shown, re.MULTILINE) == [str(value)]
