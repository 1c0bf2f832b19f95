"""Ask a container of the app, over the socket that nginx uses, whether it can take over the site."""

import socket
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError

# The volume with a socket for each container of the app.
SOCKETS = Path("/run/app")
# The longest that a request may take.
SECONDS = 60


class SocketConnection(HTTPConnection):
    """An HTTP connection to the container with this host name."""

    def __init__(self, host: str):
        super().__init__(host, timeout=SECONDS)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(SOCKETS / f"{self.host}.sock"))


def check(host: str) -> None:
    """Request /readyz and the home page from a container, as nginx would.

    READY_PAGE in the settings names another page. Raises CommandError when the container is not ready.
    """
    status, text = request(host, "/readyz")
    if status != 200:
        raise CommandError(f"/readyz responds {status}: {text}")
    page = getattr(settings, "READY_PAGE", "/")
    status, text = request(host, page)
    # A page that asks for a login (401, 403, a redirect) works; so does an API without a page here.
    # With 400 Django refuses the site's own host name: the settings are wrong, whatever the page is.
    if status == HTTPStatus.BAD_REQUEST or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise CommandError(f"{page} responds {status} {text}".strip())


def request(host: str, path: str) -> tuple[int, str]:
    """Return the status of the container's response, and its text where that is one line.

    Raises CommandError when there is no response.
    """
    name = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
    try:
        with closing(SocketConnection(host)) as connection:
            connection.request(
                "GET", path, headers={"Host": name, "X-Forwarded-Proto": "https"}
            )
            response = connection.getresponse()
            text = response.read().decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        raise CommandError(f"{path} gets no response: {error}") from error
    return response.status, "" if "\n" in text else text
