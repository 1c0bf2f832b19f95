"""The files of the project: their owner, their line endings, whether scripts can be executed."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from ops.doctor.findings import Finding, ok, wrong
from ops.doctor.seen import Owner

SHOWN = 3


def check_files(owner: Owner) -> list[Finding]:
    """Look at the files in the current folder."""
    scripts = list(find_scripts())
    findings = [
        *check_owner(owner),
        *check_line_endings(scripts),
        *check_modes(scripts),
    ]
    good = f"they belong to user {owner.uid}, scripts are executable and have Unix line endings"
    return findings or [ok("files", good)]


def find_scripts() -> Iterator[Path]:
    """Yield the files that something executes or sources."""
    yield from sorted(path for path in Path("bin").glob("*") if path.is_file())
    yield from [
        path for path in (Path("manage.py"), Path("ops/start")) if path.is_file()
    ]
    for pattern in ("*.sh", "*.envsh"):
        yield from sorted(
            path for path in Path("docker").rglob(pattern) if path.is_file()
        )


def text_of(path: Path) -> str:
    """Return the text of a file, or "" when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def check_owner(owner: Owner) -> list[Finding]:
    """Do all files belong to the owner of the project?"""
    strangers = []
    for path in all_paths("."):
        with contextlib.suppress(OSError):  # it was removed meanwhile
            if os.lstat(path).st_uid != owner.uid:
                strangers.append(path)
        if len(strangers) == SHOWN:
            break
    if not strangers:
        return []
    what = f"not of user {owner.uid}: {' '.join(strangers)}"
    why = "A command ran as another user, such as root; neither you nor a container can write them."
    return [wrong("files", what, why, f"sudo chown -R {owner.uid}:{owner.gid} .")]


def all_paths(folder: str) -> Iterator[str]:
    """Yield the folder and all that is in it, without what cannot be read."""
    yield folder
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from all_paths(entry.path)
        else:
            yield entry.path


def check_line_endings(scripts: list[Path]) -> list[Finding]:
    """A script with Windows line endings does not start; in .env they become a part of each value."""
    windows = [
        str(path) for path in (*scripts, Path(".env")) if has_windows_line_endings(path)
    ]
    if not windows:
        return []
    what = f"Windows line endings: {' '.join(windows)}"
    why = "A script that has them does not start; in .env they become a part of the values."
    names = " ".join(shlex.quote(name) for name in windows)
    # Not sed --in-place, whose options differ between systems; and the file keeps its mode.
    command = f"for f in {names}; do text=$(tr -d '\\r' <$f) && printf '%s\\n' \"$text\" >$f; done"
    return [wrong("files", what, why, command)]


def has_windows_line_endings(path: Path) -> bool:
    try:
        return b"\r\n" in path.read_bytes()
    except OSError:
        return False


def check_modes(scripts: list[Path]) -> list[Finding]:
    """Can each script be executed by its owner?"""
    stiff = [
        str(path)
        for path in scripts
        if is_executed(path) and not path.stat().st_mode & 0o100
    ]
    if not stiff:
        return []
    what = f"not executable: {' '.join(stiff)}"
    why = "They cannot be started. A copy by way of Windows does that."
    return [wrong("files", what, why, "chmod +x " + " ".join(map(shlex.quote, stiff)))]


def is_executed(path: Path) -> bool:
    """Whether something starts the file. Images source *.envsh, but only those that are executable."""
    try:
        return path.suffix == ".envsh" or path.read_bytes()[:2] == b"#!"
    except OSError:
        return True
