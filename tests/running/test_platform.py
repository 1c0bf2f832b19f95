"""No proxy of ours (proxy=none): a platform's router or load balancer asks the app itself."""

import http.client
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.helpers.ipv6 import requests_from
from tests.helpers.large import LARGEST, MB, VIEWS
from tests.helpers.locked import stop_during_requests
from tests.helpers.login import FORGED, guess
from tests.helpers.project import a_slug
from tests.helpers.raw import connect, send
from tests.helpers.stack import (
    PRODUCTION,
    free_port,
    run,
    standing,
    wait_until_it_answers,
    wait_until_it_is_ready,
)

pytestmark = pytest.mark.containers

# Whoever asks from this machine comes through Docker's own networks, and so stands for the platform.
THIS_MACHINE = "172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8"
CLIENT = "203.0.113.9"
HEADERS = b"Host: localhost\r\nX-Forwarded-Proto: https\r\n"


@pytest.fixture(scope="module")
def platform(bake_once, app_server, engine):
    """Builds and starts a production stack without nginx, for each app server: about 10 s each."""
    project = bake_once(project_slug=a_slug(), proxy="none", app_server=app_server)
    with (project.path / ".env").open("a") as env:
        env.write(
            f"TRUSTED_PROXIES={THIS_MACHINE}, 2001:db8:a::/48\nREDIRECT_DOMAINS=www.example.org\n"
        )
    with (project.path / "config/urls.py").open("a") as urls:
        urls.write(VIEWS)
    with standing() as make:
        stack = make(project.path, PRODUCTION)
        stack.up()
        yield stack


@pytest.fixture
def strict(platform):
    """Starts a second app container that trusts no proxy, on a port of its own: about 3 s."""
    port = free_port()
    flags = ("--env=TRUSTED_PROXIES=", "--env=PORT=9000", f"--publish=127.0.0.1:{port}:9000")
    name = platform.compose("run", "--detach", "--rm", "--no-deps", *flags, "app").strip()
    address = f"http://127.0.0.1:{port}"
    wait_until_it_answers(f"{address}/healthz")
    yield address
    run("docker", "stop", name)


# Static files


def test_the_app_serves_its_own_static_files_for_a_year(platform):
    page = platform.get("/").text
    path = re.search(r'href="(/static/site\.[0-9a-f]{12}\.css)"', page)[1]
    answer = platform.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert int(re.search(r"max-age=(\d+)", answer.headers["cache-control"])[1]) >= 31536000
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/css")


def test_uploads_are_shown_and_cannot_do_harm(platform):
    platform.exec("app", "sh", "-c", "echo '<script>' > media/page.html; echo png > media/me.png")
    picture = platform.get("/media/me.png")
    page = platform.get("/media/page.html")
    assert (picture.text, picture.headers["content-type"]) == ("png\n", "image/png")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"] == 'attachment; filename="page.html"'
    assert "sandbox" in page.headers["content-security-policy"]


# Whom it believes


def test_the_platforms_https_is_believed(platform):
    answer = platform.get("/")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=3600"


def test_its_plain_http_is_sent_to_https(platform):
    answer = platform.get("/a/page", headers={"X-Forwarded-Proto": "http", "Host": "localhost"})
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/a/page")


def test_nobody_else_is_believed(strict):
    forged = {
        "Host": "localhost",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": CLIENT,
        "Forwarded": f"for={CLIENT};host=evil.example;proto=https",
    }
    answer = httpx.get(f"{strict}/a/page", headers=forged)
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/a/page")
    evil = httpx.get(strict, headers={"Host": "evil.example", "X-Forwarded-Host": "localhost"})
    assert evil.status_code == 400


@pytest.mark.parametrize(
    ("client", "same", "another"),
    [
        ("198.51.100.1", "198.51.100.1", "198.51.100.2"),
        pytest.param(
            *("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_guesses_are_limited_for_each_client(platform, app_server, client, same, another):
    forgeries = {*FORGED}
    if app_server == "uwsgi":  # it takes this one for X-Forwarded-For: docs/platform.md
        forgeries.remove("X_Forwarded_For")
    outside = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}
    with platform.client(headers=outside) as router:

        def answer(client: str, number: int) -> int:
            forged = dict.fromkeys(forgeries, f"203.0.113.{number}")
            headers = forged | {"X-Forwarded-For": f"203.0.113.{number}, {client}"}
            return guess(router, f"somebody{number}", headers=headers).status_code

        assert [answer(client, number) for number in range(10)] == [200] * 10
        assert answer(same, 10) == 429
        assert answer(another, 11) == 200


def test_clients_over_ipv6_have_their_own_addresses_in_the_log(platform):
    image = f"{platform.path.name}:latest"
    forwarded = "X-Forwarded-Proto: https\r\nX-Forwarded-For: ::ffff:192.0.2.7\r\n"
    clients = ["2001:db8:a::1", "2001:db8:b::1"]
    router, stranger = requests_from(platform, image, clients, "GET /six", forwarded)
    assert (router.status_code, stranger.status_code) == (404, 301)
    logged = re.findall(r'"message": ?"(\S+) \\"GET /six HTTP', platform.logs("app"))
    assert logged[-2:] == ["192.0.2.7", "2001:db8:b::1"]


def test_it_listens_where_port_says(strict):
    assert httpx.get(f"{strict}/healthz").text == "ok\n"


# Hosts


@pytest.mark.parametrize("named", ["Host", "X-Forwarded-Host"])
def test_an_unknown_name_is_refused_before_django(platform, named):
    answer = platform.get("/", headers={named: "evil.example"})
    assert answer.status_code == 400
    assert "<h1>We could not read that request</h1>" in answer.text
    number = answer.headers["X-Request-ID"]
    assert f"<code>{number}</code>" in answer.text
    said = [line for line in platform.logs("app").splitlines() if number in line]
    assert '"400 Bad Request: This is not a name of this site."' in said[0]
    assert f"request={number}" in said[1]


@pytest.mark.parametrize("named", ["Host", "X-Forwarded-Host"])
def test_a_name_redirects_to_the_first_one_of_the_site(platform, named):
    answer = platform.get("/a/page?b=%20", headers={named: "www.example.org"})
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://localhost/a/page?b=%20"
    assert answer.headers["strict-transport-security"] == "max-age=3600"


def test_probes_ask_by_address(platform):
    assert platform.get("/healthz", headers={"Host": "10.0.0.7:8000"}).text == "ok\n"


# Connections


def test_a_connection_is_kept_for_many_requests(platform):
    connection = http.client.HTTPConnection("127.0.0.1", int(platform.ports["HTTP_PORT"]))
    connection.connect()
    connection.auto_open = False  # a closed connection is an error, and not opened again
    for _ in range(20):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
    connection.close()


def talk(stack, *parts: bytes) -> bytes:
    """Send each part a moment after the other on one connection, until the other side closes it.

    Returns all that came back.
    """
    said = b""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", int(stack.ports["HTTP_PORT"])), 2) as connection,
    ):
        for part in parts:
            connection.sendall(part)
            said += connection.recv(65536)
        while data := connection.recv(65536):
            said += data
    return said


CHUNKED = b"POST /no/such/page HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HEADERS + b"\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\n" + HEADERS + b"\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([CHUNKED + b"3\r\na=b\r\n0\r\n\r\n"], id="at-once"),
        pytest.param([CHUNKED, b"3\r\na=b\r\n", b"0\r\n\r\n"], id="in-pieces"),
        pytest.param([CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)], id="hiding-one"),
        pytest.param([CHUNKED, b"%x\r\n" % len(HIDDEN), HIDDEN, b"\r\n0\r\n\r\n"], id="later"),
    ],
)
def test_a_chunked_body_is_refused_and_is_no_second_request(platform, parts):
    said = talk(platform, *parts)
    assert said.startswith(b"HTTP/1.1 411 Length Required\r\n")
    assert b"ok\n" not in said


def test_the_next_request_does_not_fall_into_a_refused_body(platform):
    said = talk(platform, CHUNKED, b"3\r\na=b\r\n0\r\n\r\n" + HIDDEN)
    assert b"\r\nConnection: close\r\n" in said or b"ok\n" in said


def test_a_large_body_that_no_view_reads_gets_its_answer(platform):
    with platform.client() as client:
        codes = {
            client.post("/no/such/page", content=b"x" * 5_000_000).status_code for _ in "x" * 20
        }
    assert codes == {404}


def test_a_body_over_the_limit_is_refused(platform):
    with platform.client() as client:
        answer = client.post("/", content=b"x" * (76 * 1024**2))
    assert answer.status_code == 413
    assert "<h1>That was too large</h1>" in answer.text


def test_a_form_with_a_file_of_75_mb_arrives_on_the_disk(platform):
    with platform.client() as client:
        answer = client.post("/form/", files={"file": ("film.mp4", b"x" * (75 * MB))})
    ((size, path),) = answer.json()["files"]
    assert (size, path.startswith("/var/tmp/")) == (75 * MB, True)
    assert "tmpfs" not in platform.exec("app", "df", "--output=fstype", "/var/tmp")


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_refused(platform):
    with platform.client() as client:
        assert client.put("/stream/", content=b"x" * LARGEST).text == str(LARGEST)
        assert client.put("/stream/", content=b"x" * (LARGEST + 1)).status_code == 413


@pytest.mark.parametrize("end", ["killed", "error"])
def test_a_response_that_breaks_off_is_cut_off(platform, end):
    with platform.client() as client, client.stream("GET", f"/export/?mb=40&{end}") as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
    assert len(platform.get("/export/?mb=40").content) == 40 * MB


def test_a_private_file_is_sent_by_the_view_only(platform):
    write = "mkdir -p media/private && echo secret >media/private/a.png"
    platform.exec("app", "sh", "-c", write)
    sent = platform.get("/document/a.png?key")
    assert (sent.text, sent.headers["content-type"]) == ("secret\n", "image/png")
    assert platform.get("/document/a.png").status_code == 403
    assert platform.get("/media/private/a.png").status_code == 404


# Slow clients


def test_a_body_that_pauses_is_read(platform):
    start = b"POST /no/such/page HTTP/1.1\r\nContent-Length: 10\r\nConnection: close\r\n" + HEADERS
    with connect(platform, "HTTP_PORT") as connection:
        connection.sendall(start + b"\r\nhello")
        time.sleep(6)
        assert send(connection, [b"again"]).status == 404


BUFFERING = """
events {}
http {
    server {
        listen 8080;
        location / {
            proxy_pass http://app:8000;
            proxy_set_header Host localhost;
            proxy_set_header X-Forwarded-Proto https;
        }
    }
}
"""


@pytest.fixture
def router(platform, tmp_path):
    """Starts a router that buffers requests in front of `platform`, nginx as it is: 1 s. Returns its port."""
    port, file = free_port(), tmp_path / "nginx.conf"
    file.write_text(BUFFERING)
    options = (f"--network={platform.path.name}_frontend", f"--publish=127.0.0.1:{port}:8080")
    mount = f"--volume={file}:/etc/nginx/nginx.conf:ro"
    image = ("nginx:1.30-trixie", "nginx", "-g", "daemon off;")
    container = run("docker", "run", "--detach", "--rm", *options, mount, *image).stdout.strip()
    wait_until_it_answers(f"http://127.0.0.1:{port}/healthz")
    yield port
    run("docker", "rm", "--force", container)


@contextmanager
def slow_clients(port: int):
    """Let 60 clients send a byte of a body each second, more than there are workers and threads."""
    start = b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n" + HEADERS + b"\r\n"
    clients = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(60)]
    over = threading.Event()

    def trickle() -> None:
        data = start
        while not over.wait(1):
            for client in clients:
                with suppress(OSError):
                    client.sendall(data)
            data = b"x"

    thread = threading.Thread(target=trickle)
    thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


def test_behind_a_router_that_buffers_slow_clients_cost_nobody_anything(router):
    with slow_clients(router):
        for _ in range(5):
            assert httpx.get(f"http://127.0.0.1:{router}/readyz", timeout=2).text == "ready\n"


def test_without_buffering_they_take_all_workers_as_the_docs_say_first(platform):
    page = (platform.path / "docs/platform.md").read_text()
    assert "**The router must buffer requests**" in page.partition("\n## ")[0]
    with slow_clients(int(platform.ports["HTTP_PORT"])), pytest.raises(httpx.TimeoutException):
        httpx.get(f"{platform.address}/healthz", timeout=3)
    wait_until_it_is_ready(platform)


# Stopping


def test_a_stop_finishes_the_requests_that_workers_have_accepted(platform):
    waiting, answers, status = stop_during_requests(platform)
    assert waiting == [True] * 4
    assert answers == [(200, "ready\n")] * 4
    assert status == 0
