"""The production stack: what its files say and what runs, looked at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ops import compose, docker, environment
from ops.compose import Service
from ops.docker import Container, Image
from ops.process import CommandFailed, side_by_side

# Services that this project brings, and that a deploy runs by itself.
STEPS_OF_A_DEPLOY = ("check", "release", "nginx-config")
SOCKETS = "sockets"
OF_SOCKETS = ("app", "nginx", "release")  # the services that mount it


class Refused(Exception):
    """Why a command cannot begin, or go on, in one sentence."""


@dataclass(frozen=True)
class Site:
    """What was seen of the production stack at one moment."""

    stack: str
    services: dict[str, Service]
    hashes: dict[str, str]  # service -> what Compose makes of its configuration
    containers: list[Container]
    images: list[Image]

    @property
    def app(self) -> Service:
        return self.services["app"]

    def containers_of(self, service: str) -> list[Container]:
        """The service's containers, running or not, without those of `docker compose run`."""
        return [
            one for one in self.containers if one.service == service and not one.oneoff
        ]

    def image_id(self, name: str) -> str:
        """The ID of the image with this name, or "" when it is not on this machine."""
        repository, tag = compose.split_image(name)
        found = [
            one.id
            for one in self.images
            if (one.repository, one.tag) == (repository, tag)
        ]
        return found[0] if found else ""

    def active(self, service: Service) -> bool:
        """Whether a plain `up` starts the service, or somebody started it by its profile."""
        return not service.profiles or any(
            one.running for one in self.containers_of(service.name)
        )


def look(release: str) -> Site:
    """Look at the files, the containers and the images of the site. Raises Refused, as its two halves."""
    return look_at_docker(look_at_files(release))


def look_at_files(release: str) -> Site:
    """Return the site as its files describe it, without containers and images.

    In the services, images that go by RELEASE have `release` as their tag.
    Raises Refused when Compose cannot read the files.
    """
    try:
        (stack, services), hashes = side_by_side(
            lambda: compose.read_project(release), compose.read_hashes
        )
    except CommandFailed as failed:
        raise Refused(
            f"Docker Compose cannot read {compose.FILE} or .env: {last_line(failed)}"
        ) from failed
    return Site(stack, services, hashes, [], [])


def look_at_docker(site: Site) -> Site:
    """Return the same site with its containers and images. Raises Refused when Docker does not respond."""
    try:
        containers, images = side_by_side(
            lambda: docker.containers(site.stack), lambda: read_images(site.services)
        )
    except CommandFailed as failed:
        raise Refused(
            f"Docker does not respond: {last_line(failed)} bin/doctor says more."
        ) from failed
    return replace(site, containers=containers, images=images)


def read_images(services: Mapping[str, Service]) -> list[Image]:
    """Return the images on this machine, also those that a service calls by a digest or a registry.

    `docker image ls` does not list these names.
    """
    images = docker.images()
    listed = {one.name for one in images}
    built = {service.repository for service in services.values() if service.built}
    names = {one.image for one in services.values() if one.repository not in built}
    for name in sorted(names):
        repository, tag = compose.split_image(name)
        if f"{repository}:{tag}" not in listed:
            images += docker.find_image(repository, tag)
    return images


def last_line(failed: CommandFailed) -> str:
    """The last line that a failed program printed, with a full stop at its end."""
    lines = [line.strip() for line in failed.output.splitlines() if line.strip()]
    return f"{lines[-1].rstrip('.')}." if lines else f"{failed}."


def refuse_what_cannot_be_deployed(site: Site) -> None:
    """Raise Refused for a stack that the links between nginx and the app cannot serve."""
    name = environment.read().get("STACK_NAME", "")
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise Refused(
            f"STACK_NAME is {name!r}. Use lower-case letters, digits, - and _ only."
        )
    if site.app.repository != site.stack:
        raise Refused(
            f"Compose calls this stack {site.stack}, but its image is called {site.app.repository}. Name"
            " the stack by STACK_NAME in .env, not by COMPOSE_PROJECT_NAME or --project-name."
        )
    if site.app.replicas < 1:
        raise Refused("APP_COPIES must be 1 or more.")
    if site.app.host_name or site.app.container_name or site.app.has_fixed_address:
        raise Refused(
            "The service app has a fixed hostname, container_name or address in compose.prod.yaml. Remove it: the"
            " old and the new container run side by side, and their sockets are named by their host names."
        )
    for service in site.services.values():
        if service.written_at_start:
            raise Refused(
                f"The service {service.name} has {service.written_at_start[0]}, a config or secret without a"
                " file. Only a plain `up` writes it into the container, and a deploy does not: use file:."
            )
        mounts = SOCKETS in service.volumes or {*service.volumes_from} & {*OF_SOCKETS}
        if mounts and service.name not in OF_SOCKETS:
            raise Refused(
                f"The service {service.name} mounts the volume {SOCKETS}. Only app and nginx may have it:"
                " another service could take over the requests of the site."
            )


def refuse_another_network(site: Site) -> None:
    """Raise Refused when Compose would make a network anew, for which it stops all containers in it.

    Asks Docker only when nginx has changed: it has DUAL_STACK as a label.
    """
    proxy = running_nginx(site)
    if not proxy or proxy.config_hash == site.hashes.get("nginx"):
        return
    present = docker.networks(site.stack)
    for service in site.services.values():
        for name, ipv6 in service.networks.items():
            if present.get(name, ipv6) != ipv6:
                raise Refused(
                    f"The network {name} must be made anew, {'with' if ipv6 else 'without'} IPv6: the site is"
                    " unavailable for about half a minute. Nothing was changed. To do it now, run:"
                    f" docker compose -f {compose.FILE} up -d --build --wait"
                )


def running_nginx(site: Site) -> Container | None:
    """Return nginx's container when it runs."""
    return next((one for one in site.containers_of("nginx") if one.running), None)


def refuse_windows_line_endings(env: Path) -> None:
    """Raise Refused when .env has them: they would become a part of each value."""
    try:
        text = env.read_bytes() if env.exists() else b""
    except PermissionError as error:
        raise Refused(
            f"You may not read .env, which belongs to {env.owner()}."
        ) from error
    if b"\r" in text:
        raise Refused(
            ".env has Windows line endings. Remove them: sed -i 's/\\r$//' .env"
        )


def state_folder(stack: str) -> Path:
    """Where this site's history and the logs of removed containers are, in the project's folder."""
    return Path("var") / stack
