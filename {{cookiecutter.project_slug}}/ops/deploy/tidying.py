"""Remove what a deploy that was killed left behind."""

from __future__ import annotations

from collections.abc import Collection

from ops.compose import Service
from ops.deploy import links, nginx
from ops.deploy.deployment import publish_files
from ops.deploy.releases import let_up_start
from ops.deploy.retiring import retire
from ops.deploy.site import STEPS_OF_A_DEPLOY, Site, running_nginx
from ops.docker import Container


def leftovers(
    site: Site, hosts: Collection[str], serving: list[Container], old: str
) -> list[Container]:
    """Return the containers that a killed deploy made, or did not get to remove.

    `hosts` are the host names behind the links, `old` is the release that serves.

    These are containers of the app that neither serve nor have a link; containers of other services
    beyond the number that the service has; and one-off containers of a deploy that never started.
    """
    found = [
        one
        for one in site.containers
        if one.oneoff and one.state == "created" and one.service in STEPS_OF_A_DEPLOY
    ]
    kept = {
        one.id for one in serving
    }  # not the containers themselves: their status changes
    for one in site.containers_of("app"):
        if one.id not in kept and one.host_name not in hosts:
            found.append(one)
    for service in site.services.values():
        if service.name != "app" and site.active(service):
            found += surplus(site, service, old)
    return found


def surplus(site: Site, service: Service, old: str) -> list[Container]:
    """Return the containers that a service has too many of, those that do not fit the release first."""
    present = site.containers_of(service.name)
    extra = len(present) - service.replicas
    # Containers that are all alike are not of two releases: somebody has changed their number.
    if extra <= 0 or len({(one.image, one.config_hash) for one in present}) == 1:
        return []
    image = site.image_id(f"{service.repository}:{old}")

    def fits(one: Container) -> tuple[bool, bool]:
        return bool(image) and one.image == image, one.running

    return sorted(present, key=fits)[:extra]


def tidy_up(
    site: Site, old: str, serving: list[Container], left: list[Container]
) -> None:
    """Bring images, configuration, static files and links back to the release that serves; then remove."""
    let_up_start(site, old)
    publish_files(old)
    links.point(serving[0].id, [one.host_name for one in serving])
    proxy = running_nginx(site)
    nginx.install(old)
    nginx.reload(proxy.id)
    hosts = [one.host_name for one in left if one.service == "app"]
    links.drain(hosts, lambda: nginx.read_table(proxy.id))
    retire(site.stack, left)
