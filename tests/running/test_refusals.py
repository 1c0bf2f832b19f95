"""Each status that nginx can send by itself comes with the site's page and the request ID."""

import re

import pytest

from tests.helpers.raw import connect, request, send

pytestmark = pytest.mark.containers

# What nginx refuses while it reads a request, on each port: it has not chosen a server by then, or not a location.
MALFORMED = {
    "a method for proxies": (request(b"TRACE /"), 405),
    "a tunnel": (request(b"CONNECT localhost:443"), 405),
    "an unknown version": (request(b"GET /").replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
    "an unknown coding": (request(b"POST /", b"Transfer-Encoding: gzip"), 501),
    "a long address": (request(b"GET /" + b"x" * 20_000), 400),
    "a long header": (request(b"GET /", b"X: " + b"x" * 64 * 1024), 400),
    "many headers": (request(b"GET /", *[b"X%d: x" % n for n in range(120)]), 400),
    "a broken path": (request(b"GET /%zz"), 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "a broken length before the host": (
        b"POST / HTTP/1.1\r\nContent-Length: abc\r\nHost: localhost\r\n\r\n",
        400,
    ),
    "no HTTP": (b"\x16\x03\x01\x00\x00\r\n\r\n", 400),
}
# What it refuses while it serves a file.
OF_FILES = {
    "another method": (request(b"DELETE /static/x"), 405),
    "another method for an upload": (
        request(b"PUT /media/x", b"Content-Length: 1", body=b"x"),
        405,
    ),
    "a range past the end": (request(b"GET /media/range.txt", b"Range: bytes=1000-"), 416),
    "an old version": (request(b"GET /media/range.txt", b'If-Match: "old"'), 412),
    "a folder": (request(b"GET /static/"), 403),
}


def of_kind(cases: dict) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("sent", "status"), cases.values(), ids=cases.keys())


@pytest.fixture(scope="module")
def stack(production):
    """`production` with a file of four bytes in media."""
    production.exec("app", "sh", "-c", "printf text >media/range.txt")
    yield production
    production.exec("app", "rm", "media/range.txt")


def is_ours(response, status: int) -> None:
    """Assert that this is a page of the site, which names the status and the request ID."""
    assert response.status == status
    assert response.header("Content-Type").startswith("text/html")
    assert re.search(r'href="/static/config/error\.[0-9a-f]{12}\.css"', response.body)
    assert f'<p class="code">{status}</p>' in response.body
    assert f"<code>{response.header('X-Request-ID')}</code>" in response.body
    assert "<!--#" not in response.body


@pytest.mark.parametrize("port", ["HTTPS_PORT", "HTTP_PORT"])
@of_kind(MALFORMED)
def test_a_malformed_request_gets_the_page(stack, port, sent, status):
    is_ours(send(connect(stack, port), [sent]), status)


@of_kind(OF_FILES)
def test_a_file_that_cannot_be_served_so_gets_the_page(stack, sent, status):
    is_ours(send(connect(stack), [sent]), status)


def test_a_challenge_that_is_not_there_gets_the_page(stack):
    missing = request(b"GET /.well-known/acme-challenge/missing")
    is_ours(send(connect(stack, "HTTP_PORT"), [missing]), 404)


def test_http_on_the_port_of_https_gets_the_page(stack):
    ports = stack.ports | {"HTTP_PORT": stack.ports["HTTPS_PORT"]}
    plain = type(stack)(stack.path, stack.file, ports)
    is_ours(send(connect(plain, "HTTP_PORT"), [request(b"GET /")]), 400)


def test_a_range_past_the_end_says_how_long_the_file_is(stack):
    response = send(connect(stack), [OF_FILES["a range past the end"][0]])
    assert response.header("Content-Range") == "bytes */4"


@pytest.mark.parametrize("header", [b"Range: bytes=1000-", b'If-Match: "old"'])
def test_a_head_request_gets_no_body(stack, header):
    response = send(connect(stack), [request(b"HEAD /media/range.txt", header)])
    assert (response.status, response.body) in [(416, ""), (412, "")]


@pytest.mark.parametrize("start", [b"TRACE /", b"DELETE /static/x", b"GET /"])
def test_another_name_gets_no_response(stack, start):
    sent = request(start).replace(b"localhost", b"evil.example")
    assert send(connect(stack), [sent]).raw == b""
    assert send(connect(stack, "HTTP_PORT"), [sent]).raw == b""
