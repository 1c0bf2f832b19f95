"""Servers of the tests' own in the app's place: each listens on a socket beside that of the app."""

import json
import time
from contextlib import contextmanager

import pytest

from tests.helpers.stack import Stack

# Responds with the headers that it got, and status 203.
ECHO = """
import os, socketserver
from http.server import BaseHTTPRequestHandler

class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(203)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

    def address_string(self):
        return "nginx"

os.umask(0)
socketserver.UnixStreamServer("/run/app/echo.sock", Echo).serve_forever()
"""


@contextmanager
def echoing(stack: Stack):
    """Let nginx send requests to the echo for a while, which answers with status 203."""
    stack.exec("app", "rm", "-f", "/run/app/echo.sock")
    stack.compose("exec", "--detach", "app", "timeout", "60", "python", "-c", ECHO)
    with sending_to(stack, "echo"):
        eventually_status(stack, 203)
        yield


@contextmanager
def sending_to(stack: Stack, host: str):
    """Let nginx send requests to the socket of this host instead of the app's, for a while."""
    before = shown_links(stack)
    point(stack, host, "tests")
    try:
        yield
    finally:
        point(stack, before["links"]["1"], before["release"])
        eventually_status(stack, 200)


def point(stack: Stack, host: str, release: str) -> None:
    """Point the first link to the socket of this host, whether a server listens on it or not.

    The app takes a dead link back within a second, unless another release serves.
    """
    script = (
        f"echo {release} >/run/app/release"
        f" && ln -s {host}.sock /run/app/by-test && mv -T /run/app/by-test /run/app/1.sock"
    )
    stack.exec("app", "sh", "-c", script)


def shown_links(stack: Stack) -> dict:
    """Return what `links.py show` prints in the app's container."""
    return json.loads(stack.exec("app", "python", "docker/app/links.py", "show"))


def eventually_status(stack: Stack, status: int) -> None:
    """Wait until the home page answers so, three times in a row.

    The app may still start, and a worker of nginx from before a reload may answer once more.
    """
    answers = []
    for _ in range(50):
        answers.append(stack.get("/").status_code)
        if answers[-3:] == [status] * 3:
            return
        time.sleep(0.1)
    pytest.fail(f"never answered {status}")
