"""Wait until containers that were started are ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from ops import docker
from ops.docker import Condition
from ops.process import CommandFailed

STARTED, HEALTHY, COMPLETED = (
    "service_started",
    "service_healthy",
    "service_completed_successfully",
)
# Seconds. A program that ends at its start, such as a worker with a wrong import, has ended by then.
SETTLED = 3
PAUSE = 0.2
LOG_LINES = 20


class NotReady(Exception):
    """A container did not become ready. The text says which one and why; `log` is the end of its log."""

    def __init__(self, text: str, log: str):
        super().__init__(text)
        self.log = log


def not_ready(container: str, text: str) -> NotReady:
    """Return the exception for this container (its ID), with its log: it may be removed before that is printed."""
    try:
        return NotReady(text, docker.logs(container, LOG_LINES))
    except CommandFailed:
        return NotReady(text, "")


def wait(wanted: Mapping[str, str], fresh: bool = True) -> None:
    """Wait until each container (by its ID) meets its condition.

    The conditions are those of Compose's depends_on. One that has to be started only must also run for
    SETTLED seconds, and not be in the middle of a first health check.

    `fresh` containers were just created, so that one that was restarted has failed already. A health
    check fails by itself, after the time that the service gives it; a one-off may take as long as it
    likes. Raises NotReady for the first container that fails.
    """
    while True:
        unready = False
        for seen in docker.conditions(list(wanted)):
            reason = failure(seen, wanted[seen.id], fresh)
            if reason:
                raise not_ready(seen.id, f"{seen.name} {reason}")
            if not ready(seen, wanted[seen.id], seconds_since(seen.started)):
                unready = True
        if not unready:
            return
        time.sleep(PAUSE)


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until `holds()` is true. Raises TimeoutError after that many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing changed in {seconds} seconds")
        time.sleep(PAUSE)


def failure(seen: Condition, wanted: str, fresh: bool) -> str:
    """Return why the container cannot meet the condition any more, or "" while it can."""
    if seen.error:
        return f"cannot be started: {seen.error}"
    if wanted == COMPLETED and seen.state == "exited" and seen.exit_code == 0:
        return ""  # its health does not count: Docker calls a container that has ended unhealthy
    if seen.state == "paused":
        return f"is paused; run: docker unpause {seen.name}"
    if (
        seen.state in ("exited", "dead")
        or seen.state == "restarting"
        or (fresh and seen.restarts)
    ):
        memory = ", because it ran out of memory" if seen.out_of_memory else ""
        if seen.state == "running":  # it has no exit status any more
            return f"ended and was restarted{memory}"
        return f"ended with exit status {seen.exit_code}{memory}"
    if seen.health == "unhealthy":
        return f"is unhealthy: {seen.probe or 'its health check fails'}"
    return ""


def ready(seen: Condition, wanted: str, seconds: float) -> bool:
    """Whether the container, which was started that many seconds ago, meets the condition."""
    if wanted == COMPLETED:
        return seen.state == "exited"
    if seen.state != "running":
        return False
    if wanted == HEALTHY and seen.health:
        return seen.health == "healthy"
    return seen.health != "starting" and seconds >= SETTLED


def seconds_since(moment: str) -> float:
    """Return the seconds since a moment in Docker's form, such as 2026-11-26T15:45:53.905989402Z."""
    began = datetime.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S").replace(
        tzinfo=timezone.utc
    )
    return (datetime.now(timezone.utc) - began).total_seconds()
