"""Input that is broken or never ends: each kind gets its one answer, in time, and others are served meanwhile."""

import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import pytest

from tests.helpers.raw import Response, connect, request, send

pytestmark = pytest.mark.containers

CHUNKED = b"Transfer-Encoding: chunked"
KEPT = request(b"POST /", b"Content-Length: 5").replace(b"Connection: close\r\n", b"")
BOUNDARY = b"b" * 20
FIELD = b"--%b\r\nContent-Disposition: form-data; name=f%d\r\n\r\nx\r\n"
FIELDS = b"".join(FIELD % (BOUNDARY, n) for n in range(10_000)) + b"--%b--\r\n" % BOUNDARY


def multipart(cookie: str) -> bytes:
    """Return a form with 10,000 fields; Django reads it only when there is a CSRF cookie."""
    kind = b"Content-Type: multipart/form-data; boundary=" + BOUNDARY
    length = b"Content-Length: %d" % len(FIELDS)
    origin = b"Origin: https://localhost"
    headers = (kind, length, origin, f"Cookie: {cookie}".encode())
    return request(b"POST /admin/login/", *headers, body=FIELDS)


def trickle(start: bytes, piece: bytes) -> Iterable[bytes]:
    """Send a piece each second and a half, for half a minute at most."""
    yield start
    for _ in range(20):
        time.sleep(1.5)
        yield piece


@dataclass(frozen=True)
class Case:
    parts: Iterable[bytes]
    statuses: list[int]  # of each response; none where nginx closes the connection
    seconds: float = 5  # until nginx closes the connection


# nginx waits for the next byte of a body, and for headers as a whole, for 15 seconds.
CASES = {
    "a body without an end": Case([request(b"POST /", b"Content-Length: 1000", body=b"x")], [], 20),
    "no body at all": Case([request(b"POST /", b"Content-Length: 1000")], [], 20),
    "chunks without an end": Case([request(b"POST /", CHUNKED, body=b"5\r\nhello\r\n")], [], 20),
    "a chunk that stops": Case([request(b"POST /", CHUNKED, body=b"ffff\r\nhello")], [], 20),
    "headers without an end": Case([b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y"], [], 20),
    "headers that trickle": Case(
        trickle(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"y"), [], 20
    ),
    "a longer body than it says": Case([KEPT + b"hello, and more\r\n\r\n"], [403, 400]),
    "a request behind a longer body": Case([KEPT + b"helloGET / HTTP/1.1\r\n\r\n"], [403, 400]),
    "chunks that are longer than they say": Case(
        [request(b"POST /", CHUNKED, body=b"2\r\nhello\r\n0\r\n\r\n")], [400]
    ),
    "a header of 64 KB": Case([request(b"GET /", b"X: " + b"x" * 64 * 1024)], [400]),
    "a cookie of 64 KB": Case([request(b"GET /", b"Cookie: a=" + b"x" * 64 * 1024)], [400]),
    "a range past the end": Case([request(b"GET /media/input.txt", b"Range: bytes=9-")], [416]),
    "a thousand ranges": Case(
        [request(b"GET /media/input.txt", b"Range: bytes=" + b"0-," * 1000 + b"0-")], [200]
    ),
    "a NUL in a path": Case([request(b"GET /a%00b")], [400]),
    "a bare NUL in a path": Case([request(b"GET /a\x00b")], [400]),
    "a NUL in the path of a file": Case([request(b"GET /media/input.txt%00.png")], [400]),
    "a NUL in a query": Case([request(b"GET /?a=%00")], [200]),
    "no UTF-8 in a path": Case([request(b"GET /%ff%fe")], [404]),
    "a path of 8,000 folders": Case([request(b"GET " + b"/a" * 4000)], [404]),
}


@dataclass(frozen=True)
class Outcome:
    responses: dict[str, Response]
    pages: list[tuple[int, float]]  # the status and the seconds of each request of another client


@pytest.fixture(scope="module")
def outcome(production):
    """Sends all at once to `production` and requests pages meanwhile: about 16 s."""
    production.exec("app", "sh", "-c", "printf text >media/input.txt")
    with production.client() as client:
        cookie = client.get("/admin/login/").headers["set-cookie"].partition(";")[0]
    cases = CASES | {"10,000 fields": Case([multipart(cookie)], [400])}
    pages = []
    with ThreadPoolExecutor(len(cases)) as pool:
        sent = {
            name: pool.submit(send, connect(production), case.parts) for name, case in cases.items()
        }
        while wait(sent.values(), timeout=0.3).not_done:
            start = time.monotonic()
            pages.append((production.get("/").status_code, time.monotonic() - start))
    production.exec("app", "rm", "media/input.txt")
    return Outcome({name: future.result() for name, future in sent.items()}, pages)


@pytest.mark.parametrize("name", CASES)
def test_it_gets_its_answer_in_time(outcome, name):
    response, case = outcome.responses[name], CASES[name]
    statuses = re.findall(rb"^HTTP/1\.1 (\d+)", response.raw, re.MULTILINE)
    assert [int(status) for status in statuses] == case.statuses
    assert response.seconds < case.seconds


def test_a_form_with_10_000_fields_is_refused_by_django(outcome):
    response = outcome.responses["10,000 fields"]
    assert response.status == 413
    assert "<h1>That was too large</h1>" in response.body
    assert response.seconds < 5


def test_others_are_served_meanwhile(outcome):
    assert len(outcome.pages) > 20
    assert {status for status, _ in outcome.pages} == {200}
    assert max(seconds for _, seconds in outcome.pages) < 3
