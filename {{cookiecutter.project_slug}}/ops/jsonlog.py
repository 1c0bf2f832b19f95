"""Lines of JSON, as Django and nginx log them, as text that a person can read."""

from __future__ import annotations

import json

# What needs no place behind the message. Other values, such as those of `extra`, are shown there.
KNOWN = ("time", "level", "logger", "message", "request_id", "exc_info", "stack_info")
DJANGO = ("request", "status_code", "taskName")


def parse(line: str) -> dict | None:
    """Return the object that a line of JSON holds, or None where the line is something else."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def readable(line: str) -> list[str]:
    """Return a log line as the lines that a person reads: the message, then the traceback.

    A line that is not JSON, or has no message, stays as it is.
    """
    record = parse(line)
    if record is None or "message" not in record:
        return [line]
    source = " ".join(str(record[key]) for key in ("level", "logger") if record.get(key))
    extra = [f"{key}={value}" for key, value in record.items() if key not in KNOWN + DJANGO]
    first = " ".join([f"{source}:", str(record["message"]), *extra])
    return [*first.splitlines(), *details(record)]


def details(record: dict) -> list[str]:
    """Return the lines of a record's traceback, and of its stack where there is one."""
    texts = (str(record.get(key) or "") for key in ("exc_info", "stack_info"))
    return [line for text in texts for line in text.splitlines()]
