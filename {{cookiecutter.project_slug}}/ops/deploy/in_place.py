"""Replace services that cannot run twice: stop the old container, start the new one, or put the old one back."""

from __future__ import annotations

from ops import compose, docker
from ops.compose import Service
from ops.deploy.creating import new_containers
from ops.deploy.interruption import ignore_signals
from ops.deploy.planning import required_condition
from ops.deploy.retiring import keep_logs, retire
from ops.deploy.site import Site, look
from ops.deploy.waiting import wait
from ops.docker import Container


def replace_service(service: Service) -> None:
    """Replace the service's containers by new ones.

    When a new one does not become ready, or a signal comes, the old ones run again, and what happened is
    raised: NotReady, CommandFailed or Interrupted. A container with a fixed name cannot be put back.
    """
    site = look("latest")
    old = site.containers_of(service.name)
    if service.container_name:
        keep_logs(site.stack, old)
        recreate(site, service)
        return
    compose.create({service.name: len(old) + service.replicas})
    present = docker.containers(site.stack)
    fresh = [
        one for one in new_containers(site, present) if one.service == service.name
    ]
    try:
        docker.stop([one.id for one in old])
        start(site, fresh)
    except BaseException:
        ignore_signals()
        try:
            keep_logs(site.stack, fresh)
            docker.remove([one.id for one in fresh])
        finally:
            docker.start([one.id for one in old])
        raise
    retire(site.stack, old)


def start(site: Site, fresh: list[Container]) -> None:
    """Start these containers and wait until they are ready. Raises NotReady."""
    docker.start([one.id for one in fresh])
    wait({one.id: required_condition(site.services, one.service) for one in fresh})


def recreate(site: Site, service: Service) -> None:
    """Let Compose replace a container that has a fixed name, so that there is never a second one."""
    options = (
        "--detach",
        "--no-deps",
        "--no-build",
        "--force-recreate",
        "--pull",
        "never",
    )
    compose.compose("up", *options, service.name, merge=True)
    present = docker.containers(site.stack)
    start(
        site, [one for one in present if one.service == service.name and not one.oneoff]
    )
