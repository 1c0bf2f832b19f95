"""Show findings: as text, in colours on a terminal, or as JSON."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

from ops import environment
from ops.doctor.findings import NOTE, OK, UNSEEN, WRONG, Finding

COLOURS = {OK: "\033[32m", NOTE: "\033[33m", UNSEEN: "\033[33m", WRONG: "\033[31m"}
INDENT = 15
SECRET = re.compile(
    r"SECRET|PASSWORD|TOKEN|KEY|CREDENTIAL|URL|UV_TOML|DSN", re.IGNORECASE
)


def show(findings: list[Finding], as_json: bool) -> None:
    """Print findings on stdout."""
    if as_json:
        print(
            json.dumps(
                [asdict(finding) for finding in findings], indent=2, ensure_ascii=False
            )
        )
        return
    coloured = sys.stdout.isatty()
    for finding in findings:
        print("\n".join(lines(finding, coloured)))
    print(summary(findings))


def lines(finding: Finding, coloured: bool) -> list[str]:
    """Return a finding as lines: what, and below it why and the commands."""
    label = finding.level.ljust(INDENT)
    if coloured:
        label = f"{COLOURS[finding.level]}{label}\033[0m"
    below = [*finding.why.splitlines(), *finding.commands]
    return [
        f"{label}{finding.where}: {finding.what}",
        *(" " * INDENT + line for line in below),
    ]


def summary(findings: list[Finding]) -> str:
    """Return the last line of the text."""
    count = sum(finding.level == WRONG for finding in findings)
    if count:
        return f"Something is wrong: {count} {'problem' if count == 1 else 'problems'} above."
    seen_all = all(finding.level != UNSEEN for finding in findings)
    return f"Nothing is wrong{'' if seen_all else ' that could be looked at'}."


def exit_status(findings: list[Finding]) -> int:
    return int(any(finding.level == WRONG for finding in findings))


def without_secrets(findings: list[Finding], env_file: Path) -> list[Finding]:
    """Return the findings without the secrets of .env, which what another program printed may contain."""
    variables = environment.read_file(env_file)
    hidden = [
        value
        for name, value in variables.items()
        if SECRET.search(name) and len(value) > 5
    ]
    hidden += re.findall(r"://[^:/@]*:([^@/]{4,})@", " ".join(hidden))
    hidden += [value.replace("$$", "$") for value in hidden if "$$" in value]
    hidden.sort(key=len, reverse=True)
    return [
        replace(
            finding,
            what=without(hidden, finding.what),
            why=without(hidden, finding.why),
        )
        for finding in findings
    ]


def without(hidden: list[str], text: str) -> str:
    for value in hidden:
        text = text.replace(value, "…")
    return text
