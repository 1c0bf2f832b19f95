"""bin/doctor: look at the project, its stacks and the machine, and say what is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ops.doctor import looking, printing

USAGE = "usage: bin/doctor [development | production] [--json]"
HELP = f"""{USAGE}

Name what is wrong with the files, Docker, the machine and both stacks, or the one that is named, each
with the command to type. Nothing is changed.

  --json   print all findings as JSON: level (wrong, note, ok, not looked at), where, what, why, commands

Exit status: 0 nothing is wrong, 1 something is wrong, 2 for arguments that it does not know."""


def main(argv: list[str]) -> int:
    """Run bin/doctor with these arguments and return its exit status."""
    if "-h" in argv or "--help" in argv:
        print(HELP)
        return 0
    names = [argument for argument in argv if argument != "--json"]
    unknown = [name for name in names if name not in looking.FILES]
    if unknown or len(names) > 1:
        reason = (
            f"does not know {unknown[0]}" if unknown else "takes the name of one stack"
        )
        print(f"bin/doctor {reason}; {USAGE}", file=sys.stderr)
        return 2
    try:
        found = looking.look(names or [*looking.FILES])
    except KeyboardInterrupt:
        return 130
    findings = printing.without_secrets(found, Path(".env"))
    try:
        printing.show(findings, as_json="--json" in argv)
        sys.stdout.flush()
    except BrokenPipeError:  # such as: bin/doctor | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return printing.exit_status(findings)
