"""docker compose: what compose.prod.yaml says, and the commands that act on it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ops.process import run

FILE = "compose.prod.yaml"


@dataclass(frozen=True)
class Service:
    """A service of compose.prod.yaml, with everything from .env filled in."""

    name: str
    image: str
    built: bool  # from a Dockerfile of this project
    replicas: int
    # Service -> condition, without services that are not required.
    depends_on: Mapping[str, str]
    profiles: tuple[str, ...]
    volumes: frozenset[str]  # the names of the volumes that it mounts
    # The volumes and folders of this machine that it can write to.
    writable: frozenset[str]
    ports: tuple[str, ...]  # the ports of this machine that it publishes
    # In a network of Docker, or because it uses the network of this machine or of another container.
    has_fixed_address: bool
    volumes_from: tuple[str, ...]  # the services whose volumes it mounts too
    written_at_start: tuple[str, ...]  # configs and secrets that have no file
    environment: Mapping[str, str]
    restarts: bool  # False for a one-off service, which says restart: "no"
    order: str  # deploy.update_config.order: start-first, stop-first, or "" where it is not set
    container_name: str
    host_name: str
    # By Docker's names, and whether each has IPv6.
    networks: Mapping[str, bool] = field(default_factory=dict)

    @property
    def repository(self) -> str:
        """The image's name without its tag."""
        return split_image(self.image)[0]

    @property
    def tag(self) -> str:
        return split_image(self.image)[1]


def split_image(image: str) -> tuple[str, str]:
    """Return repository and tag of an image's name; the tag is latest where the name has none."""
    repository, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        return image, "latest"
    return repository, tag


def compose(*arguments: str, release: str = "latest", merge: bool = False) -> str:
    """Run docker compose for production, with RELEASE in its environment; return its stdout."""
    env = {**os.environ, "RELEASE": release}
    return run("docker", "compose", "--file", FILE, *arguments, env=env, merge=merge)


def read_configuration(file: str = FILE) -> dict:
    """Return all that `docker compose config` says, as a dict; services behind a profile too.

    With "" for the file, Compose chooses: compose.yaml, and compose.override.yaml where there is one.
    In values, Compose writes each $ twice. Raises CommandFailed when Compose cannot read a file.
    """
    options = ("--file", file) if file else ()
    return json.loads(
        run(
            "docker",
            "compose",
            *options,
            "--profile",
            "*",
            "config",
            "--format",
            "json",
        )
    )


def read_project(release: str) -> tuple[str, dict[str, Service]]:
    """Return the name of the stack, and all its services by name, those behind a profile too.

    Services whose image goes by RELEASE have `release` as their tag.
    """
    printed = compose("--profile", "*", "config", "--format", "json", release=release)
    project = json.loads(printed)
    services = project["services"].items()
    return project["name"], {
        name: service(name, said, project["name"], project) for name, said in services
    }


def service(name: str, said: dict, stack: str, project: dict | None = None) -> Service:
    """Make a Service of what `docker compose config` printed for one service, and for all of them."""
    deploy = said.get("deploy") or {}
    depends_on = said.get("depends_on") or {}
    # An anonymous volume has no source.
    mounts = [one for one in said.get("volumes") or () if one.get("source")]
    return Service(
        name=name,
        image=said.get("image") or f"{stack}-{name}",
        built="build" in said,
        replicas=next(
            int(n)
            for n in (said.get("scale"), deploy.get("replicas"), 1)
            if n is not None
        ),
        depends_on={
            on: how["condition"] for on, how in depends_on.items() if how["required"]
        },
        profiles=tuple(said.get("profiles") or ()),
        volumes=frozenset(one["source"] for one in mounts if one["type"] == "volume"),
        writable=frozenset(one["source"] for one in mounts if not one.get("read_only")),
        ports=tuple(str(port.get("published", "")) for port in said.get("ports") or ()),
        has_fixed_address=has_fixed_address(said),
        networks=networks(said, project or {}),
        volumes_from=tuple(one.split(":")[0] for one in said.get("volumes_from") or ()),
        written_at_start=written_at_start(said, project or {}),
        environment={
            key: value or "" for key, value in (said.get("environment") or {}).items()
        },
        restarts=said.get("restart") != "no",
        order=(deploy.get("update_config") or {}).get("order", ""),
        container_name=said.get("container_name", ""),
        host_name=said.get("hostname", ""),
    )


def networks(said: dict, project: dict) -> dict[str, bool]:
    """Return the networks of a service, by Docker's names for them, and whether each has IPv6."""
    listed = project.get("networks") or {}
    mine = [listed[name] for name in said.get("networks") or () if name in listed]
    return {
        one["name"]: bool(one.get("enable_ipv6"))
        for one in mine
        if not one.get("external")
    }


def has_fixed_address(said: dict) -> bool:
    """Whether a service has an address that a second container of it could not have."""
    networks = (said.get("networks") or {}).values()
    own = ("ipv4_address", "ipv6_address", "mac_address")
    fixed = any(
        network and any(network.get(key) for key in own) for network in networks
    )
    return fixed or bool(
        re.match("host|service:|container:", said.get("network_mode") or "")
    )


def written_at_start(said: dict, project: dict) -> tuple[str, ...]:
    """Return the configs and secrets of a service that come from the compose file or from a variable.

    Compose writes them into a container only when it starts it itself.
    """
    found = []
    for kind in ("configs", "secrets"):
        for one in said.get(kind) or ():
            source = (project.get(kind) or {}).get(one["source"]) or {}
            if "content" in source or "environment" in source:
                found.append(one["source"])
    return tuple(found)


def read_hashes() -> dict[str, str]:
    """Return what Compose makes of each service's configuration: a container has it as a label.

    A container with another one is not what the files say now.
    """
    printed = compose("--profile", "*", "config", "--hash", "*")
    return dict(line.split() for line in printed.splitlines())


def build(release: str, services: Sequence[str], revision: str, pull: bool) -> str:
    """Build the images of these services for the release, and return what the build printed."""
    arguments = [
        "--build-arg",
        f"REVISION={revision}",
        "--build-arg",
        f"RELEASE={release}",
    ]
    if pull:
        arguments.append("--pull")
    return compose("build", *arguments, *services, release=release, merge=True)


def create(counts: Mapping[str, int]) -> None:
    """Create containers until each service has that many; those that are there stay as they are.

    Services that these depend on get containers too, where they have none. Nothing is started.
    (`up --no-deps` would be shorter. Before Compose 2.27 what it makes is not what a plain `up` makes,
    which would then replace it.)
    """
    scale = [f"--scale={service}={count}" for service, count in counts.items()]
    compose(
        "create",
        "--no-build",
        "--no-recreate",
        "--pull",
        "never",
        *scale,
        *counts,
        merge=True,
    )


def run_once(release: str, service: str, *command: str) -> str:
    """Run a command in a new container of this service, and return what it printed on stdout."""
    options = ("--rm", "--no-deps", "--no-TTY")
    return compose("run", *options, service, *command, release=release)
