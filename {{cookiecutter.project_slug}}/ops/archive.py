"""What containers logged before they were removed: var/<stack>/logs/, a file for each container.

The name of a file says when its first and its last line were logged, so that a search opens only
the files of its time: 20261125T100000Z-20261125T221502Z-<container>-<service>.log.gz. Each line
begins with its time, as `docker logs --timestamps` prints it.
"""

from __future__ import annotations

import gzip
import os
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from ops.docker import Container
from ops.environment import number
from ops.process import CommandFailed, side_by_side, stream

KEEP_DAYS = 14
KEEP_MB = 500

# How Docker writes times; they can be compared as text.
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
NAME = re.compile(r"(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)-([0-9a-f]{12})-(.+)\.log\.gz")


class ArchiveFailed(Exception):
    """The logs of removed containers cannot be written or read; the message is a sentence."""


@dataclass(frozen=True)
class Archive:
    """The file with the log of one container that was removed."""

    path: Path
    first: str  # time of its first line in seconds, such as 2026-11-25T10:00:00
    last: str
    container: str  # the first 12 characters of its ID
    service: str


def folder(stack_folder: Path) -> Path:
    return stack_folder / "logs"


def save(stack_folder: Path, containers: list[Container]) -> list[str]:
    """Write what these containers logged to files; call it before they are removed.

    Calls the docker client once for each container, all side by side. A container that logged
    nothing gets no file; a file that an earlier call wrote for the same container is replaced.
    Returns a sentence for each container whose log Docker does not keep. Raises ArchiveFailed when
    the files cannot be written; the containers and the files of other containers are as before.
    """
    if not containers:
        return []
    try:
        folder(stack_folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        notes = side_by_side(
            *(partial(save_one, stack_folder, one) for one in containers)
        )
    except OSError as error:
        raise failed("write", stack_folder, error) from error
    return [note for note in notes if note]


def save_one(stack_folder: Path, container: Container) -> str:
    """Write the log of one container; return "", or a sentence that says why there is none."""
    new = folder(stack_folder) / f"{container.host_name}.new"
    try:
        first, last = write(new, stream("docker", "logs", "--timestamps", container.id))
        if first:
            target = folder(stack_folder) / file_name(container, first, last)
            for old in new.parent.glob(f"*-{container.host_name}-*.log.gz"):
                if old != target:
                    old.unlink()
            new.replace(target)
    except CommandFailed as error:
        why = error.output.strip().rpartition("Error response from daemon: ")[2]
        return f"The log of {container.name} cannot be kept: {why or error}."
    finally:
        new.unlink(missing_ok=True)
    return ""


def write(file: Path, lines: Iterator[bytes]) -> tuple[str, str]:
    """Write lines to a compressed file for its owner alone; return the times of the first and last."""
    first = last = b""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=3) as packed:
            for line in lines:
                packed.write(line)
                if STAMP.match(line):
                    first = first or line[:19]
                    last = max(last, line[:19])
        raw.flush()
        os.fsync(raw.fileno())
    return first.decode(), last.decode()


def file_name(container: Container, first: str, last: str) -> str:
    times = "-".join(re.sub("[-:]", "", stamp) + "Z" for stamp in (first, last))
    return f"{times}-{container.host_name}-{container.service}.log.gz"


def archives(stack_folder: Path) -> list[Archive]:
    """Return the files that are there, the newest first. Raises ArchiveFailed where they are unreadable."""
    try:
        paths = sorted(folder(stack_folder).iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise failed("read", stack_folder, error) from error
    matches = [(path, NAME.fullmatch(path.name)) for path in paths]
    found = [
        Archive(path, long_time(match[1]), long_time(match[2]), match[3], match[4])
        for path, match in matches
        if match
    ]
    return sorted(found, key=lambda archive: archive.last, reverse=True)


def long_time(short: str) -> str:
    """Return the time 20261125T100000Z as 2026-11-25T10:00:00."""
    return datetime.strptime(short, "%Y%m%dT%H%M%SZ").isoformat()


def read(archive: Archive) -> Iterator[bytes]:
    """Yield the lines of a file. Raises ArchiveFailed for a file that is unreadable or damaged."""
    try:
        with gzip.open(archive.path) as file:
            yield from file
    except (EOFError, OSError, zlib.error) as error:
        raise failed("read", archive.path, error) from error


def limits(variables: Mapping[str, str]) -> tuple[int, int]:
    """Return for how many days files are kept, and up to how many MB. Raises BadVariable."""
    days = number(variables, "LOGS_KEEP_DAYS", KEEP_DAYS)
    return days, number(variables, "LOGS_KEEP_MB", KEEP_MB)


def prune(
    stack_folder: Path,
    keep_days: int = KEEP_DAYS,
    keep_mb: int = KEEP_MB,
    now: float | None = None,
) -> list[Path]:
    """Remove files whose last line is older than that many days, then the oldest beyond that many MB.

    A MB is 1,000,000 bytes of the disk. `now` is in seconds since 1970. Returns what was removed.
    Raises ArchiveFailed when the files cannot be removed.
    """
    day = 24 * 60 * 60
    since = max(0, (time.time() if now is None else now) - keep_days * day)
    oldest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since))
    removed = []
    size = 0
    try:
        for archive in archives(stack_folder):
            size += archive.path.stat().st_size
            if archive.last < oldest or size > keep_mb * 1_000_000:
                archive.path.unlink()
                removed.append(archive.path)
    except OSError as error:
        raise failed("remove", stack_folder, error) from error
    return removed


def failed(verb: str, path: Path, error: Exception) -> ArchiveFailed:
    """Return the exception that says which file could not be used, and why."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    where = getattr(error, "filename", None) or path
    return ArchiveFailed(
        f"Cannot {verb} the logs of removed containers in {where}: {why}."
    )
