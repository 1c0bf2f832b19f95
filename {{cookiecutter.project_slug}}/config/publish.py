"""Hand this version's static files to nginx, and let its containers serve."""

import fcntl
import filecmp
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError
from django.utils.safestring import mark_safe

from config import errors

# The volume that nginx serves.
PUBLIC = Path("/srv/static")
KEPT_RELEASES = 3
# The name of a file ends so until the file is whole.
PART = ".part-of-a-release"

# The pages for what nginx responds by itself. nginx fills in the request ID.
ERROR_PAGES = (400, 403, 404, 413, 429, 500, 502, 503, 504, "refused")
REQUEST_ID = mark_safe('<!--# echo var="request_id" -->')


def publish(
    source: Path = settings.STATIC_ROOT, folder: Path = PUBLIC
) -> tuple[int, int]:
    """Add the files of `source`, and the error pages, to `folder`; remove what only older releases used.

    Each file gets the time of the last release that shipped it, so the three newest times in the
    folder are the last three releases. A page of an old release, which is still open in a browser or
    which the old container still serves, finds its files.

    Returns how many files were published and how many removed.
    """
    with locked(folder):
        now = time.time_ns()
        shipped = {
            folder / file.relative_to(source): file
            for file in files_in(source)
            if file.name != "staticfiles.json"
        }
        copy_changed(shipped, now)
        for target in shipped:
            os.utime(target, ns=(now, now))
        write_error_pages(folder / "config/error-pages", now)

        times = {file: file.stat().st_mtime_ns for file in files_in(folder)}
        # What a publish that was killed left behind is no release.
        kept = sorted({times[file] for file in times if file.suffix != PART})[
            -KEPT_RELEASES:
        ]
        stale = [
            file for file in times if file.suffix == PART or times[file] not in kept
        ]
        for file in stale:
            file.unlink()
    return len(shipped), len(stale)


@contextmanager
def locked(folder: Path):
    """Wait until nobody else publishes to this folder, and let nobody else, until the end of this block."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write_error_pages(folder: Path, now: int) -> None:
    """Write each page whole, so that nginx never shows a half, with the time `now` in nanoseconds."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ERROR_PAGES:
        target = folder / f"{name}.html"
        new = target.with_suffix(PART)
        new.write_text(errors.page(name, REQUEST_ID))
        os.utime(new, ns=(now, now))
        new.replace(target)


def copy_changed(files: dict[Path, Path], now: int) -> None:
    """Copy to each path its file, where the path does not have that content yet.

    If one file cannot be copied, none of them changes. Each gets the time `now` in nanoseconds.
    """
    # A name without a hash may have new content of the same size.
    changed = {
        target: file
        for target, file in files.items()
        if not target.exists() or not filecmp.cmp(target, file, shallow=False)
    }
    copies = {target: target.with_name(f"{target.name}{PART}") for target in changed}
    try:
        for target, file in changed.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copies[target])
            os.utime(copies[target], ns=(now, now))
    except OSError:
        for copy in copies.values():
            copy.unlink(missing_ok=True)
        raise
    for target, copy in copies.items():
        copy.replace(target)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def name_release() -> None:
    """Let the containers of this image claim nginx's requests, when those of the last one are gone."""
    command = [sys.executable, settings.BASE_DIR / "docker/app/links.py", "name"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CommandError(done.stderr.strip())
