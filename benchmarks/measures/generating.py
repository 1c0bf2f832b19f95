"""Seconds to generate a project, beside a template with nothing in it."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.contenders import ROOT, cookiecutter
from benchmarks.figures import in_turn
from benchmarks.plan import Plan


def seconds(template: Path) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        begun = time.monotonic()
        cookiecutter(template, Path(scratch))
        return time.monotonic() - begun


def measure(scratch: Path, plan: Plan, say: Callable[[str], None]) -> list[dict]:
    """Return the seconds of this template and of an empty one."""
    empty = scratch / "empty-template"
    (empty / "{{cookiecutter.project_slug}}").mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", empty / "{{cookiecutter.project_slug}}")
    (empty / "cookiecutter.json").write_text('{"project_slug": "empty"}\n')
    measures = {"ours": lambda: seconds(ROOT), "empty template": lambda: seconds(empty)}
    return [
        {"template": name, "seconds": [*figure.values]}
        for name, figure in in_turn(measures, plan.starts, say).items()
    ]
