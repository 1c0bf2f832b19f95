"""What clients see of production while its parts die, stop or hang, and that all is well again."""

import http.client
import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.helpers.echo import eventually_status
from tests.helpers.faults import MEMBER, PLAIN, WELL, changed, inspect, starts
from tests.helpers.load import load, writes
from tests.helpers.locked import PSQL, WAITERS, locked, unlock, wait_for
from tests.helpers.stack import (
    free_port,
    in_image,
    run,
    wait_until_it_answers,
    wait_until_it_is_ready,
)

pytestmark = pytest.mark.containers

KILL = "import os, sys; [os.kill(int(pid), 9) for pid in sys.argv[1:]]"


def kill(stack, image: str, *services: str) -> None:
    """Let the first processes of these services' containers die at once, and wait for new ones.

    Not by docker kill: that counts as a stop by hand, after which Docker starts nothing again.
    """
    containers = stack.compose("ps", "--quiet", *services).split()
    before = inspect(*containers)
    pids = [str(container["State"]["Pid"]) for container in before]
    options = ("--privileged", "--pid=host", "--user=0")
    done = in_image(image, "python", "-c", KILL, *pids, options=options)
    assert done.returncode == 0, done.stderr
    for _ in range(100):
        if all(started_anew(*pair) for pair in zip(before, inspect(*containers), strict=True)):
            return
        time.sleep(0.2)
    pytest.fail(f"{services} did not come back by itself")


def started_anew(before: dict, now: dict) -> bool:
    return now["State"]["Running"] and now["State"]["StartedAt"] != before["State"]["StartedAt"]


def workers(stack) -> set[str]:
    """Return the ids of the processes that the app server, the child of process 1, started."""
    children = (
        'children() { grep -lP "^PPid:\\t$1$" /proc/[0-9]*/status | cut -d/ -f3; };'
        " children $(children 1)"
    )
    return set(stack.exec("app", "sh", "-c", children).split())


# The database


def test_a_killed_database_is_told_to_clients_until_it_is_back(production, member, image):
    app = starts(production, "app")
    with (
        load(production, *PLAIN) as plain,
        load(production, *MEMBER, headers=member) as seen,
    ):
        time.sleep(1)
        kill(production, image, "postgres")
        seen.wait_until_all_is_well()
    assert plain.statuses() == WELL
    assert seen.unexplained() == []
    assert seen.statuses() == {200, 503}
    assert starts(production, "app") == app


def test_a_restart_of_the_database_is_told_to_clients(production, member):
    app = starts(production, "app")
    with (
        load(production, *PLAIN) as plain,
        load(production, *MEMBER, headers=member) as seen,
    ):
        time.sleep(1)
        production.compose("restart", "--timeout", "1", "postgres")
        seen.wait_until_all_is_well()
    assert plain.statuses() == WELL
    assert seen.unexplained() == []
    assert seen.statuses() == {200, 503}
    assert starts(production, "app") == app


# The app


def test_a_killed_worker_costs_the_request_that_it_had_and_is_replaced(production):
    before = workers(production)
    with (
        locked(production, 30),
        load(production, *PLAIN) as seen,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):
        busy = [pool.submit(production.get, "/readyz") for _ in range(2)]
        wait_for(production, WAITERS, 2)
        for worker in before:  # one of them holds the lock that makes the others wait their turn
            production.exec("app", "sh", "-c", f"kill -9 {worker}")
        answers = [request.result() for request in busy]
        seen.wait_until_all_is_well()
    after = workers(production)
    assert len(before) > 2
    assert [answer.status_code for answer in answers] == [502, 502]
    assert {"retry-after" in answer.headers for answer in answers} == {True}
    assert left_in_the_dark(seen) == []
    assert len(seen.failures()) <= len(before)
    assert len(after) == len(before)
    assert not after & before


def left_in_the_dark(seen) -> list:
    """Return the failures without a word to the client, but for answers of which it had the first half.

    When their headers are with the client they cannot become a 502 any more.
    """
    return [failure for failure in seen.unexplained() if not failure.cut_off]


def test_a_killed_app_is_told_to_clients_until_it_is_back(production, image):
    with load(production, *PLAIN) as seen:
        time.sleep(1)
        kill(production, image, "app")
        seen.wait_until_all_is_well()
    assert left_in_the_dark(seen) == []
    assert seen.statuses() - WELL != set()


GIVEN_UP = {"uwsgi": "HARAKIRI ON WORKER", "gunicorn": "WORKER TIMEOUT (pid:"}
THREE_SECONDS = {"uwsgi": "UWSGI_HARAKIRI=3", "gunicorn": "GUNICORN_CMD_ARGS=--timeout 3"}


def test_a_request_that_never_ends_is_given_up_and_delays_no_other(
    production, app_server, tmp_path
):
    app = {"environment": [THREE_SECONDS[app_server]]}
    with changed(production, tmp_path, "--no-deps", "app", services={"app": app}):
        before = workers(production)
        with locked(production, 20) as is_locked, load(production, *PLAIN) as seen:
            stuck = production.get("/readyz")
            was_locked = is_locked()
            seen.wait_until_all_is_well()
        after = workers(production)
        log = production.logs("app")
    assert was_locked, "the request ended because the lock did"
    assert stuck.status_code in (502, 504)
    assert "retry-after" in stuck.headers
    assert seen.statuses() == WELL
    assert seen.usual_seconds() < stuck.elapsed.total_seconds() / 2
    assert len(after) == len(before)
    assert len(before - after) == 1
    has_the_words_of(production, f"docs/{app_server}.md", GIVEN_UP[app_server], log)


def has_the_words_of(stack, page: str, words: str, log: str) -> None:
    """Assert that the log says so, and that the page for who reads the log has it."""
    assert words in log
    assert f"`{words}" in (stack.path / page).read_text()


def test_a_stop_serves_those_too_whom_no_worker_has_accepted(production):
    """They wait between nginx and the workers; the server is told to stop when all have a worker."""
    there_are = len(workers(production))
    with locked(production, 60), ThreadPoolExecutor(max_workers=40) as pool:
        requests = [pool.submit(production.get, "/readyz") for _ in range(there_are + 12)]
        wait_for(production, WAITERS, there_are)
        stopped = pool.submit(production.compose, "stop", "app")
        time.sleep(2)
        unlock(production)
        answers = [request.result() for request in requests]
        stopped.result()
    production.up("--no-deps", "app")
    eventually_status(production, 200)
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "ready\n")] * (
        there_are + 12
    )


def test_replicas_that_start_together_migrate_once(production):
    production.exec("postgres", "createdb", "--username=app", "replicas")
    settings = ("--env=POSTGRES_DB=replicas", "--env=DJANGO_MANAGEPY_MIGRATE=on")

    def start(port: int) -> str:
        return production.run_over_tcp(port, *settings)

    ports = [free_port(), free_port()]
    with ThreadPoolExecutor() as pool:
        names = [*pool.map(start, ports)]
    try:
        for port in ports:
            wait_until_it_answers(f"http://127.0.0.1:{port}/healthz")
        ready = [httpx.get(f"http://127.0.0.1:{port}/readyz").text for port in ports]
        logs = [run("docker", "logs", name).stdout for name in names]
    finally:
        run("docker", "rm", "--force", *names)
        production.exec("postgres", "dropdb", "--username=app", "--force", "replicas")
    assert ready == ["ready\n", "ready\n"]
    assert "".join(logs).count("Applying accounts.0001_initial... OK") == 1


# nginx


def test_a_reload_of_nginx_fails_no_request(production, member):
    with (
        load(production, *PLAIN) as seen,
        load(production, *MEMBER, headers=member) as members,
    ):
        for _ in range(6):
            production.exec("nginx", "nginx", "-s", "reload")
            time.sleep(0.4)
    assert seen.failures() == []
    assert members.failures() == []
    assert len(seen.answers + members.answers) > 100


def test_a_kept_connection_takes_one_more_request_after_a_reload(production):
    """nginx cannot know that none is on its way when it closes one."""
    context = ssl._create_unverified_context()
    port = int(production.ports["HTTPS_PORT"])
    kept = [http.client.HTTPSConnection("localhost", port, context=context) for _ in range(20)]
    before = [ask(connection) for connection in kept]
    production.exec("nginx", "nginx", "-s", "reload")
    time.sleep(0.5)
    after = [ask(connection) for connection in kept]
    assert before == after == [200] * 20


def ask(connection: http.client.HTTPSConnection) -> int:
    """Ask on a connection; the second time not on another one, where the first was closed."""
    connection.request("GET", "/healthz")
    connection.auto_open = False
    answer = connection.getresponse()
    answer.read()
    return answer.status


# All of it


def test_no_acknowledged_row_is_lost_when_all_containers_are_killed_at_once(
    production, member, image
):
    with writes(production, member) as acknowledged:
        time.sleep(2)
        kill(production, image)
        before = len(acknowledged)
        for _ in range(200):
            if len(acknowledged) >= before + 20:
                break
            time.sleep(0.2)
    rows = production.exec("postgres", *PSQL, "SELECT name FROM auth_group")
    there = set(re.findall(r"row-\d+-\d+", rows))
    assert before >= 10
    assert len(acknowledged) >= before + 20
    assert set(acknowledged) - there == set()


# The engine


def test_the_stack_comes_back_with_the_engine(restart_engine, production):
    services = ("app", "nginx", "postgres")
    before = starts(production, *services)
    restart_engine()
    wait_until_it_is_ready(production)
    assert not set(starts(production, *services)) & set(before)
