"""Bake in this process, in a tenth of the time: cookiecutter's own way from the answers to the files.

Hooks run here too, instead of in a Python of their own, and what no answer changes is found out once:
the code that jinja makes of a file, which files are text, and the list of time zones. test_hostile.py
compares what comes of it with what the command makes.
"""

import functools
import runpy
import zoneinfo
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import jinja2
from cookiecutter import generate, hooks, prompt
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter

from tests.helpers.matrix import ROOT


@dataclass(frozen=True)
class Outcome:
    """What came of a bake: a project, or what the hook said."""

    project: Path | None
    said: str


def run_hook(script: str, cwd: str) -> None:
    with chdir(cwd):
        try:
            runpy.run_path(script)
        except SystemExit as refusal:
            raise FailedHookException(refusal.code) from refusal
        except Exception as mistake:  # which ends a Python of its own, and so the bake
            raise FailedHookException(f"{type(mistake).__name__}: {mistake}") from mistake
        finally:
            Path(script).unlink()


compile_template = jinja2.Environment.compile
is_binary = functools.cache(generate.is_binary)
time_zones = functools.cache(zoneinfo.available_timezones)
compiled = {}


def compile_once(environment, source, name=None, filename=None):
    # All environments are alike: each is made of the same cookiecutter.json.
    key = (source, name, filename)
    if key not in compiled:
        compiled[key] = compile_template(environment, source, name, filename)
    return compiled[key]


def bake(output: Path, *, typed: dict | None = None, template: Path = ROOT, **how) -> Outcome:
    """Bake into the folder `output`, with what a person typed at the prompts, or as `how` says."""
    output.mkdir(exist_ok=True)
    config = output.parent / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {output.parent}/replay\n")
    typed = typed or {}
    changes = [
        patch.object(hooks.logger, "disabled", True),
        patch.object(hooks, "run_script", run_hook),
        patch.object(generate, "is_binary", is_binary),
        patch.object(jinja2.Environment, "compile", compile_once),
        patch.object(zoneinfo, "available_timezones", time_zones),
        patch.object(prompt, "read_user_variable", lambda name, given, *_: typed.get(name, given)),
        patch.object(prompt, "read_user_choice", lambda name, given, *_: typed.get(name, given[0])),
        patch.object(prompt, "read_user_yes_no", lambda name, given, *_: typed.get(name, given)),
    ]
    with ExitStack() as stack:
        for change in changes:
            stack.enter_context(change)
        try:
            made = cookiecutter(
                str(template), output_dir=str(output), config_file=str(config), **how
            )
        except FailedHookException as refusal:
            return Outcome(None, str(refusal))
    return Outcome(Path(made), "")
