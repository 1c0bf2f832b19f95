"""What a proxy tells the application: a server that answers with the headers it got, in its place."""

import time
from contextlib import contextmanager

import pytest

from tests.helpers.stack import Stack

UPSTREAM = "/etc/nginx/upstream/app.conf"
ECHO = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(203)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

HTTPServer(("", 8001), Echo).serve_forever()
"""


@contextmanager
def echoing(stack: Stack):
    """Let nginx send requests to the echo for a while, which answers with status 203."""
    stack.compose("exec", "--detach", "app", "timeout", "60", "python", "-c", ECHO)
    with sending_to(stack, "app:8001"):
        eventually_status(stack, 203)
        yield


@contextmanager
def sending_to(stack: Stack, server: str):
    """Let nginx send requests to this server instead of the app, for a while."""
    before = stack.exec("nginx", "cat", UPSTREAM)
    stack.exec("nginx", "sh", "-c", f"echo 'upstream app {{ server {server}; }}' >{UPSTREAM}")
    stack.exec("nginx", "nginx", "-s", "reload")
    try:
        yield
    finally:
        stack.exec("nginx", "sh", "-c", f"cat >{UPSTREAM} <<'E'\n{before}E")
        stack.exec("nginx", "nginx", "-s", "reload")
        eventually_status(stack, 200)


def eventually_status(stack: Stack, status: int) -> None:
    """Wait until the home page answers so, three times in a row.

    nginx looks for a new address once a second, and a worker from before a reload may answer once more.
    """
    answers = []
    for _ in range(50):
        answers.append(stack.get("/").status_code)
        if answers[-3:] == [status] * 3:
            return
        time.sleep(0.1)
    pytest.fail(f"never answered {status}")
