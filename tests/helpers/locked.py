"""Requests that last: /readyz looks into a table, and waits for as long as somebody locks it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.helpers.stack import Stack, run

PSQL = ("psql", "--username=app", "--tuples-only", "--command")
LOCK = "BEGIN; LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({});"
LOCKS = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
WAITERS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
UNLOCK = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"


@contextmanager
def locked(stack: Stack, seconds: int):
    """Let every request for /readyz wait until the end of this block, or for so many seconds.

    Gives a function that tells whether they still do.
    """
    with ThreadPoolExecutor() as pool:
        session = pool.submit(
            stack.command, "exec", "--no-TTY", "postgres", *PSQL, LOCK.format(seconds)
        )
        wait_for(stack, LOCKS, 1)
        try:
            yield lambda: not session.done()
        finally:
            unlock(stack)


def unlock(stack: Stack) -> None:
    stack.exec("postgres", *PSQL, UNLOCK)


def wait_for(stack: Stack, query: str, count: int) -> None:
    for _ in range(100):
        if int(stack.exec("postgres", *PSQL, query)) >= count:
            return
    pytest.fail(f"never became {count}: {query}")


def stop_during_requests(stack: Stack) -> tuple[list, list, int]:
    """Stop the app while four requests wait, for at least eight seconds.

    Returns whether each still waited then, the four answers, and the app's exit status.
    """
    with locked(stack, 60), ThreadPoolExecutor(max_workers=10) as pool:
        requests = [pool.submit(stack.get, "/readyz") for _ in range(4)]
        wait_for(stack, WAITERS, 4)
        stopped = pool.submit(stack.compose, "stop", "app")
        time.sleep(8)
        waiting = [not request.done() for request in requests]
        unlock(stack)
        answers = [request.result() for request in requests]
        stopped.result()
    state = json.loads(run("docker", "inspect", stack.container("app")).stdout)[0]["State"]
    stack.up()
    return waiting, [(a.status_code, a.text) for a in answers], state["ExitCode"]
