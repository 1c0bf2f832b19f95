"""Take containers out of service for good."""

from __future__ import annotations

from ops import archive, docker
from ops.deploy.report import say_if_possible
from ops.deploy.site import state_folder
from ops.docker import Container


def retire(stack: str, containers: list[Container]) -> None:
    """Stop containers, keep their logs for bin/logs, then remove them."""
    if not containers:
        return
    docker.stop([one.id for one in containers])
    try:
        archive.save(state_folder(stack), containers)
    except archive.ArchiveFailed as failed:
        say_if_possible(f"    The logs of removed containers are lost: {failed}")
    docker.remove([one.id for one in containers])
