"""The history of deploys: one line of JSON for each, in var/<stack>/deploys.jsonl."""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

SERVES, WENT_BACK = "serves", "went back"


@dataclass(frozen=True)
class Deploy:
    """One deploy: which release, when, by whom, how, and how it ended."""

    release: str
    time: str  # when it ended, in UTC, ISO 8601
    user: str
    commit: str  # "" when the folder was no git checkout
    kind: str  # deploy, rollback, image, or up for a plain `up`
    outcome: str  # SERVES or WENT_BACK
    reason: str = ""  # why it went back

    @property
    def served(self) -> bool:
        return self.outcome == SERVES


def moment(time: datetime) -> str:
    """Return a time in UTC, as it is written in the history."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def user_name() -> str:
    """The user who deploys; with sudo the one who typed it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user ID without a name
        return str(os.getuid())


def history_file(folder: Path) -> Path:
    return folder / "deploys.jsonl"


def read(folder: Path) -> list[Deploy]:
    """Return all deploys, the oldest first. Lines that are damaged are left out."""
    try:
        lines = (
            history_file(folder)
            .read_text(encoding="utf-8", errors="replace")
            .splitlines()
        )
    except FileNotFoundError:
        return []
    deploys = []
    for line in lines:
        try:
            deploy = Deploy(**json.loads(line))
        except (TypeError, ValueError):
            continue
        if all(isinstance(value, str) for value in asdict(deploy).values()):
            deploys.append(deploy)
    return deploys


def append(folder: Path, deploy: Deploy) -> None:
    """Add a deploy to the history, for good: it survives a power cut."""
    folder.mkdir(parents=True, exist_ok=True)
    with history_file(folder).open("a", encoding="utf-8") as file:
        if not ends_with_newline(history_file(folder)):
            file.write("\n")  # after a power cut in the middle of a line
        file.write(json.dumps(asdict(deploy)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def ends_with_newline(file: Path) -> bool:
    """Whether a file is empty or its last byte ends a line."""
    return file.read_bytes()[-1:] in (b"", b"\n")


def served_releases(deploys: list[Deploy]) -> list[str]:
    """Return the releases that served, each once, the latest first."""
    releases: dict[str, None] = {}
    for deploy in reversed(deploys):
        if deploy.served:
            releases.setdefault(deploy.release)
    return list(releases)
