"""Start the new containers of a deploy in the order of their dependencies."""

from __future__ import annotations

from collections.abc import Iterable

from ops import docker
from ops.deploy.deployment import Deployment
from ops.deploy.planning import dependencies, required_condition, start_order
from ops.deploy.site import STEPS_OF_A_DEPLOY, Site
from ops.deploy.waiting import wait
from ops.docker import Container


def start_dependencies(deployment: Deployment) -> None:
    """Start what the new release needs for its migrations, such as the database, where it does not run.

    Services of the app's own image come later: they need the migrations.
    """
    services = deployment.site.services
    needed = dependencies(services, "app") | dependencies(services, "release")
    start_groups(
        deployment,
        [
            name
            for name in needed
            if services[name].repository != deployment.site.app.repository
        ],
    )


def start_new(deployment: Deployment) -> None:
    """Start the new containers, and what they depend on. Raises NotReady.

    Each group of services is ready before those that depend on it start.
    """
    services = deployment.site.services
    names = {one.service for one in deployment.fresh}
    for service in list(names):
        names |= dependencies(services, service)
    start_groups(deployment, names)


def start_groups(deployment: Deployment, names: Iterable[str]) -> None:
    """Start the containers of these services, group by group, and wait until each group is ready."""
    site = deployment.site
    for group in start_order(site.services, set(names) - {*STEPS_OF_A_DEPLOY}):
        fresh = [one for service in group for one in deployment.fresh_of(service)]
        with_fresh_ones = {one.service for one in fresh}
        present = [
            one
            for service in group
            if service not in with_fresh_ones
            for one in site.containers_of(service)
        ]
        to_start = [one for one in present if is_stopped(site, one)] + fresh
        if to_start:
            docker.start([one.id for one in to_start])
        if present:
            wait(conditions_of(site, present), fresh=False)
        if fresh:
            wait(conditions_of(site, fresh))


def is_stopped(site: Site, container: Container) -> bool:
    """Whether the container should run and does not; a one-off that has ended well should not."""
    if container.state not in ("created", "exited"):
        return False
    ended_well = container.state == "exited" and container.exit_code == 0
    return site.services[container.service].restarts or not ended_well


def conditions_of(site: Site, containers: list[Container]) -> dict[str, str]:
    return {
        one.id: required_condition(site.services, one.service) for one in containers
    }


def settle(deployment: Deployment) -> None:
    """Make sure that the new containers are still ready. Raises NotReady."""
    wait(conditions_of(deployment.site, deployment.fresh))
