"""What a check returns."""

from __future__ import annotations

from dataclasses import dataclass

OK = "ok"
NOTE = "note"  # worth knowing; the exit status stays 0
UNSEEN = "not looked at"
WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that a check found out about `where`: a stack, the files, Docker or the machine."""

    level: str
    where: str
    what: str
    why: str = ""
    commands: tuple[str, ...] = ()  # to copy into a shell, from the project's folder


def ok(where: str, what: str) -> Finding:
    return Finding(OK, where, what)


def note(where: str, what: str, why: str = "", *commands: str) -> Finding:
    return Finding(NOTE, where, what, why, commands)


def unseen(where: str, what: str) -> Finding:
    return Finding(UNSEEN, where, what)


def wrong(where: str, what: str, why: str, *commands: str) -> Finding:
    return Finding(WRONG, where, what, why, commands)
