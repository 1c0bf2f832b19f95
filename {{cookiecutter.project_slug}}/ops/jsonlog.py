"""Lines of JSON, as Django and the reverse proxy log them, as text that a person can read."""

from __future__ import annotations

import json

# What needs no place behind the message. Other values, such as those of `extra`, are shown there.
SHOWN = ("time", "level", "logger", "message", "exc_info", "stack_info")
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

    An access log has the request and its status in place of a message. What is not JSON stays as it is.
    """
    record = parse(line)
    if record is None or not {"message", "status"} & record.keys():
        return [line]
    source = " ".join(
        str(record[key]) for key in ("level", "logger") if record.get(key)
    )
    hidden = [*SHOWN, *DJANGO]
    message = record.get("message")
    if message is None:
        message = f"{record.get('request', '')} {record['status']}"
        hidden.append("status")
    extra = [
        f"{key}={value}" for key, value in record.items() if value and key not in hidden
    ]
    first = " ".join([f"{source}:" if source else "", str(message), *extra]).strip()
    return [*(first.splitlines() or [line]), *details(record)]


def details(record: dict) -> list[str]:
    """Return the lines of a record's traceback, and of its stack where there is one."""
    texts = (str(record.get(key) or "") for key in ("exc_info", "stack_info"))
    return [line for text in texts for line in text.splitlines()]
