"""Hand this version's static files to nginx."""

import fcntl
import os
import shutil
import time
from pathlib import Path

from django.conf import settings

# The volume that nginx serves.
PUBLIC = Path("/srv/static")
KEPT_RELEASES = 3


def publish(source: Path = settings.STATIC_ROOT, folder: Path = PUBLIC) -> tuple[int, int]:
    """Add the files of `source` to `folder`, and remove those that only older releases used.

    Each file gets the time of the last release that shipped it, so the three newest times in the
    folder are the last three releases. Until then a page that is still open in a browser, or still
    served by a container of the release before, finds its files. Names carry a hash of the
    content, so a file that is there in full is the same file.

    Returns how many files were published and how many removed.
    """
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    now = time.time_ns()
    shipped = [file for file in files_in(source) if file.name != "staticfiles.json"]
    for file in shipped:
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.stat().st_size != file.stat().st_size:
            shutil.copyfile(file, target)
        os.utime(target, ns=(now, now))

    releases = sorted({file.stat().st_mtime_ns for file in files_in(folder)})
    stale = [f for f in files_in(folder) if f.stat().st_mtime_ns not in releases[-KEPT_RELEASES:]]
    for file in stale:
        file.unlink()
    os.close(lock)
    return len(shipped), len(stale)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
