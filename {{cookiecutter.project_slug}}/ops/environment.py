"""The variables of .env and of the shell, for what ops/ itself needs from them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

# NAME='…', NAME="…" or NAME=…; a value in quotes may have several lines.
ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*[=:][ \t]*"""
    r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|(.*))""",
    re.MULTILINE,
)
COMMENT = re.compile(r"(?:^|\s+)#.*")
ESCAPE = re.compile(r"\\(.)")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class BadVariable(Exception):
    """A variable has a value that cannot be used; the message is a sentence that says so."""


def read(file: Path = Path(".env")) -> dict[str, str]:
    """Return the variables of .env and of the shell, whose values win, as in Compose."""
    return {**read_file(file), **os.environ}


def read_file(file: Path) -> dict[str, str]:
    """Return the variables that a file such as .env sets; none when it cannot be read.

    Variables inside of values are not filled in: what needs that is read by Compose.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {match[1]: value(*match.group(2, 3, 4)) for match in ASSIGNMENT.finditer(text)}


def value(single: str | None, double: str | None, plain: str | None) -> str:
    """Return what a value means that stands in single quotes, in double quotes, or in none."""
    if single is not None:
        return single
    if double is not None:
        return ESCAPE.sub(lambda match: ESCAPES.get(match[1], match[1]), double)
    return COMMENT.sub("", plain or "").strip()


def number(variables: Mapping[str, str], name: str, default: int) -> int:
    """Return a variable as a whole number; `default` where it is not set or empty.

    Raises BadVariable for anything else, negative numbers too.
    """
    value = variables.get(name, "").strip()
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise BadVariable(f"{name} must be a whole number such as {default}, not {value!r}.")
    return int(value)
