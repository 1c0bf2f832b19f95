"""What both app servers promise behind nginx: time limits, a graceful stop, an answer for everybody."""

import time
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


# Half a response is not a whole one


@pytest.mark.parametrize("http2", [False, True], ids=["http-1", "http-2"])
@pytest.mark.parametrize("end", ["killed", "hang", "error"])
def test_a_response_that_breaks_off_is_cut_off(views, end, http2):
    """Its length is not known before its end, and its status was 200."""
    path = f"/export/?mb=40&{end}"
    with views.client(http2=http2) as client, client.stream("GET", path) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_a_whole_response_of_unknown_length_ends(views):
    assert len(views.get("/export/?mb=40").content) == 40 * 1024**2


def test_a_client_may_be_slower_than_a_request_may_take(views):
    """nginx takes the response from the app, which gives a request 3 seconds here."""
    size = 0
    with views.client() as client, client.stream("GET", "/export/?mb=96") as answer:
        for block in answer.iter_bytes(16 * 1024**2):
            size += len(block)
            time.sleep(1)
    assert size == 96 * 1024**2


def test_headers_of_30_kb_arrive(production):
    cookies = {f"Cookie{n}": "x" * 7000 for n in range(4)}
    assert production.get("/", headers=cookies).status_code == 200
