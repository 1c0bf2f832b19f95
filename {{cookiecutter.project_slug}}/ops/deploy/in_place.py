"""Replace services that cannot run twice: stop the old container, start the new one, or put the old one back."""

from __future__ import annotations

from ops import compose, docker
from ops.compose import Service
from ops.deploy.deployment import new_containers
from ops.deploy.planning import condition_for
from ops.deploy.retiring import retire
from ops.deploy.site import Site, look
from ops.deploy.waiting import NotReady, wait
from ops.docker import Container
from ops.process import CommandFailed


def replace_service(service: Service) -> None:
    """Replace the service's containers by new ones.

    Raises NotReady or CommandFailed when a new one does not become ready; the old ones run again then.
    """
    site = look("latest")
    old = site.containers_of(service.name)
    if service.container_name:
        recreate(site, service)
        return
    compose.create({service.name: len(old) + service.replicas})
    fresh = [one for one in new_containers(site) if one.service == service.name]
    try:
        docker.stop([one.id for one in old])
        start(site, fresh)
    except (NotReady, CommandFailed):
        docker.remove([one.id for one in fresh])
        docker.start([one.id for one in old])
        raise
    retire(site.stack, old)


def start(site: Site, fresh: list[Container]) -> None:
    docker.start([one.id for one in fresh])
    wait({one.id: condition_for(site.services, one.service) for one in fresh})


def recreate(site: Site, service: Service) -> None:
    """Let Compose replace a container that has a fixed name, so that there is never a second one."""
    options = ("--detach", "--no-deps", "--no-build", "--force-recreate", "--pull", "never")
    compose.compose("up", *options, service.name, merge=True)
    start(site, [one for one in docker.containers(site.stack) if one.service == service.name])
