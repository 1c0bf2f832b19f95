"""What a deploy tells the person who runs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ops import reasons
from ops.deploy.nginx import NginxFailed
from ops.deploy.site import Refused
from ops.deploy.waiting import NotReady
from ops.process import CommandFailed

LOG_LINES = 20


class StepFailed(Exception):
    """A step of a deploy failed. `reason` is one line; `details` is what else was printed."""

    def __init__(self, step: str, reason: str, details: str = ""):
        super().__init__(f"{step} failed: {reason}")
        self.step = step
        self.reason = reason
        self.details = details


def say(text: str = "") -> None:
    """Print a line at once. Raises BrokenPipeError when nobody reads it any more."""
    print(text, flush=True)


def say_if_possible(text: str = "") -> None:
    """Print a line, or nothing when nobody reads it any more: going back must not end by that."""
    with suppress(OSError, ValueError):
        print(text, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the step's name, then its seconds; raise StepFailed with the reason when it fails."""
    print(f"  {name:<40}", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except CommandFailed as failed:
        raise failed_step(name, failed.output) from failed
    except NotReady as failed:
        raise not_ready_step(name, failed) from failed
    except (NginxFailed, Refused, OSError) as failed:
        if isinstance(failed, BrokenPipeError):
            raise
        raise StepFailed(name, str(failed)) from failed
    say(f"{time.monotonic() - began:6.1f} s")


def failed_step(name: str, output: str) -> StepFailed:
    """Make a StepFailed of what a program printed."""
    return StepFailed(name, reasons.reason(output), reasons.rest(output, LOG_LINES))


def not_ready_step(name: str, failed: NotReady) -> StepFailed:
    """Make a StepFailed of a container that did not become ready, with the last lines of its log."""
    cause = reasons.reason(failed.log) if failed.log.strip() else ""
    reason = f"{failed}: {cause}" if cause else str(failed)
    return StepFailed(name, reason, reasons.rest(failed.log, LOG_LINES))


def explain(failed: StepFailed) -> None:
    """Print why a step failed: the reason first, the rest of the output below it."""
    say_if_possible("failed\n")
    say_if_possible(str(failed))
    for line in failed.details.splitlines():
        say_if_possible(f"    {line}")
