"""The variables of .env and of the shell, for what ops/ itself needs from them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=[ \t]*(.*)$")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class BadVariable(Exception):
    """A variable has a value that cannot be used; the message is a sentence that says so."""


def read(file: Path = Path(".env")) -> dict[str, str]:
    """Return the variables of .env and of the shell, whose values win, as in Compose.

    A file that is not there has no variables. Values in quotes have to end on their line, and
    variables inside of values are not filled in: what needs that is read by Compose.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    found = [match.groups() for match in map(ASSIGNMENT.match, text.splitlines()) if match]
    return {**{name: unquoted(value) for name, value in found}, **os.environ}


def unquoted(value: str) -> str:
    """Return what a value in .env means: without its quotes, or without the comment behind it."""
    quoted = re.match(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""", value)
    if not quoted:
        return re.sub(r"(?:^|\s+)#.*", "", value).strip()
    if quoted[1] is not None:
        return quoted[1]
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), quoted[2])


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
