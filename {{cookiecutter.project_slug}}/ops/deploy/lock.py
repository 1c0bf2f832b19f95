"""Let one command at a time change a site."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ops.deploy.site import Refused

BUSY = "Another deploy of this site is running. Nothing was changed."


@contextmanager
def locked(stack: str) -> Iterator[None]:
    """Hold the locks of this folder, and of the site, which may be in another folder too.

    Raises Refused when another process holds one.
    """
    with hold(site_lock(stack), BUSY), hold(Path(), BUSY):
        yield


@contextmanager
def hold(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock on a file or folder; raise Refused with this sentence when another process holds it.

    The lock ends with this process, however it ends: the programs that it runs do not inherit it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise Refused(
            f"{path} cannot be opened: {error.strerror}. Nothing was changed."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Refused(refusal) from error
    try:
        yield
    finally:
        os.close(descriptor)


def site_lock(stack: str) -> Path:
    """Return the site's file, which is made where there is none. Each user of the machine can read it."""
    # Not TMPDIR, which may differ for each user.
    path = Path("/tmp", f"{stack}.deploy")
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o644)
        os.fchmod(descriptor, 0o644)  # whatever the umask
        os.close(descriptor)
    return path
