""".env: the names and values in it. Compose reads it by more rules; these are enough to look at it."""

from __future__ import annotations

import re
from pathlib import Path

ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:](.*)")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables that a file such as .env sets; none when it cannot be read.

    Quotes are removed from values; a value in quotes may have several lines.
    """
    try:
        lines = iter(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return {}
    variables = {}
    for line in lines:
        found = ASSIGNMENT.match(line)
        if not found:
            continue
        value = found[2].strip()
        quote = value[:1]
        if quote not in ("'", '"'):
            variables[found[1]] = value.partition(" #")[0].strip()
            continue
        while not ends(value, quote):
            more = next(lines, None)
            if more is None:
                break
            value += f"\n{more.rstrip()}"
        variables[found[1]] = value.strip(quote)
    return variables


def ends(value: str, quote: str) -> bool:
    """Whether the value, which begins with this quote, has the quote that ends it."""
    return re.search(r"(?<!\\)" + quote, value[1:]) is not None
