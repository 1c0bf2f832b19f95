"""Log lines of containers that are there and of removed ones, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush, nlargest
from itertools import count
from time import gmtime, strftime

from ops import jsonlog
from ops.archive import STAMP, Archive, ArchiveFailed, read
from ops.docker import Container
from ops.process import CommandFailed, side_by_side, stream

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# Docker stores a long line in pieces of so many bytes, and prints the time before each of them.
PIECE = 16384


class BadTime(Exception):
    """What a person typed is no time; the message is a sentence."""


@dataclass(frozen=True, order=True)
class Line:
    """A line that a container logged."""

    time: str  # UTC, as Docker writes it: 2026-11-25T10:00:00.123456789Z
    service: str
    container: str  # the first 12 characters of its ID
    text: str


@dataclass(frozen=True)
class Query:
    """Which lines are asked for. Times are UTC and can be compared with those of lines."""

    request_id: str = ""  # or its beginning
    services: frozenset[str] = frozenset()  # all services where it is empty
    since: str = ""
    until: str = ""
    last: int = 0  # only so many lines, the newest; all where it is 0

    def wants(self, source: Container | Archive) -> bool:
        """Return whether a container, or the file of a removed one, may have such lines."""
        if self.services and source.service not in self.services:
            return False
        if isinstance(source, Container):
            return True
        return source.last >= self.since[:19] and (
            not self.until or source.first < self.until
        )


def moment(typed: str, now: datetime) -> str:
    """Return the time that a person typed, as Docker writes times.

    2h is two hours before `now`; today and yesterday are midnight; 2026-11-25, 2026-11-25T10:00 and
    10:00 are in the time zone of this machine, as `now` is, unless an offset or Z follows. Raises
    BadTime for anything else.
    """
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", typed)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    text = re.sub(r"[Zz]$", "+00:00", typed.replace(" ", "T"))
    # What Docker prints, and Python 3.9 does not read: nine digits of a second, +0100.
    text = re.sub(r"\.\d+", "", text)
    text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text) if "T" in text else text
    if re.match(r"\d\d:\d\d", text):
        text = f"{now.date()}T{text}"
    try:
        if ago:
            found = now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        elif typed in ("today", "yesterday"):
            found = midnight - timedelta(days=1 if typed == "yesterday" else 0)
        else:
            found = datetime.fromisoformat(text)
        seconds = found.timestamp()
        if seconds < 0:
            raise ValueError("Docker's client takes no time before 1970.")
        return strftime("%Y-%m-%dT%H:%M:%S.000000000Z", gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        raise BadTime(
            f"{typed!r} is not a time; write 2h, yesterday or 2026-11-25T10:00."
        ) from None


def parse(raw: bytes, service: str, container: str) -> Line | None:
    """Make a Line of what `docker logs --timestamps` printed, or None where it has no time."""
    stamp = STAMP.match(raw)
    if not stamp:
        return None
    text = raw[stamp.end() :]
    if len(text) > PIECE:
        text = text.replace(stamp[0], b"")
    decoded = text.decode(errors="replace").rstrip("\r\n")
    return Line(stamp[0].decode().strip(), service, container, decoded)


def matching(
    raw_lines: Iterable[bytes], query: Query, source: Container | Archive
) -> Iterator[Line]:
    """Yield the lines that are asked for, in the order in which they are."""
    container = source.host_name if isinstance(source, Container) else source.container
    wanted = re.compile(rf"(?<![\w-]){re.escape(query.request_id)}".encode())
    for raw in raw_lines:
        if len(raw) <= PIECE and not wanted.search(raw):
            continue
        line = parse(raw, source.service, container)
        if (
            not line
            or line.time < query.since
            or (query.until and line.time >= query.until)
        ):
            continue
        if wanted.search(line.text.encode()):
            yield line


def lines_of(
    source: Container | Archive, query: Query, problems: list[Exception]
) -> Iterator[Line]:
    """Yield the lines that are asked for of one container, which may be removed.

    Adds to `problems` why they could not be read, or not to their end.
    """
    raw_lines = (
        docker_logs(source, query) if isinstance(source, Container) else read(source)
    )
    try:
        yield from matching(raw_lines, query, source)
    except (ArchiveFailed, CommandFailed) as error:
        problems.append(error)


def docker_logs(container: Container, query: Query) -> Iterator[bytes]:
    """Yield what the docker client prints of a container's log, with times."""
    limits = [
        ("--since", query.since),
        ("--until", query.until),
        ("--tail", query.last or ""),
    ]
    options = [str(part) for option in limits if option[1] for part in option]
    return stream("docker", "logs", "--timestamps", *options, container.id)


def search(
    containers: list[Container],
    archives: list[Archive],
    query: Query,
    problems: list[Exception],
) -> Iterator[Line]:
    """Yield the lines that are asked for, in the order of time.

    A container that has a file and is still there is read once. Adds to `problems` what could not
    be read; the other lines come all the same.
    """
    there = {container.host_name for container in containers}
    present = [one for one in containers if query.wants(one)]
    removed = [
        one for one in archives if query.wants(one) and one.container not in there
    ]
    if query.last:
        return iter(newest(present, removed, query, problems))
    sources = [("", lines_of(one, query, problems)) for one in present]
    sources += [(one.first, lines_of(one, query, problems)) for one in removed]
    return in_order(sources)


def newest(
    present: list[Container],
    removed: list[Archive],
    query: Query,
    problems: list[Exception],
) -> list[Line]:
    """Return the newest lines; of the files of removed containers read only as many as it takes."""
    readers = [partial(list, lines_of(one, query, problems)) for one in present]
    found = [
        line for lines in (side_by_side(*readers) if readers else []) for line in lines
    ]
    for one in sorted(removed, key=lambda archive: archive.last, reverse=True):
        found = nlargest(query.last, found)
        if len(found) == query.last and found[-1].time[:19] > one.last:
            break
        found += lines_of(one, query, problems)
    return sorted(nlargest(query.last, found))


def in_order(sources: list[tuple[str, Iterator[Line]]]) -> Iterator[Line]:
    """Merge sources, each with the time of its first line and in order, into one in the order of time.

    A source is opened when its time has come, so that few files are open at once.
    """
    waiting = sorted(sources, key=lambda source: source[0], reverse=True)
    heads: list[tuple[Line, int, Iterator[Line]]] = []
    numbers = count()

    def advance(lines: Iterator[Line]) -> None:
        line = next(lines, None)
        if line:
            heappush(heads, (line, next(numbers), lines))

    while heads or waiting:
        while waiting and (not heads or waiting[-1][0] <= heads[0][0].time):
            advance(waiting.pop()[1])
        if heads:
            line, _, lines = heappop(heads)
            yield line
            advance(lines)


def printed(line: Line, width: int) -> str:
    """Return a line as a person reads it: its time on this machine, the service, and the text."""
    local = datetime.fromisoformat(f"{line.time[:19]}+00:00").astimezone()
    first, *more = jsonlog.readable(line.text)
    head = (
        f"{local:%Y-%m-%d %H:%M:%S}.{line.time[20:23]}  {line.service:{width}}  {first}"
    )
    return "\n".join([head, *(f"    {part}" for part in more)])
