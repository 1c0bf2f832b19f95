"""Take containers out of service for good."""

from __future__ import annotations

from ops import archive, docker, environment
from ops.deploy.report import say_if_possible
from ops.deploy.site import state_folder
from ops.docker import Container


def retire(stack: str, containers: list[Container]) -> None:
    """Stop containers, keep their logs for bin/logs, then remove them."""
    if not containers:
        return
    docker.stop([one.id for one in containers])
    keep_logs(stack, containers)
    docker.remove([one.id for one in containers])


def keep_logs(stack: str, containers: list[Container]) -> None:
    """Save the logs of containers; when that fails, as on a full disk, the deploy goes on without them."""
    folder = state_folder(stack)
    try:
        notes = archive.save(folder, containers)
        archive.prune(folder, *archive.limits(environment.read()))
    except (archive.ArchiveFailed, environment.BadVariable) as failed:
        notes = [str(failed)]
    for note in notes:
        say_if_possible(f"\n    {note}")
