"""Where the app server listens."""

import os
import socket
from pathlib import Path

# The volume that the app shares with nginx. Without nginx nothing is mounted here.
SOCKETS = Path("/run/app")


def is_behind_nginx() -> bool:
    """Return whether the volume with the sockets is mounted in this container."""
    return os.path.ismount(SOCKETS)


def own_socket() -> Path:
    """Return the path of the socket that this container's server listens on behind nginx."""
    return SOCKETS / f"{socket.gethostname()}.sock"


def tcp_address() -> str:
    """Return the address and port to listen on: behind nginx, for probes in this container only."""
    address = "127.0.0.1" if is_behind_nginx() else "0.0.0.0"
    return f"{address}:{os.environ['PORT']}"


def backlog() -> int:
    """Return how many connections may wait for a worker: as many as the kernel allows.

    A Unix socket refuses any connection beyond this number at once, where TCP would wait.
    """
    return int(Path("/proc/sys/net/core/somaxconn").read_text())

{%- if cookiecutter.app_server == "uwsgi" %}


def uwsgi_options() -> list[str]:
    """Return the lines of an ini file that tell uWSGI where to listen."""
    lines = ["[uwsgi]", f"http-socket = {tcp_address()}"]
    if is_behind_nginx():
        # nginx is another user, and needs write permission to connect.
        lines += [f"http-socket = {own_socket()}", "chmod-socket = 666"]
    if "UWSGI_LISTEN" not in os.environ:
        lines.append(f"listen = {backlog()}")
    return lines


if __name__ == "__main__":
    print("\n".join(uwsgi_options()))
{%- endif %}
