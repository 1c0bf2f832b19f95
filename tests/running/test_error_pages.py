"""Error pages look like the site, whoever answers, and carry a number that is in all logs."""

import json
import re
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from tests.helpers.echo import eventually_status, sending_to
from tests.helpers.locked import PSQL
from tests.helpers.login import forget_failures, guess
from tests.helpers.site import uwsgi_is_enough
from tests.helpers.stack import Stack

pytestmark = pytest.mark.containers

# Accepts a connection and never responds.
BUSY = """
import os, socket, time
os.umask(0)
server = socket.socket(socket.AF_UNIX)
server.bind("/run/app/busy.sock")
server.listen()
time.sleep(85)
"""
HEADINGS = {
    400: "We could not read that request",
    403: "This page is not open to you",
    404: "There is nothing here",
    413: "That was too large",
    429: "That was too often",
    500: "Something went wrong on our side",
    502: "The site did not answer",
    503: "We will be back in a moment",
    504: "That took too long",
}


def is_ours(answer, status: int) -> None:
    """Assert that this is the site's page for the status, with its number, and without a version."""
    assert answer.status_code == status
    assert f"<h1>{HEADINGS[status]}</h1>" in answer.text
    assert re.search(r'href="/static/config/error\.[0-9a-f]{12}\.css"', answer.text)
    assert f"<code>{answer.headers['X-Request-ID']}</code>" in answer.text
    assert answer.headers["Server"] == "nginx"
    assert "nginx" not in answer.text


def lines(stack: Stack, service: str, number: str) -> list[str]:
    return [line for line in stack.logs(service).splitlines() if number in line]


# What nginx answers by itself


def test_a_file_that_is_not_there(production):
    is_ours(production.get("/static/no-such-file.css"), 404)


def test_a_file_that_may_not_be_shown(production):
    production.exec("app", "ln", "-s", "/etc/passwd", "media/link.png")
    is_ours(production.get("/media/link.png"), 403)


def test_a_body_over_the_limit(production):
    with production.client() as client:
        is_ours(client.post("/", content=b"x" * (76 * 1024**2)), 413)


def test_too_many_uploads_at_a_time(production):
    with uploading(production) as answer:
        is_ours(answer, 429)
    assert answer.headers["Retry-After"] == "60"
    assert "Please wait a few minutes" in answer.text


@contextmanager
def uploading(stack: Stack):
    """Have as many uploads of this client wait for their bodies as nginx allows; give the next answer.

    nginx allows 50. It may still count an upload of an earlier test for a moment, so there are some more.
    """
    context = ssl._create_unverified_context()
    address = ("localhost", int(stack.ports["HTTPS_PORT"]))

    def begun(number: int) -> ssl.SSLSocket:
        plain = socket.create_connection(address, timeout=10)
        secure = context.wrap_socket(plain, server_hostname="localhost")
        secure.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
        return secure

    with ExitStack() as connections:
        with ThreadPoolExecutor(60) as pool:
            uploads = [*pool.map(begun, range(60))]
        for secure in uploads:
            connections.enter_context(secure)
        yield first_refusal(connections.enter_context(stack.client()), uploads)


def first_refusal(client: httpx.Client, uploads: list[ssl.SSLSocket]) -> httpx.Response:
    """Post until nginx has read the heads of all those uploads, for at most 30 seconds.

    Each upload sends a byte now and then, because nginx waits 15 seconds for the next one.
    Those that nginx refused are closed.
    """
    end = time.monotonic() + 30
    while (answer := client.post("/")).status_code != 429 and time.monotonic() < end:
        for upload in uploads:
            with suppress(OSError):
                upload.sendall(b"x")
        time.sleep(0.1)
    return answer


def test_a_request_that_makes_no_sense(production):
    context = ssl._create_unverified_context()
    address = ("localhost", int(production.ports["HTTPS_PORT"]))
    with (
        socket.create_connection(address, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n")
        answer = b"".join(iter(lambda: secure.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "<h1>We could not read that request</h1>" in answer
    assert "/static/config/error." in answer


def test_an_app_that_is_not_there(production):
    with sending_to(production, "nobody"):
        eventually_status(production, 502)
        answer = production.get("/")
    is_ours(answer, 502)
    assert answer.headers["Retry-After"] == "5"


@uwsgi_is_enough
def test_an_app_that_does_not_answer_in_time(production):
    production.compose("exec", "--detach", "app", "python", "-c", BUSY)
    production.exec("app", "sh", "-c", "until test -S /run/app/busy.sock; do sleep 0.1; done")
    with sending_to(production, "busy"):
        answer = production.get("/", timeout=80)
    production.exec("app", "rm", "/run/app/busy.sock")
    is_ours(answer, 504)
    assert answer.headers["Retry-After"] == "5"


def test_these_pages_have_no_address_of_their_own(production):
    is_ours(production.get("/static/config/error-pages/502.html"), 404)


# What Django answers


def test_a_page_that_is_not_there(production):
    is_ours(production.get("/no/such/page"), 404)


def test_a_form_from_somewhere_else(production):
    with production.client() as client:
        answer = client.post("/admin/login/", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "<h1>Please send that form again</h1>" in answer.text
    assert f"<code>{answer.headers['X-Request-ID']}</code>" in answer.text


def visitor(stack: Stack) -> dict[str, str]:
    """Return the headers of somebody whose session has to be looked up."""
    slug = stack.path.name
    return {"Cookie": f"__Host-{slug}-session={'x' * 32}"}


def sql(stack: Stack, statement: str) -> None:
    stack.exec("postgres", *PSQL, statement)


def test_an_error_in_the_code(production):
    sql(production, "ALTER TABLE django_session RENAME TO elsewhere")
    try:
        answer = production.get("/admin/", headers=visitor(production))
    finally:
        sql(production, "ALTER TABLE elsewhere RENAME TO django_session")
    is_ours(answer, 500)
    number = answer.headers["X-Request-ID"]
    assert production.logged(answer)["status"] == 500
    (of_django,) = map(json.loads, lines(production, "app", number))
    assert of_django["logger"] == "django.request"
    assert of_django["request_id"] == number
    assert "django_session" in of_django["exc_info"]


def test_a_database_that_is_gone(production):
    production.compose("stop", "postgres")
    gone = production.get("/admin/", headers=visitor(production))
    home = production.get("/")
    production.up()
    is_ours(gone, 503)
    assert gone.headers["Retry-After"] == "10"
    assert home.status_code == 200
    assert production.get("/admin/", headers=visitor(production)).status_code == 302


# The logs


def test_each_request_is_a_line_of_json_by_nginx_and_what_django_says_of_it(production):
    answer = production.get('/a"b\\c')
    assert production.logged(answer)["status"] == 404
    (of_django,) = map(json.loads, lines(production, "app", answer.headers["X-Request-ID"]))
    assert of_django["logger"] == "django.request"


def test_a_request_without_a_fault_is_logged_by_nginx_alone(production):
    answer = production.get("/")
    assert production.logged(answer)["upstream"] == "unix:/run/app/1.sock"
    assert lines(production, "app", answer.headers["X-Request-ID"]) == []
    assert "GET / " not in production.logs("app")


def test_the_page_about_operations_has_the_words_of_the_logs(production):
    with production.client() as client:
        client.post("/", content=b"x" * (76 * 1024**2))
        origin = {"Origin": str(client.base_url).rstrip("/")}
        for number in range(11):
            guess(client, f"somebody{number}", headers=origin)
    with uploading(production):
        pass
    forget_failures(production)
    production.compose("stop", "postgres")
    production.get("/admin/", headers=visitor(production))
    production.get("/readyz")
    with sending_to(production, "nobody"):
        eventually_status(production, 502)
    production.compose("stop", "app")
    production.get("/")
    logs = production.logs()
    production.up()
    page = (production.path / "docs/operations.md").read_text()
    for words in (
        "Service Unavailable: /",
        'could not translate host name "postgres"',
        "connect() to unix:",
        "client intended to send too large body",
        "limiting connections by zone",
        "Too Many Requests: /",
    ):
        assert words in logs.replace("\\", "")
        assert f"`{words}" in page
