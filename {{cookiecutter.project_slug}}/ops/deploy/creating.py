"""Create the containers of a new release next to those that serve."""

from __future__ import annotations

from ops import compose, docker
from ops.deploy import links
from ops.deploy.deployment import Deployment, see_images
from ops.deploy.releases import let_up_start
from ops.deploy.retiring import keep_logs
from ops.deploy.site import STEPS_OF_A_DEPLOY, Site
from ops.docker import Container


def create(deployment: Deployment) -> None:
    """Create the containers of the new release, next to the old ones."""
    site = deployment.site
    deployment.undo_by("images", lambda: let_up_start(see_images(site), deployment.old))
    deployment.undo_by("new containers", lambda: remove_new(deployment))
    let_up_start(site, deployment.new)
    counts = {
        service.name: len(site.containers_of(service.name)) + service.replicas
        for service in deployment.plan.beside
    }
    compose.create(counts)
    present = docker.containers(site.stack)
    deployment.fresh = new_containers(site, present)
    # Compose makes these where they are missing, as dependencies. A deploy runs them in its own way.
    needless = [
        one
        for one in present
        if one.state == "created" and one.service in STEPS_OF_A_DEPLOY
    ]
    docker.remove([one.id for one in needless if not one.oneoff])


def new_containers(site: Site, present: list[Container]) -> list[Container]:
    """Return those of the present containers that were not there when `site` was seen.

    Without those of services that a deploy runs itself, and of `docker compose run`.
    """
    known = {one.id for one in site.containers}
    return [
        one
        for one in present
        if one.id not in known
        and not one.oneoff
        and one.service not in STEPS_OF_A_DEPLOY
    ]


def remove_new(deployment: Deployment) -> None:
    """Remove the containers that this deploy made, also when it was interrupted while it made them.

    bin/logs still finds what they logged.

    One that still gets requests stays: the links could not be put back.
    """
    present = docker.containers(deployment.site.stack)
    linked = linked_hosts(present)
    fresh = [
        one
        for one in new_containers(deployment.site, present)
        if one.host_name not in linked
    ]
    keep_logs(deployment.site.stack, fresh)
    docker.remove([one.id for one in fresh])


def linked_hosts(present: list[Container]) -> set[str]:
    """Return the host names behind the links now, asked in any container of the app that runs."""
    for one in reversed(present):  # the oldest first: a new one may be restarting
        if one.service == "app" and one.running and not one.oneoff:
            return set((links.show(one.id) or {}).values())
    return set()
