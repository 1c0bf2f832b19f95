"""Hostile and odd HTTP: nginx refuses it, or the app server reads the very requests that nginx read.

Behind nginx is the app's image with the configuration it always has; only the application is
another one, which answers 203 with what it was given, and remembers it.
"""

import json
import re
import socket
import ssl
import time
from contextlib import suppress

import h2.config
import h2.connection
import pytest

from tests.helpers.echo import eventually_status, sending_to
from tests.helpers.stack import run

pytestmark = [
    pytest.mark.containers,
    pytest.mark.parametrize("app_server", ["uwsgi", "gunicorn"], indirect=True),
]

ECHO = """
import json
import os

# As the file that this one stands in for: what reads requests to their end needs the settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

seen = []


def application(environ, start_response):
    if environ["PATH_INFO"] == "/seen":
        answer = json.dumps(seen)
        seen.clear()
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        request = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ["QUERY_STRING"],
            "body": environ["wsgi.input"].read(length).decode("latin-1"),
            "headers": {k: v for k, v in environ.items() if k.startswith("HTTP_")},
        }
        if environ["PATH_INFO"] != "/healthz":
            seen.append(request)
        answer = json.dumps(request)
    answer += "\\n"
    start_response("203 Seen", [("Content-Length", str(len(answer)))])
    return [answer.encode()]
"""


class Echo:
    """The stack with the echo in the app's place."""

    def __init__(self, stack):
        self.stack = stack
        self.port = int(stack.ports["HTTPS_PORT"])

    def connect(self, *protocols: str) -> ssl.SSLSocket:
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(protocols)
        plain = socket.create_connection(("localhost", self.port), 10)
        return context.wrap_socket(plain, server_hostname="localhost")

    def says(self, *parts: bytes) -> bytes:
        """Send these bytes, each a moment after the other; return all that comes back until the end."""
        said = b""
        with suppress(ConnectionError), self.connect() as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.1 * (len(parts) > 1))
            while data := connection.recv(65536):
                said += data
        return said

    def statuses(self, *parts: bytes) -> list[int]:
        """Return the status of each answer to these bytes."""
        return [
            int(status)
            for status in re.findall(rb"^HTTP/1\.1 (\d+)", self.says(*parts), re.MULTILINE)
        ]

    def seen(self) -> list[dict]:
        """Return what the app has read since this was last asked."""
        return self.stack.get("/seen").json()

    def requests(self) -> list[tuple[str, str, str]]:
        return [(seen["method"], seen["path"], seen["body"]) for seen in self.seen()]


@pytest.fixture(scope="module")
def echoed(production, tmp_path_factory):
    """Starts an app container with the echo, next to `production`, and sends nginx's requests to it: 5 s."""
    file = tmp_path_factory.mktemp("echo") / "wsgi.py"
    file.write_text(ECHO)
    # One worker, so that it remembers all.
    flags = ("--env=WEB_CONCURRENCY=1", f"--volume={file}:/app/config/wsgi.py:ro")
    name = production.compose("run", "--detach", "--rm", "--no-deps", *flags, "app").strip()
    host = run("docker", "inspect", name, "--format", "{{.Config.Hostname}}").stdout.strip()
    with sending_to(production, host):
        eventually_status(production, 203)
        yield Echo(production)
    run("docker", "rm", "--force", name)


@pytest.fixture
def echo(echoed):
    """Empties the memory of the echo; starts nothing more."""
    echoed.seen()
    return echoed


def request(start: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([start + b" HTTP/1.1", b"Host: localhost", *headers, b"", body])


def hidden(*headers: bytes, body: bytes = b"hello") -> bytes:
    """Return a POST with these headers. Whoever thinks that it ends early, sees another request."""
    return request(b"POST /a", *headers, body=body) + LAST


LAST = request(b"GET /last", b"Connection: close")
CLOSE = b"Connection: close"
CHUNKED = b"Transfer-Encoding: chunked"
HELLO = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


# How long a body is


@pytest.mark.parametrize(
    "length",
    [b"-5", b"+5", b"5, 6", b"5, 5", b"", b"0x5", b"5.0", b"5 5", b"five", b"9" * 30],
)
def test_a_broken_length_is_refused(echo, length):
    assert echo.statuses(hidden(b"Content-Length: " + length)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize("second", [b"5", b"6", b"0"])
def test_two_lengths_are_refused(echo, second):
    lengths = (b"Content-Length: 5", b"Content-Length: " + second)
    assert echo.statuses(hidden(*lengths)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize("length", [b"0", b"5", b"20"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_length_and_chunks_together_are_refused(echo, length, first):
    both = [b"Content-Length: " + length, CHUNKED]
    assert echo.statuses(hidden(both[first], both[1 - first], body=HELLO)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize(
    "coding",
    [b"xchunked", b"chunked, chunked", b"chunked, identity", b"identity, chunked", b"gzip, chunked",
     b"identity", b"gzip", b"\tchunked", b"chunked\t", b"\x0bchunked", b"chunked;q=1", b'"chunked"'],
)  # fmt: skip
def test_an_unknown_coding_is_refused(echo, coding):
    assert echo.statuses(hidden(b"Transfer-Encoding: " + coding, body=HELLO)) == [501]
    assert echo.requests() == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([CHUNKED, CHUNKED], id="twice"),
        pytest.param([CHUNKED, b"Transfer-Encoding: identity"], id="and-another"),
        pytest.param([b"Transfer-Encoding : chunked"], id="space-before-the-colon"),
        pytest.param([b"Transfer-Encoding\t: chunked"], id="tab-before-the-colon"),
        pytest.param([b"Transfer-Encoding:\r\n chunked"], id="on-the-next-line"),
        pytest.param([b" Transfer-Encoding: chunked"], id="space-before-the-name"),
        pytest.param([b"X: y\rTransfer-Encoding: chunked"], id="after-a-bare-return"),
        pytest.param([b"Transfer-Encoding\x00: chunked"], id="nul-in-the-name"),
    ],
)
def test_chunks_that_are_announced_oddly_are_refused(echo, headers):
    assert echo.statuses(hidden(*headers, body=HELLO)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"0x5\r\nhello\r\n0\r\n\r\n", id="0x"),
        pytest.param(b"-5\r\nhello\r\n0\r\n\r\n", id="negative"),
        pytest.param(b"+5\r\nhello\r\n0\r\n\r\n", id="plus"),
        pytest.param(b"\r\nhello\r\n0\r\n\r\n", id="none"),
        pytest.param(b"5\r\nhelloworld\r\n0\r\n\r\n", id="too-short"),
        pytest.param(b"10000000000000005\r\nhello\r\n0\r\n\r\n", id="over-64-bits"),
        pytest.param(b"5\rhello\r\n0\r\n\r\n", id="bare-return"),
    ],
)
def test_a_broken_chunk_is_refused(echo, body):
    assert echo.statuses(hidden(CHUNKED, body=body)) == [400]
    assert echo.requests() == []


def test_chunks_of_an_old_client_are_refused(echo):
    old = hidden(CHUNKED, body=HELLO).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    assert echo.statuses(old) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param([b"Content-Length: 5"], b"hello", id="length"),
        pytest.param([b"Content-Length:   0005  "], b"hello", id="zeros-and-spaces"),
        pytest.param([CHUNKED], HELLO, id="chunks"),
        pytest.param([b"transfer-ENCODING:CHUNKED"], HELLO, id="capitals"),
        pytest.param([CHUNKED], b"5;a=b\r\nhello\r\n0\r\n\r\n", id="extension"),
        pytest.param([CHUNKED], b"05\r\nhello\r\n000\r\n\r\n", id="zeros"),
        pytest.param([CHUNKED], b"5\r\nhello\r\n0\r\nTrail: er\r\n\r\n", id="trailer"),
        pytest.param([b"Content_Length: 2", b"Content-Length: 5"], b"hello", id="underscore"),
        pytest.param([b"Transfer_Encoding: chunked", b"Content-Length: 5"], b"hello", id="under"),
        pytest.param([b"Content-Length: 5", b"Connection: Content-Length"], b"hello", id="hop"),
    ],
)
def test_a_body_is_as_long_for_the_app_as_for_nginx(echo, headers, body):
    """The request behind it, on the same connection, stays a request of its own."""
    assert echo.statuses(hidden(*headers, body=body)) == [203, 203]
    assert echo.requests() == [("POST", "/a", "hello"), ("GET", "/last", "")]


def test_requests_that_come_at_once_are_answered_one_by_one(echo):
    post = request(b"POST /2", b"Content-Length: 5", body=b"hello")
    chunks = request(b"PUT /3", CHUNKED, body=HELLO)
    assert echo.statuses(request(b"GET /1") + post + chunks + post + LAST) == [203] * 5
    assert echo.requests() == [
        ("GET", "/1", ""),
        ("POST", "/2", "hello"),
        ("PUT", "/3", "hello"),
        ("POST", "/2", "hello"),
        ("GET", "/last", ""),
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "BREW"])
def test_a_request_in_a_body_stays_a_body(echo, method):
    inner = request(b"GET /inner")
    start = f"{method} /a".encode()
    length = request(start, b"Content-Length: %d" % len(inner), body=inner)
    chunks = request(start, CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner))
    assert echo.statuses(length + chunks + LAST) == [203] * 3
    body = inner.decode()
    assert echo.requests() == [(method, "/a", body), (method, "/a", body), ("GET", "/last", "")]


def test_chunks_that_come_in_pieces_arrive_whole(echo):
    large = b"%x\r\n%b\r\n" % (90_000, b"x" * 90_000)
    start = request(b"POST /a", CHUNKED, CLOSE)
    parts = [start[:30], start[30:], large[:9], large[9:50_000], large[50_000:], b"0", b"\r\n\r\n"]
    assert echo.statuses(*parts) == [203]
    assert echo.requests() == [("POST", "/a", "x" * 90_000)]


def test_half_a_body_is_no_request(echo):
    with echo.connect() as connection:
        connection.sendall(request(b"POST /half", b"Content-Length: 50", body=b"hello"))
    assert echo.statuses(LAST) == [203]
    assert echo.requests() == [("GET", "/last", "")]


def test_a_client_that_waits_for_leave_gets_it_from_nginx(echo):
    headers = (b"Content-Length: 5", b"Expect: 100-continue", CLOSE)
    assert echo.statuses(request(b"POST /a", *headers), b"hello") == [100, 203]
    (seen,) = echo.seen()
    assert seen["body"] == "hello"
    assert "HTTP_EXPECT" not in seen["headers"]


# Too much


def test_chunks_over_the_limit_are_refused(echo):
    megabyte = b"%x\r\n%b\r\n" % (1024**2, b"x" * 1024**2)
    body = megabyte * 76 + b"0\r\n\r\n"
    assert echo.statuses(request(b"POST /a", CHUNKED, CLOSE, body=body)) == [413]
    assert echo.requests() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param([b"X: " + b"x" * 200_000], 400, id="one-of-200-kb"),
        pytest.param([b"X: " + b"x" * 9000], 400, id="one-of-9-kb"),
        pytest.param([b"X: " + b"x" * 7000] * 6, 400, id="six-of-7-kb"),
        pytest.param([b"X%d: x" % n for n in range(120)], 400, id="a-hundred-and-twenty"),
        pytest.param([b"X%d: x" % n for n in range(5000)], 400, id="five-thousand"),
    ],
)
def test_headers_over_the_limit_are_refused_with_an_answer(echo, headers, status):
    assert echo.statuses(request(b"GET /a", *headers, CLOSE)) == [status]
    assert echo.requests() == []


def test_an_address_over_the_limit_is_refused_with_an_answer(echo):
    assert echo.statuses(request(b"GET /" + b"x" * 20_000, CLOSE)) == [400]
    assert echo.requests() == []


def test_what_nginx_lets_through_is_not_too_much_for_the_app(echo):
    """A cookie of 6 KB, a header and an address of 8 KB, and a hundred headers."""
    many = [b"X-%d: x" % n for n in range(98)]
    cookie = b"Cookie: a=" + b"x" * 6000
    assert echo.statuses(request(b"GET /?" + b"x" * 8170, CLOSE)) == [203]
    assert echo.statuses(request(b"GET /", b"X: " + b"x" * 8180, cookie, CLOSE)) == [203]
    assert echo.statuses(request(b"GET /", *many, CLOSE)) == [203]
    address, large, hundred = echo.seen()
    assert address["query"] == "x" * 8170
    assert large["headers"]["HTTP_X"] == "x" * 8180
    assert large["headers"]["HTTP_COOKIE"] == "a=" + "x" * 6000
    assert {f"HTTP_X_{n}" for n in range(98)} <= hundred["headers"].keys()


# Where a request goes


def test_the_host_of_an_absolute_target_is_the_one_that_counts(echo):
    sent = b"GET http://localhost/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert echo.statuses(sent) == [203]
    (seen,) = echo.seen()
    assert (seen["path"], seen["headers"]["HTTP_HOST"]) == ("/a", f"localhost:{echo.port}")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example@localhost/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://localhost@evil.example/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: localhost/evil.example\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
    ],
)
def test_no_other_host_and_no_doubtful_one_gets_to_the_app(echo, sent):
    assert echo.statuses(sent) in ([400], [421], [])
    assert echo.requests() == []


@pytest.mark.parametrize("host", [b"LOCALHOST", b"localhost.", b"localhost:1", b" localhost "])
def test_the_app_gets_the_name_of_the_site_and_its_port(echo, host):
    assert echo.statuses(b"GET /a HTTP/1.1\r\nHost:" + host + b"\r\n" + CLOSE + b"\r\n\r\n") == [
        203
    ]
    (seen,) = echo.seen()
    assert seen["headers"]["HTTP_HOST"] == f"localhost:{echo.port}"


@pytest.mark.parametrize(
    "target",
    [
        b"/a\x00b",
        b"/a%00b",
        b"/a\x01b",
        b"/a\x7fb",
        b"/a\tb",
        b"/a b",
        b"/%zz",
        b"/../a",
        b"a",
        b"*",
    ],
)
def test_a_doubtful_path_is_refused(echo, target):
    assert echo.statuses(request(b"GET " + target, CLOSE)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize(
    "header", [b"X: a\x00b", b"X\x00: a", b"X: a\rb", b"X: a\r\n b", b"X y: a", b"X\x01: a", b": a"]
)
def test_a_doubtful_header_is_refused(echo, header):
    assert echo.statuses(request(b"GET /a", header, CLOSE)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize(
    "target",
    [b"/admin//../login/", b"/admin/login//../", b"/a/../b", b"/a/..", b"/./a", b"/a/%2e%2E/b",
     b"/a/.%2e?b", b"/a%2f..%2fb", b"/a/..#b", b"http://localhost/a/../b"],
)  # fmt: skip
def test_a_path_that_can_be_resolved_in_two_ways_is_refused(echo, target):
    """uWSGI takes dots out of a path, and not as nginx does, which merges slashes before."""
    assert echo.statuses(request(b"GET " + target, CLOSE)) == [400]
    assert echo.requests() == []


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/.well-known/a..b/...", "/.well-known/a..b/..."),
        (b"/a?b=/../c", "/a"),
        (b"//a//b", "//a//b"),
        (b"/%C3%A4%2fb%3f", "/\xc3\xa4/b?"),
    ],
)
def test_other_paths_arrive_as_they_are(echo, target, path):
    assert echo.statuses(request(b"GET " + target, CLOSE)) == [203]
    assert echo.requests() == [("GET", path, "")]


# What a client says of itself


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([b"X-Forwarded-For: forged", b"X-Request-ID: forged"], id="plainly"),
        pytest.param([b"X_Forwarded_For: forged", b"X_Request_ID: forged"], id="underscores"),
        pytest.param([b"X-Forwarded_For: forged", b"X.Forwarded.For: forged"], id="mixed"),
        pytest.param([b"Connection: close, X-Forwarded-For, X-Request-ID, Host"], id="hop-by-hop"),
        pytest.param([b"X-Forwarded-For: a", b"X-Forwarded-For: forged"], id="twice"),
    ],
)
def test_the_app_believes_nginx_and_not_the_client(echo, headers):
    assert echo.statuses(request(b"GET /a", *headers, CLOSE)) == [203]
    (seen,) = echo.seen()
    assert re.fullmatch(r"[\d.]+", seen["headers"]["HTTP_X_FORWARDED_FOR"])
    assert re.fullmatch(r"[0-9a-f]{32}", seen["headers"]["HTTP_X_REQUEST_ID"])
    assert seen["headers"]["HTTP_X_FORWARDED_PROTO"] == "https"
    assert seen["headers"]["HTTP_HOST"] == f"localhost:{echo.port}"
    assert "forged" not in json.dumps(seen)


# Methods and versions


@pytest.mark.parametrize("start", [b"TRACE /a", b"CONNECT localhost:443"])
def test_methods_for_proxies_are_refused(echo, start):
    assert echo.statuses(request(start, CLOSE)) == [405]
    assert echo.requests() == []


@pytest.mark.parametrize("method", [b"get", b"GE T", b"G\x00T", b"G:T", b""])
def test_a_doubtful_method_is_refused(echo, method):
    assert echo.statuses(request(method + b" /a", CLOSE)) == [400]
    assert echo.requests() == []


def test_an_unknown_method_is_for_the_app_to_judge(echo):
    assert echo.statuses(request(b"BREW /a", CLOSE)) == [203]
    assert echo.requests() == [("BREW", "/a", "")]


def test_an_upgrade_is_not_passed_on(echo):
    upgrade = (b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk")
    assert echo.statuses(request(b"GET /a", *upgrade) + LAST) == [203, 203]
    upgraded, last = echo.seen()
    assert "HTTP_UPGRADE" not in upgraded["headers"]
    assert (upgraded["path"], last["path"]) == ("/a", "/last")


def test_old_clients_are_answered_if_they_name_the_site(echo):
    assert echo.statuses(b"GET /a HTTP/1.0\r\nHost: localhost\r\n\r\n") == [203]
    assert echo.says(b"GET /a HTTP/1.0\r\n\r\n") == b""
    assert echo.says(b"GET /a\r\n") == b""
    assert echo.requests() == [("GET", "/a", "")]


@pytest.mark.parametrize(("version", "status"), [(b"2.0", 505), (b"3.0", 505), (b"1.x", 400)])
def test_an_unknown_version_is_refused(echo, version, status):
    assert echo.statuses(request(b"GET /a", CLOSE).replace(b"1.1", version)) == [status]
    assert echo.requests() == []


def test_lines_may_end_without_a_return(echo):
    sent = request(b"POST /a", b"Content-Length: 5", CLOSE).replace(b"\r\n", b"\n") + b"hello"
    assert echo.statuses(sent) == [203]
    assert echo.requests() == [("POST", "/a", "hello")]


# HTTP/2, which nginx speaks with clients and not with the app


def http_2(
    echo, *headers: tuple[str, str], body: bytes = b"hello", path: str = "/a", method: str = "POST"
) -> int:
    """Send a request as HTTP/2, unchecked, and return the status of its answer, 0 for a refused stream."""
    checks = {"validate_outbound_headers": False, "normalize_outbound_headers": False}
    speaker = h2.connection.H2Connection(h2.config.H2Configuration(**checks))
    start = [
        (":method", method),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ]
    with echo.connect("h2") as connection:
        speaker.initiate_connection()
        speaker.send_headers(1, [*start, *headers])
        speaker.send_data(1, body, end_stream=True)
        connection.sendall(speaker.data_to_send())
        while data := connection.recv(65536):
            for event in speaker.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    return int(dict(event.headers)[b":status"])
                if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                    return 0
    return 0


def test_a_body_by_http_2_arrives_whole(echo):
    assert http_2(echo) == 203
    assert http_2(echo, ("content-length", "5")) == 203
    assert http_2(echo, ("transfer-encoding", "chunked")) == 203  # which HTTP/2 does not have
    assert echo.requests() == [("POST", "/a", "hello")] * 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_body_that_no_header_announces_is_refused_where_bodies_are_unusual(echo, method):
    """The limits on uploads at a time would not count it."""
    assert http_2(echo, method=method) == 413
    assert http_2(echo, method=method, body=b"") == 203
    assert http_2(echo, ("content-length", "5"), method=method) == 203
    assert echo.requests() == [(method, "/a", ""), (method, "/a", "hello")]


@pytest.mark.parametrize(
    "header",
    [
        ("content-length", "3"),
        ("content-length", "50"),
        ("content-length", "+5"),
        ("x", "a\r\nHost: evil.example"),
        ("x", "a\r\n\r\nGET /hidden HTTP/1.1"),
        ("x", "a\x00b"),
        ("x: y", "a"),
        ("x\r\ny", "a"),
        ("host", "evil.example"),
    ],
)
def test_http_2_that_would_be_another_request_in_http_1_is_refused(echo, header):
    assert http_2(echo, header) in (400, 0)
    assert echo.requests() == []


@pytest.mark.parametrize("path", ["/a HTTP/1.1\r\nX: y", "/a b", "/a\x00b", "a"])
def test_a_doubtful_path_by_http_2_is_refused(echo, path):
    assert http_2(echo, path=path) in (400, 0)
    assert echo.requests() == []
