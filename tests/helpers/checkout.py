"""Copies of this repository, as it is now: with what is not committed yet, without what git ignores."""

import shutil
from pathlib import Path

from tests.helpers.matrix import ROOT
from tests.helpers.stack import run


def git(folder: Path, *arguments: str | Path) -> str:
    done = run("git", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_files(target: Path) -> None:
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in names:
        if (ROOT / name).is_file():  # a deleted file is still listed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Change one place of a file; this fails where that place is not there, or not the only one."""
    text = (folder / name).read_text()
    assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}:\n{text}"
    (folder / name).write_text(text.replace(old, new))
