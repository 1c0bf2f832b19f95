"""Check that this container's server responds."""
{% if cookiecutter.proxy != "none" %}
import contextlib
{%- endif %}
import os
{%- if cookiecutter.proxy != "none" %}
import socket
{%- endif %}
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
{%- if cookiecutter.proxy != "none" %}

import links
import listen
{%- endif %}

SERVERS = {"{{ cookiecutter.app_server }}", "runserver"}
SECONDS = 5


def runs_server(command_line: bytes) -> bool:
    """Return whether this command line of process 1 is that of a server, or starts one."""
    # A server may rename itself; a space or a colon and a role then follow its name, in any case.
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
    is_healthy = responds(
        HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=SECONDS)
    )
{%- if cookiecutter.proxy != "none" %}
    if is_healthy and listen.is_behind_nginx():
        # nginx connects to this socket.
        connection = HTTPConnection("localhost", timeout=SECONDS)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(SECONDS)
        connection.sock.connect(str(listen.own_socket()))
        is_healthy = responds(connection)
        if is_healthy:
            # Whether it gets a link or not, the server responds.
            with contextlib.suppress(OSError, links.LinksError):
                links.claim()
{%- endif %}
    return is_healthy


if __name__ == "__main__":
    try:
        sys.exit(not check())
    except (OSError, HTTPException) as error:
        sys.exit(f"No healthy server: {error}")
