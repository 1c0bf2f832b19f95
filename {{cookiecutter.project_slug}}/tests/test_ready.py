"""manage.py publish --once-ready: nothing is published before each container has served a page."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import CommandError, call_command

from config import ready
from config.management.commands import publish


class Server(HTTPServer):
    """An HTTP server on a Unix socket, as the app is behind nginx."""

    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)


@pytest.fixture
def serves(tmp_path, monkeypatch):
    """serves(host, {path: (status, text)}) lets a container with that host name serve these pages."""
    monkeypatch.setattr(ready, "SOCKETS", tmp_path)
    started = []

    def serve(host, pages):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = pages[self.path]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def address_string(self):
                return host

            def log_message(self, *arguments):
                pass

        server = Server(str(tmp_path / f"{host}.sock"), Handler)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        started.append(server)

    yield serve
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def published(monkeypatch):
    """Whether publish() was called: a list that is not empty any more."""
    calls = []
    monkeypatch.setattr(publish, "publish", lambda: calls.append("published") or (1, 0))
    return calls


FINE = {"/readyz": (200, "ready\n"), "/": (200, "<html>\n</html>")}


def test_it_publishes_when_all_containers_serve_a_page(serves, published):
    serves("one", FINE)
    serves("two", FINE)
    call_command("publish", "--once-ready", "one", "two")
    assert published


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_a_page_that_asks_for_a_login_or_is_not_there_is_fine(
    serves, published, status
):
    serves("one", {**FINE, "/": (status, "")})
    call_command("publish", "--once-ready", "one")
    assert published


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        (
            {"/readyz": (503, "1 migrations wait\n")},
            "/readyz responds 503: 1 migrations wait",
        ),
        ({"/": (500, "<html>\n</html>")}, "/ responds 500"),
        ({"/": (400, "Bad Request")}, "/ responds 400 Bad Request"),
    ],
)
def test_nothing_is_published_when_a_container_does_not_serve(
    serves, published, pages, reason
):
    serves("one", FINE)
    serves("two", {**FINE, **pages})
    with pytest.raises(CommandError) as failed:
        call_command("publish", "--once-ready", "one", "two")
    assert str(failed.value) == reason
    assert not published


def test_a_container_that_is_gone_is_one_sentence(serves, published):
    with pytest.raises(CommandError, match="/readyz gets no response: "):
        call_command("publish", "--once-ready", "gone")
    assert not published


def test_settings_name_another_page(serves, published, settings):
    settings.READY_PAGE = "/shop/"
    serves("one", {"/readyz": (200, "ready\n"), "/shop/": (200, "")})
    call_command("publish", "--once-ready", "one")
    assert published
