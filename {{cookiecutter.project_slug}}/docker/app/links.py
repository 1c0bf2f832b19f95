"""The links through which nginx finds the app, and the file that names the release that serves.

nginx sends requests to /run/app/1.sock … /run/app/<APP_COPIES>.sock. Each is a symbolic link to the
socket of a container. The file /run/app/release holds the release that may claim a dead link.

    python docker/app/links.py show              print release, links and dead sockets as JSON
    python docker/app/links.py name              let the release of this image serve
    python docker/app/links.py point HOST...     let it serve, in these containers
"""

import errno
import fcntl
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from listen import SOCKETS, is_behind_nginx, own_socket

# The image's build writes a new one whenever something in the image has changed.
RELEASE_ID = Path("/release-id")


class LinksError(Exception):
    """Something that a person has to fix; the text is one sentence."""


def own_release() -> str:
    """Return the release of this container's image."""
    return RELEASE_ID.read_text().strip()


def copies() -> int:
    """Return the number of links."""
    value = os.environ.get("APP_COPIES") or "1"
    if not value.isdecimal() or int(value) < 1:
        raise LinksError(
            f"APP_COPIES must be a whole number, 1 or more, not {value!r}."
        )
    return int(value)


@contextmanager
def locked(folder: Path, tries: int = 100) -> Iterator[None]:
    """Hold off other processes that change the links in this folder.

    Tries ten times a second; raises LinksError when another process holds the lock all the time.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(tries):
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.1)
        else:
            raise LinksError(
                "Another container, perhaps a paused one, has locked the links."
            )
        yield
    finally:
        os.close(lock)


# Reading


def is_dead(path: Path) -> bool:
    """Return whether nobody listens on this socket. A full backlog (EAGAIN) is not dead."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        return connection.connect_ex(str(path)) in (errno.ECONNREFUSED, errno.ENOENT)


def named_release(folder: Path) -> str | None:
    """Return the release that serves, or None where no release has served yet."""
    with suppress(FileNotFoundError):
        return (folder / "release").read_text().strip()
    return None


def current_links(folder: Path) -> dict[str, str]:
    """Return the host name that each numbered link points to."""
    return {
        path.stem: os.readlink(path).removesuffix(".sock")
        for path in sorted(folder.glob("*.sock"))
        if path.is_symlink()
    }


def dead_hosts(folder: Path) -> list[str]:
    """Return the host names of the sockets that nobody listens on any more."""
    sockets = [path for path in sorted(folder.glob("*.sock")) if not path.is_symlink()]
    return [path.stem for path in sockets if is_dead(path)]


def current_state(folder: Path) -> dict:
    """Return the release that serves, and all links."""
    return {"release": named_release(folder), "links": current_links(folder)}


# Writing


def stage(folder: Path, release: str, links: dict[str, str]) -> dict[Path, Path]:
    """Write the release file and these links under temporary names.

    Returns the temporary path of each path. Where that fails, nothing is left.
    """
    hosts = {folder / f"{number}.sock": host for number, host in links.items()}
    paths = {path: path.with_suffix(".new") for path in [*hosts, folder / "release"]}
    try:
        for path, host in hosts.items():
            paths[path].unlink(missing_ok=True)
            paths[path].symlink_to(f"{host}.sock")
        write_durably(folder / "release.new", f"{release}\n")
    except OSError:
        for temporary in paths.values():
            temporary.unlink(missing_ok=True)
        raise
    return paths


def write_durably(path: Path, text: str) -> None:
    """Write a file so that it is on the disk when this returns."""
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def put(folder: Path, release: str, links: dict[str, str]) -> None:
    """Let this release serve, and the links be exactly these: all of them, or none."""
    paths = stage(folder, release, links)
    # From here on nothing needs room on the disk.
    for path, temporary in paths.items():
        temporary.replace(path)
    for number in current_links(folder).keys() - links.keys():
        (folder / f"{number}.sock").unlink()


def name_release(folder: Path = SOCKETS) -> None:
    """Let the release of this image serve: its containers may claim links whose container is gone."""
    with locked(folder):
        put(folder, own_release(), current_links(folder))


def claimable(folder: Path = SOCKETS) -> str | None:
    """Return the number of a dead link that this container may claim, or None.

    It may if its release serves and it has no link yet: two copies get one each. A container of
    another release claims nothing; `point` moves requests to it when it is known to work.
    """
    if named_release(folder) != own_release():
        return None
    links = current_links(folder)
    numbers = [str(number) for number in range(1, copies() + 1)]
    if own_socket().stem in [links.get(number) for number in numbers]:
        return None
    dead = (number for number in numbers if is_dead(folder / f"{number}.sock"))
    return next(dead, None)


def claim(folder: Path = SOCKETS) -> None:
    """Point a dead link to this container, whose server responds, if there is one to claim.

    Raises LinksError when another process changes the links: the next try comes soon.
    """
    if claimable(folder) is None:
        return
    with locked(folder, tries=1):
        number = claimable(folder)
        if number is not None:
            temporary = folder / f"{number}.new"
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(own_socket().name)
            temporary.replace(folder / f"{number}.sock")


def point(hosts: list[str], folder: Path = SOCKETS) -> None:
    """Let the release of this image serve, in the containers with these host names.

    Link number i goes to host i; fewer hosts than links are taken in turn.
    """
    for host in hosts:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", host):
            raise LinksError(f"{host!r} is not a host name.")
        if is_dead(folder / f"{host}.sock"):
            raise LinksError(f"No server listens on {folder}/{host}.sock.")
    with locked(folder):
        links = {
            str(number + 1): hosts[number % len(hosts)] for number in range(copies())
        }
        put(folder, own_release(), links)
        for host in dead_hosts(folder):
            (folder / f"{host}.sock").unlink(missing_ok=True)


def main(arguments: list[str]) -> None:
    """Do what the command line asks for."""
    match arguments:
        case ["show"]:
            print(json.dumps(current_state(SOCKETS) | {"dead": dead_hosts(SOCKETS)}))
        case ["name"]:
            name_release()
        case ["point", _, *_]:
            point(arguments[1:])
        case _:
            raise LinksError("Use: links.py show | name | point HOST...")


if __name__ == "__main__":
    try:
        if not is_behind_nginx():
            raise LinksError(
                f"The volume with the sockets is not mounted at {SOCKETS}."
            )
        main(sys.argv[1:])
    except LinksError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"The links could not be changed: {error}.")
