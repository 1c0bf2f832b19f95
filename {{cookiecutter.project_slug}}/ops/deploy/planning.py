"""Decide what a deploy does with each service: nothing here talks to Docker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ops.compose import Service
from ops.deploy import releases
from ops.deploy.site import STEPS_OF_A_DEPLOY, Site
from ops.deploy.waiting import COMPLETED, HEALTHY, STARTED
from ops.docker import Container

# The site is away while one of these restarts, so a person has to agree.
NOTICED = ("nginx", "postgres")


@dataclass(frozen=True)
class Plan:
    """What happens to the services that are not as the files and the release want them.

    Those in neither list stay as they are.
    """

    beside: tuple[Service, ...]  # start next to the old container, before requests move
    # The old container is stopped first, after requests have moved.
    in_place: tuple[Service, ...]


def plan(site: Site, release: str) -> Plan:
    """Decide for each service. The app is always replaced, and services that are new start beside it."""
    beside, in_place = [site.app], []
    for service in site.services.values():
        if service.name in ("app", *STEPS_OF_A_DEPLOY) or not site.active(service):
            continue
        present = site.containers_of(service.name)
        if not service.replicas or not changed(site, service, release):
            continue
        once = not service.restarts and not service.container_name
        if not present or once or runs_twice(site, service):
            beside.append(service)
        elif needs_consent(site, service) and is_unchanged(site, service, release):
            continue  # it is stopped: starting.py starts it
        else:
            in_place.append(service)
    return Plan(tuple(beside), tuple(in_place))


def wanted_image(site: Site, service: Service, release: str) -> str:
    """The ID of the image that the service has in this release."""
    built = site.image_id(f"{service.repository}:{release}")
    if service.repository in releases.repositories(site) and built:
        return built
    return site.image_id(service.image)


def changed(site: Site, service: Service, release: str) -> bool:
    """Whether a container of the service is missing, does not run, or is not what it is in this release."""
    present = site.containers_of(service.name)
    return not is_unchanged(site, service, release) or not all(
        is_as_it_should_be(one, service) for one in present
    )


def is_unchanged(site: Site, service: Service, release: str) -> bool:
    """Whether the service has all its containers, and they are what they are in this release."""
    present = site.containers_of(service.name)
    wanted = (site.hashes.get(service.name), wanted_image(site, service, release))
    return len(present) == service.replicas and all(
        (one.config_hash, one.image) == wanted for one in present
    )


def is_as_it_should_be(container: Container, service: Service) -> bool:
    """Whether the container is up, paused or restarting, or has ended well where it should end."""
    if service.restarts:
        return container.state in ("running", "paused", "restarting")
    return container.running or (
        container.state == "exited" and container.exit_code == 0
    )


def nginx_may_change(site: Site, release: str) -> bool:
    """Whether the configuration of nginx can be another one in this release.

    It is made by the one-off service nginx-config of its image and its variables.
    """
    return changed(site, site.services["nginx-config"], release)


def runs_twice(site: Site, service: Service) -> bool:
    """Whether a new container of the service can run next to an old one.

    The owner's word counts first: deploy.update_config.order in compose.prod.yaml. Else services that
    are built from this project's code can, unless they have something that only one can have.
    """
    if (
        service.ports
        or service.container_name
        or service.host_name
        or service.has_fixed_address
    ):
        return False
    if service.order:
        return service.order == "start-first"
    own_data = service.writable - site.app.writable
    return service.repository in releases.repositories(site) and not own_data


def dependencies(services: Mapping[str, Service], name: str) -> set[str]:
    """Return all services that this one depends on, directly or through others."""
    found: set[str] = set()
    unseen = list(services[name].depends_on)
    while unseen:
        dependency = unseen.pop()
        if dependency not in found and dependency in services:
            found.add(dependency)
            unseen += services[dependency].depends_on
    return found


def needs_consent(site: Site, service: Service) -> bool:
    """Whether users may notice that the service restarts."""
    return service.name in NOTICED or service.name in dependencies(site.services, "app")


def start_order(
    services: Mapping[str, Service], names: Iterable[str]
) -> list[list[str]]:
    """Return these services in groups: each depends only on services of the groups before it.

    A circle, which Compose refuses, ends up in one group.
    """
    left = set(names)
    groups = []
    while left:
        group = {
            name for name in left if not dependencies(services, name) & left - {name}
        }
        group = group or left
        groups.append(sorted(group))
        left -= group
    return groups


def required_condition(services: Mapping[str, Service], name: str) -> str:
    """Return what has to be true of a service before those that depend on it start."""
    if name == "app":
        return HEALTHY
    asked = {other.depends_on.get(name) for other in services.values()}
    if COMPLETED in asked or not services[name].restarts:
        return COMPLETED
    return HEALTHY if HEALTHY in asked else STARTED
