import fcntl
import os
import shutil
import time
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

KEPT_RELEASES = 3


class Command(BaseCommand):
    help = (
        "Make this version ready to serve: check the settings, migrate, and add its static files "
        "to the folder that nginx serves. Safe to run again, and twice at the same time."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="where nginx looks for static files")

    def handle(self, *, folder, **options):
        call_command("check", deploy=True, fail_level="WARNING")
        call_command("migrate", interactive=False)
        published, removed = publish(Path(settings.STATIC_ROOT), folder)
        self.stdout.write(
            f"Static files: {published} published, {removed} of old releases removed."
        )


def publish(source: Path, folder: Path) -> tuple[int, int]:
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
