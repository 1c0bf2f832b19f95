"""What serves now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ops.deploy import links
from ops.deploy.site import SOCKETS, Site, running_nginx
from ops.docker import Container


@dataclass(frozen=True)
class Current:
    """What serves now."""

    image: str = ""  # its ID; "" when nothing serves
    # Empty for a site without links.
    containers: list[Container] = field(default_factory=list)
    # link -> host name. Empty when no deploy was killed: then nobody has to be asked.
    links: dict[str, str] = field(default_factory=dict)

    @property
    def has_links(self) -> bool:
        """Whether what serves was started by a version of this project that has links."""
        return bool(self.containers)


def find_current(site: Site) -> Current:
    """Return what serves. Raises CommandFailed when a container of the app does not respond."""
    app = next((one for one in site.containers_of("app") if one.running), None)
    if not app or not running_nginx(site):
        return Current()
    if all_serve(site):
        return Current(app.image, site.containers_of("app"))
    shown = links.show(app.id)
    if shown is None:
        return Current(app.image)
    serving = serving_containers(site, shown.values())
    return Current(serving[0].image, serving, shown) if serving else Current()


def all_serve(site: Site) -> bool:
    """Whether the containers of the app are those of one release, as many as it should have, and all run.

    Whichever of them the links point to, they get the requests. nginx must have the volume with the links.
    """
    apps = site.containers_of("app")
    alike = {(one.image, one.config_hash) for one in apps}
    proxy = running_nginx(site)
    return (
        len(alike) == 1
        and len(apps) <= site.app.replicas
        and all(one.running for one in apps)
        and proxy is not None
        and f"{site.stack}_{SOCKETS}" in proxy.volumes
    )


def serving_containers(site: Site, hosts: Collection[str]) -> list[Container]:
    """Return the running containers of the app that get requests, and running ones just like them."""
    running = [one for one in site.containers_of("app") if one.running]
    linked = [one for one in running if one.host_name in hosts]
    same = {(one.image, one.config_hash) for one in linked}
    return [one for one in running if (one.image, one.config_hash) in same]
