"""Seconds of a build: with nothing in the cache, after a changed line, and with one more package."""

import re
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.contenders import build
from benchmarks.figures import in_turn
from benchmarks.plan import Plan
from tests.helpers.stack import Stack

# A package of one file.
PACKAGE = """
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5853947aa0d5fe1feb0f61b6d2f0de0fe4d6d7a7b5 \\
    --hash=sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81
"""
MOUNT = re.compile(r"type=cache,(?:id=[^,]+,)?target=([^, ]+)")
numbers = count(1)


def empty_caches(dockerfile: Path) -> None:
    """Let the next build find no packages and no layer: give its cache mounts new names."""
    fresh = f"benchmark-{time.time_ns()}"
    text = MOUNT.sub(rf"type=cache,id={fresh}\1,target=\1", dockerfile.read_text())
    dockerfile.write_text(text)


def seconds_of_build(stack: Stack) -> float:
    begun = time.monotonic()
    build(stack)
    return time.monotonic() - begun


def measure(
    stacks: dict[str, tuple[Stack, str, str]], plan: Plan, say: Callable[[str], None]
) -> list[dict]:
    """Return the seconds of each kind of build of each stack.

    A stack comes with its Dockerfile, and with a file of Python in which a line is changed.
    """
    measures = {}
    for name, (stack, dockerfile, source) in stacks.items():
        measures[name, "cold"] = lambda s=stack, d=dockerfile: cold(s, s.path / d)
        measures[name, "a changed line"] = lambda s=stack, f=source: changed(s, s.path / f)
        measures[name, "one more package"] = lambda s=stack: one_more_package(s)
    figures = in_turn(measures, plan.builds, say)
    return [
        {"contender": name, "build": kind, "seconds": [*figure.values]}
        for (name, kind), figure in figures.items()
    ]


def cold(stack: Stack, dockerfile: Path) -> float:
    remove_package(stack.path / "requirements.txt")
    empty_caches(dockerfile)
    return seconds_of_build(stack)


def changed(stack: Stack, source: Path) -> float:
    with source.open("a") as file:
        file.write(f"# change {next(numbers)}\n")
    return seconds_of_build(stack)


def one_more_package(stack: Stack) -> float:
    with (stack.path / "requirements.txt").open("a") as file:
        file.write(PACKAGE)
    return seconds_of_build(stack)


def remove_package(requirements: Path) -> None:
    requirements.write_text(requirements.read_text().replace(PACKAGE, ""))
