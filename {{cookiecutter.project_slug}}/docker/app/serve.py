"""Run the app server as the child of process 1, and look after its socket.

    python docker/app/serve.py {{ cookiecutter.app_server }} ARGUMENT...

The server itself would drop the connections that wait for a worker when it stops. So on SIGTERM and
SIGINT nginx is first kept from connecting to this container's socket, then the connections that
wait get a worker, then the socket is removed, and then the server gets the signal. All other
signals go to the server at once. This process ends with the exit status of the server.

When the container of a link is gone, this one takes its place within a second, if it may: links.py.
"""

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import links
from listen import is_behind_nginx, own_socket

# Seconds. Together with the longest request (60), shorter than stop_grace_period (65).
LONGEST_WAIT = 4


def wait_for_response(path: Path) -> None:
    """Wait until the server responds to a new connection: it has then accepted all earlier ones.

    Raises OSError if it does not respond in time, or closes the connection.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LONGEST_WAIT)
        connection.connect(str(path))
        connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        if not connection.recv(1):
            raise ConnectionError("The server closed the connection.")


def close_socket(path: Path) -> None:
    """Let nginx send no more requests to the socket, and wait for those that it has sent."""
    with contextlib.suppress(
        OSError
    ):  # the socket is not there, or the server does not respond
        # nginx, another user, can no longer connect, and goes to the next copy of the app.
        path.chmod(0o600)
        wait_for_response(path)
{%- if cookiecutter.app_server == "uwsgi" %}
    path.unlink(missing_ok=True)
{%- endif %}
{%- if cookiecutter.app_server == "gunicorn" %}
    # gunicorn removes its socket by itself before it stops, and would fail if it were gone.
{%- endif %}


def claim_link() -> None:
    """Claim a dead link, if this container may have it and its server responds."""
    with contextlib.suppress(OSError, links.LinksError):
        if links.claimable() is not None:
            wait_for_response(own_socket())
            links.claim()


def ended(server: int) -> int | None:
    """Reap all children that have ended; return the exit status of the server if it is one of them."""
    with contextlib.suppress(ChildProcessError):
        while child := os.waitpid(-1, os.WNOHANG):
            process, status = child
            if process == 0:
                return None
            if process == server:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
    return None


def run(command: list[str]) -> int:
    """Run the server until it ends; return its exit status, or 128 and the signal that killed it."""
    signals = signal.valid_signals()
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = os.posix_spawnp(command[0], command, os.environ, setsigmask=[])
    stopping = False
    while True:
        received = signal.sigtimedwait(signals, 1)
        if received is None:
            if is_behind_nginx() and not stopping:
                claim_link()
{%- if cookiecutter.app_server == "uwsgi" %}
            if stopping:
                # uWSGI serves pages before it handles SIGTERM, and misses one that comes too early.
                os.kill(server, signal.SIGTERM)
{%- endif %}
        elif received.si_signo == signal.SIGCHLD:
            status = ended(server)
            if status is not None:
                if is_behind_nginx():
                    own_socket().unlink(missing_ok=True)
                return status
        else:
            if received.si_signo in (signal.SIGTERM, signal.SIGINT):
                stopping = True
                if is_behind_nginx():
                    close_socket(own_socket())
            os.kill(server, received.si_signo)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
