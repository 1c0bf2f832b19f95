"""The links between nginx and the app: which container gets the requests.

Each app container listens on /run/app/<its host name>.sock, and nginx sends requests to /run/app/1.sock
and so on, which are symbolic links to these. docker/app/links.py, in the app's image, reads and
writes them; this module calls it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

from ops import docker
from ops.process import CommandFailed

FOLDER = "/run/app"
TOOL = ("python", "docker/app/links.py")
# What is said where the image has no such file, or the container no such volume.
OLDER_VERSION = ("can't open file", "is not mounted")
# Seconds. No request takes longer: the app server gives up after 60, nginx after 65.
LONGEST_REQUEST = 65
PAUSE = 0.1


def show(container: str) -> dict[str, str] | None:
    """Return the host name behind each link, asked in this container of the app.

    None when an older version of this project, without links, made the container.

    Raises CommandFailed when the container does not respond.
    """
    try:
        return json.loads(docker.execute(container, *TOOL, "show"))["links"]
    except CommandFailed as failed:
        if any(text in failed.output for text in OLDER_VERSION):
            return None
        raise


def point(container: str, hosts: Iterable[str]) -> None:
    """Send requests to these host names, of the release of this app container."""
    docker.execute(container, *TOOL, "point", *hosts)


def connections(table: str, hosts: Iterable[str]) -> int:
    """Count the connections to these containers' sockets in the text of nginx's /proc/net/unix.

    nginx's network namespace lists the far end of each connection that it opened, accepted or still
    in the backlog, with the path of the socket that it belongs to.
    """
    paths = {f"{FOLDER}/{host}.sock" for host in hosts}
    return sum(line.split()[-1] in paths for line in table.splitlines() if line.strip())


def drain(hosts: Iterable[str], read_table: Callable[[], str]) -> bool:
    """Wait until nginx has had no connection to these containers twice in a row.

    Where its table cannot be read, wait as long as the longest request takes. Returns whether the
    connections are gone; some may be left after LONGEST_REQUEST seconds.
    """
    end = time.monotonic() + LONGEST_REQUEST
    empty_looks = 0
    while time.monotonic() < end:
        try:
            busy = connections(read_table(), hosts) > 0
        except CommandFailed:
            busy = True
        empty_looks = 0 if busy else empty_looks + 1
        if empty_looks == 2:
            return True
        time.sleep(PAUSE)
    return False
