"""What both app servers promise behind nginx: time limits, a graceful stop, an answer for everybody."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.helpers.locked import locked, stop_during_requests
from tests.helpers.stack import free_port, run, wait_until_it_answers

pytestmark = [
    pytest.mark.containers,
    pytest.mark.parametrize("app_server", ["uwsgi", "gunicorn"], indirect=True),
]

THREE_SECONDS = {"uwsgi": "UWSGI_HARAKIRI=3", "gunicorn": "GUNICORN_CMD_ARGS=--timeout 3"}


# A request that never ends


def test_a_stuck_request_is_ended_while_others_are_answered(production, app_server):
    """One request waits for a locked table; probes of the same server go on all the time."""
    port = free_port()
    flags = (f"--env={THREE_SECONDS[app_server]}", "--env=WEB_CONCURRENCY=2")
    name = production.run_over_tcp(port, *flags)
    server = f"http://127.0.0.1:{port}"
    wait_until_it_answers(f"{server}/healthz")
    with locked(production, 15) as is_locked, ThreadPoolExecutor() as pool:
        stuck = pool.submit(status_of, f"{server}/readyz")
        probes = []
        while not stuck.done():
            probes.append(status_of(f"{server}/healthz"))
        was_locked = is_locked()
    run("docker", "stop", name)
    assert was_locked, "the request ended because the lock did"
    assert stuck.result() >= 500
    assert set(probes) == {200}


def status_of(address: str) -> int:
    """Return the answer's status, or 502, which nginx makes of no answer."""
    try:
        return httpx.get(address, timeout=30).status_code
    except httpx.RemoteProtocolError:
        return 502


# Stopping


def test_a_stop_finishes_the_requests_that_workers_have_accepted(production):
    waiting, answers, status = stop_during_requests(production)
    assert waiting == [True] * 4
    assert answers == [(200, "ready\n")] * 4
    assert status == 0


# Every request gets its answer


def test_no_post_is_lost_between_nginx_and_the_app(production):
    """nginx keeps a connection to the app after an answer that tells its length, unless the app
    says that it closes it. A POST is the one request that nginx does not try again."""
    assert "content-length" in production.get("/").headers
    with production.client() as client:
        codes = [ask("/").status_code for _ in range(300) for ask in (client.get, client.post)]
    assert set(codes) == {200, 403}  # without the form's token


def test_a_large_body_that_no_view_reads_gets_its_answer(production):
    body = b"x" * 5_000_000
    with production.client() as client:
        codes = [client.post("/no/such/page", content=body).status_code for _ in range(40)]
    assert set(codes) == {404}


def test_a_body_over_the_limit_is_refused(production):
    with production.client() as client:
        answer = client.post("/", content=b"x" * (11 * 1024**2))
    assert answer.status_code == 413


def test_headers_of_30_kb_arrive(production):
    cookies = {f"Cookie{n}": "x" * 7000 for n in range(4)}
    assert production.get("/", headers=cookies).status_code == 200
