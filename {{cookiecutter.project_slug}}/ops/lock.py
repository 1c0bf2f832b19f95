"""Let one command at a time change a site."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ops.site import Refused

BUSY = "Another deploy of this site is at work. Nothing was changed."


@contextmanager
def locked(stack: str) -> Iterator[None]:
    """Hold the locks of this folder, and of the site, which may be in another folder too.

    The locks end with this process, however it ends: the programs that it runs do not inherit them.
    Raises Refused when somebody else holds one.
    """
    with ExitStack() as held:
        for path in (site_lock(stack), Path()):
            descriptor = os.open(path, os.O_RDONLY)
            held.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused(BUSY) from error
        yield


def site_lock(stack: str) -> Path:
    """Return the site's file, which is made where there is none. Each user of the machine can read it."""
    path = Path("/tmp", f"{stack}.deploy")  # not TMPDIR, which each user may have another of
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o644))
    return path
