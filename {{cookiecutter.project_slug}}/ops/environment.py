"""The variables of .env and of the shell, for what ops/ itself needs from them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# NAME='…', NAME="…" or NAME=…; a value in quotes may have several lines.
ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*[=:][ \t]*"""
    r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|(.*))""",
    re.MULTILINE,
)
COMMENT = re.compile(r" #.*")
ESCAPE = re.compile(r'\\([nrt"\\$])')
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "$": "$$"}


@dataclass(frozen=True)
class Assignment:
    """A line of .env that sets a variable."""

    name: str
    text: str  # its value, without quotes and comment
    is_literal: bool  # in single quotes: Compose fills nothing in


class BadVariable(Exception):
    """A variable has a value that cannot be used; the message is a sentence that says so."""


def read(file: Path = Path(".env")) -> dict[str, str]:
    """Return the variables of .env and of the shell, whose values win, as in Compose."""
    return {**read_file(file), **os.environ}


def read_file(file: Path) -> dict[str, str]:
    """Return the variables that a file such as .env sets; none when it cannot be read.

    Variables inside of values are not filled in: what needs that is read by Compose.
    """
    return {one.name: one.text for one in assignments(file)}


def assignments(file: Path) -> list[Assignment]:
    """Return the assignments in a file such as .env, in their order; none when it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [assignment(match) for match in ASSIGNMENT.finditer(text)]


def assignment(match: re.Match) -> Assignment:
    """Make an Assignment of what ASSIGNMENT has found."""
    name, single, double, plain = match.groups()
    if single is not None:
        return Assignment(name, single, is_literal=True)
    if double is not None:
        text = ESCAPE.sub(lambda found: ESCAPES.get(found[1], found[1]), double)
        return Assignment(name, text, is_literal=False)
    return Assignment(name, COMMENT.sub("", plain).strip(), is_literal=False)


def number(variables: Mapping[str, str], name: str, default: int) -> int:
    """Return a variable as a whole number; `default` where it is not set or empty.

    Raises BadVariable for anything else, negative numbers too.
    """
    value = variables.get(name, "").strip()
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise BadVariable(
            f"{name} must be a whole number such as {default}, not {value!r}."
        )
    return int(value)
