"""Check that this container's server responds."""

import os
import socket
import sys
from http.client import HTTPConnection
from pathlib import Path
{%- if cookiecutter.proxy != "none" %}

import links
import listen
{%- endif %}

SERVERS = {"uwsgi", "gunicorn", "runserver"}
SECONDS = 5


def runs_server(command_line: bytes) -> bool:
    """Return whether this command line of process 1 is that of a server, or starts one."""
    # uWSGI and gunicorn may rename themselves, to `uWSGI master` and `gunicorn: master`.
    words = [word for word in command_line.decode().split("\0") if word.strip()]
    names = {os.path.basename(word.split()[0]) for word in words}
    return not SERVERS.isdisjoint(name.rstrip(":").lower() for name in names)


def responds(connection: HTTPConnection) -> bool:
    """Return whether the server responds over this connection, which no HTTP_PROXY redirects."""
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()  # the server would log an unread response as a broken connection
    return response.status == 200


def check() -> bool:
    """Return whether this container is healthy."""
    if not runs_server(Path("/proc/1/cmdline").read_bytes()):
        # A worker made of the app's image: it is healthy as long as it runs.
        return True
    if not responds(HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=SECONDS)):
        return False
{%- if cookiecutter.proxy != "none" %}
    if listen.is_behind_nginx():
        # nginx connects to this socket.
        connection = HTTPConnection("localhost", timeout=SECONDS)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(SECONDS)
        connection.sock.connect(str(listen.own_socket()))
        if not responds(connection):
            return False
        links.claim()
{%- endif %}
    return True


if __name__ == "__main__":
    try:
        sys.exit(not check())
    except OSError as error:
        sys.exit(f"No healthy server: {error}")
