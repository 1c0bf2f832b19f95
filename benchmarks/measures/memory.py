"""Memory of each container, as `docker stats` counts it: without the cache of files."""

import json
import re

from tests.helpers.stack import Stack, run

UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def in_bytes(text: str) -> int:
    """Return the bytes of a size such as "45.2MiB"."""
    number, unit = re.fullmatch(r"([\d.]+)([KMG]?i?B)", text).groups()
    return int(float(number) * UNITS[unit])


def of_services(stack: Stack) -> dict[str, int]:
    """Return the bytes that each running container of a stack uses, by its service."""
    containers = [json.loads(line) for line in stack.compose("ps", "--format", "json").splitlines()]
    if not containers:
        return {}
    services = {container["ID"][:12]: container["Service"] for container in containers}
    shown = run("docker", "stats", "--no-stream", "--format", "json", *services).stdout
    stats = [json.loads(line) for line in shown.splitlines()]
    return {
        services[one["Container"][:12]]: in_bytes(one["MemUsage"].split(" / ")[0]) for one in stats
    }


def measure(stacks: dict[str, Stack]) -> list[dict]:
    """Return the bytes of each running container of these stacks."""
    return [
        {"contender": name, "service": service, "bytes": used}
        for name, stack in stacks.items()
        for service, used in of_services(stack).items()
    ]
