"""The ports of this machine that a stack publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.doctor.files import text_of
from ops.doctor.findings import Finding, ok, unseen, wrong
from ops.doctor.seen import Configuration, Machine, Stack

TAKEN = ("already in use", "already allocated")
# The ports in containers: the reverse proxy's for HTTPS and HTTP, the app's. An owner's service may use
# one of them too; the variables tell them apart.
HTTPS = 8443
TARGETS = (HTTPS, 8080, 8000)
VARIABLES = tuple(f"{name}_PORT" for name in ("HTTPS", "HTTP", "APP"))
FREE = "free"  # what a trial returns for a port that is free
NOT_TRIED = ""


@dataclass(frozen=True)
class Port:
    """A port of this machine that a service publishes."""

    number: int
    address: str  # of this machine; "" for all of them
    target: int  # in the container
    service: str
    variable: str  # of .env, that sets it; "" where none does


def ports_of(configuration: Configuration) -> list[Port]:
    """Return the TCP ports that the services of a stack publish, without those behind a profile."""
    return list(find_ports(configuration, variables_of_ports(configuration.stack)))


def port_of_site(configuration: Configuration) -> Port | None:
    """Return the port at which browsers reach the site: of the reverse proxy, else of the app."""
    found = [port for port in ports_of(configuration) if port.target in TARGETS]

    def rank(port: Port) -> tuple[bool, int]:
        return port.variable not in VARIABLES, TARGETS.index(port.target)

    return min(found, key=rank, default=None)


def find_ports(
    configuration: Configuration, variables: dict[int, str]
) -> Iterator[Port]:
    for name, said in configuration.said["services"].items():
        if said.get("profiles"):
            continue
        for port in said.get("ports") or ():
            published = str(port.get("published", ""))
            if published.isdigit() and port.get("protocol", "tcp") == "tcp":
                target = port["target"]
                variable = variables.get(target, "")
                yield Port(
                    int(published), port.get("host_ip", ""), target, name, variable
                )


def variables_of_ports(stack: str) -> dict[int, str]:
    """Return the variable for each port in a container, from lines such as "${HTTP_PORT:-80}:8080"."""
    files = [Path("compose.yaml")]
    if stack == "production":
        files = [
            Path("compose.prod.yaml"),
            *sorted(Path("docker").rglob("compose.yaml")),
        ]
    found: dict[int, str] = {}
    for path in files:
        for variable, target in re.findall(
            r"\$\{(\w+)(?::?-\w*)?\}:(\d+)", text_of(path)
        ):
            found.setdefault(int(target), variable)
    return found


def check_ports(stack: Stack, machine: Machine) -> list[Finding]:
    """Is each port free, or this stack's own?"""
    mine = {container.name for container in stack.containers}
    return [
        check_port(stack, machine, port, machine.published.get(port.number, ""), mine)
        for port in ports_of(stack.configuration)
    ]


def check_port(
    stack: Stack, machine: Machine, port: Port, holder: str, mine: set[str]
) -> Finding:
    what = f"port {port.number} ({port.variable or port.service})"
    if holder in mine:
        return ok(stack.name, f"{what} is this project's")
    other = port.number + 1 if port.number >= 1024 else port.number + 8000
    setting = f"set {port.variable}={other} in .env"
    if not port.variable:
        setting = f"publish another port for {port.service} in its compose file"
    why = f"Only one program can have it. Stop the other program, or {setting}; then:"
    up = f"{stack.configuration.command} up -d --wait"
    if holder:
        return wrong(stack.name, f"{what} is taken by the container {holder}", why, up)
    trial = stack.ports.get(port.number, NOT_TRIED)
    if trial == FREE:
        return ok(stack.name, f"{what} is free")
    if any(words in trial for words in TAKEN):
        return wrong(
            stack.name, f"{what} is taken by a program outside Docker", why, up
        )
    reason = (
        f"no container could try it. {trial}" if trial else "the image is not built yet"
    )
    return unseen(stack.name, f"{what}: {reason}")
