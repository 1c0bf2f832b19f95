"""bin/deploy-commit: deploy one commit of the branch that is checked out here."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ops.deploy.lock import hold
from ops.deploy.site import Refused
from ops.process import CommandFailed, run

DESCRIPTION = """\
Deploy a commit of the branch that is checked out here; CI runs this over ssh. A commit that is older
than what is here is refused: a pipeline that ends late does not bring back an older version.
"""


def main(arguments: list[str]) -> int:
    """Run bin/deploy-commit with these arguments; it becomes bin/deploy, or returns 1."""
    options = argparse.ArgumentParser(prog="bin/deploy-commit", description=DESCRIPTION)
    options.add_argument("commit", help="such as 3f2a91c")
    wanted = options.parse_args(arguments).commit
    try:
        with hold(Path(), "another deploy is running in this folder."):
            move_to(wanted)
    except Refused as refused:
        print(f"Not deployed: {refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    # A new process: the commit may have changed this package.
    os.execv("bin/deploy", ["bin/deploy"])


def move_to(wanted: str) -> None:
    """Fetch, and move the folder forward to this commit. Raises Refused."""
    if not wanted:
        raise Refused("no commit was named.")
    git("fetch", "--quiet")
    try:
        commit = git(
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{wanted}^{{commit}}",
        )
    except Refused as error:
        raise Refused(f"{wanted} is not a commit.") from error
    if not is_ancestor(commit, "@{upstream}"):
        raise Refused(f"{wanted} is not in the branch that is checked out here.")
    if not is_ancestor("HEAD", commit):
        raise Refused(f"what is here is newer than {wanted}.")
    git("merge", "--quiet", "--ff-only", commit)


def git(*arguments: str) -> str:
    """Run git and return what it printed. Raises Refused with git's own words."""
    try:
        return run("git", *arguments).strip()
    except CommandFailed as failed:
        raise Refused(failed.output.strip() or str(failed)) from failed


def is_ancestor(commit: str, other: str) -> bool:
    """Whether `other` contains this commit. Raises Refused when git cannot say so."""
    try:
        run("git", "merge-base", "--is-ancestor", commit, other)
    except CommandFailed as failed:
        if failed.status != 1:
            raise Refused(failed.output.strip() or str(failed)) from failed
        return False
    return True
