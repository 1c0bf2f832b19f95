"""A thousand clients that are slow on purpose: others are served as before, and they are cut off."""

import resource
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass

import pytest

from tests.helpers.load import Load, load

pytestmark = pytest.mark.containers

PAGES = ("GET /", "GET /readyz", "GET /admin/login/", "POST /")
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
BODY = HEAD + b"Content-Length: 100000\r\n\r\n"
# Larger than what fits into all buffers between nginx and a client that does not read.
LARGE = "truncate --size=200M media/large.bin"
DOWNLOAD = b"GET /media/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n"

# Seconds; nginx waits for 15.
WATCHED = 18

# In nginx: connections of clients that it has not closed.
OPEN = "awk '$2 ~ /:20FB$/ && $4 == \"01\"' /proc/net/tcp | wc -l"


def connect(stack) -> ssl.SSLSocket:
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(10)
    plain.connect(("127.0.0.1", int(stack.ports["HTTPS_PORT"])))
    return ssl._create_unverified_context().wrap_socket(plain, server_hostname="localhost")


def is_closed(connection: ssl.SSLSocket) -> bool:
    """Whether the other side has closed, after whatever it said."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except ssl.SSLWantReadError:
        return False
    except OSError:
        pass
    return True


@dataclass(frozen=True)
class Siege:
    """What came of it."""

    before: Load
    during: Load
    idle: list[ssl.SSLSocket]
    slow_headers: list[ssl.SSLSocket]
    slow_bodies: list[ssl.SSLSocket]
    half_bodies: list[ssl.SSLSocket]
    open_at_first: int
    open_at_last: int


@pytest.fixture(scope="module")
def siege(production):
    """Opens 1,000 slow connections to `production` and watches other clients meanwhile: about 27 s."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limit[1]), limit[1]))
    production.exec("app", "sh", "-c", LARGE)
    with load(production, *PAGES) as before:
        time.sleep(3)
    idle = [connect(production) for _ in range(920)]
    slow_headers, slow_bodies, half_bodies, readers = (
        [connect(production) for _ in range(20)] for _ in range(4)
    )
    send(slow_headers, HEAD + b"X: ")
    send(slow_bodies, BODY)
    send(half_bodies, BODY + b"half")
    send(readers, DOWNLOAD)
    open_at_first = int(production.exec("nginx", "sh", "-c", OPEN))
    with load(production, *PAGES) as during:
        for _ in range(WATCHED):
            time.sleep(1)
            send(slow_headers + slow_bodies, b"x")
    open_at_last = open_at_first
    for _ in range(10):  # on a busy machine nginx is late
        open_at_last = int(production.exec("nginx", "sh", "-c", OPEN))
        if open_at_last <= 20:
            break
        send(slow_headers + slow_bodies, b"x")
        time.sleep(0.5)
    yield Siege(
        before, during, idle, slow_headers, slow_bodies, half_bodies, open_at_first, open_at_last
    )
    for connection in idle + slow_headers + slow_bodies + half_bodies + readers:
        connection.close()
    production.exec("app", "rm", "media/large.bin")


def send(connections: list[ssl.SSLSocket], data: bytes) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.sendall(data)


def test_they_all_came_in(siege):
    assert siege.open_at_first >= 1000


def test_others_are_served_as_before(siege):
    """There are more slow bodies than workers: none of them takes one."""
    assert siege.before.statuses() == siege.during.statuses() == {200, 403}
    assert siege.during.statuses("GET /", "GET /readyz", "GET /admin/login/") == {200}
    assert siege.during.usual_seconds() < 5 * siege.before.usual_seconds() + 0.2
    assert max(answer.seconds for answer in siege.during.answers) < 5


def test_idle_connections_are_cut_off(siege):
    assert [is_closed(connection) for connection in siege.idle] == [True] * 920


def test_headers_that_never_end_are_cut_off(siege):
    assert [is_closed(connection) for connection in siege.slow_headers] == [True] * 20


def test_bodies_that_stop_are_cut_off(siege):
    assert [is_closed(connection) for connection in siege.half_bodies] == [True] * 20


def test_bodies_that_trickle_in_may_go_on(siege):
    """They cost a connection each: a person may have a bad one."""
    assert [is_closed(connection) for connection in siege.slow_bodies] == [False] * 20


def test_nginx_has_let_go_of_those_that_do_not_read(siege):
    assert siege.open_at_last <= 20  # the bodies that trickle in
