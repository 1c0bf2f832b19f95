"""Find the exception in what a Python program printed."""

from __future__ import annotations

import builtins
import re

TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'^ *File "([^"]+)", line (\d+)')
EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*)|:)?$")


def last_exception(lines: list[str]) -> tuple[int, str] | None:
    """Return the exception of the last traceback, with its place in the lines."""
    starts = [
        place
        for place, line in enumerate(lines)
        if line.endswith(TRACEBACK)
        and not (place and lines[place - 1].startswith("Exception ignored"))
    ]
    if not starts:
        return None
    body = range(starts[-1] + 1, len(lines))
    end = next((place for place in body if EXCEPTION.match(lines[place])), None)
    if end is None:
        return None
    name, message = EXCEPTION.match(lines[end]).groups(default="")
    following = [line.strip() for line in lines[end + 1 :] if line.strip()]
    if not message and lines[end].endswith(":") and following:
        message = following[0]
    detail = next((line for line in following[:5] if line.startswith("DETAIL: ")), "")
    if detail:
        message += f" ({detail[8:].strip()})"
    text = f"{name}: {message}" if message else name
    return end, text + location(name, lines[starts[-1] : end])


def location(name: str, frames: list[str]) -> str:
    """Return where in the project's own code an error of Python itself happened: " (file, line 1)"."""
    kind = getattr(builtins, name, None)
    if not isinstance(kind, type) or issubclass(kind, OSError):
        return ""
    places = [FRAME.match(line) for line in frames if FRAME.match(line)]
    for place in reversed(places):
        folder, _, file = place[1].partition("/app/")
        if not folder and not file.startswith(("manage.py", "config/management/")):
            return f" ({file}, line {place[2]})"
    return ""
