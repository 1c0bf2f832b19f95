"""Short-lived containers that try what only the engine knows. They belong to no stack, and are removed."""

from __future__ import annotations

from ops.compose import Service
from ops.doctor.ports import FREE, Port
from ops.doctor.seen import Configuration, Machine
from ops.process import CommandFailed, run

SECONDS = 30
# Without a label of its own the container would have the one of its image, and count as the stack's.
TRY = (
    "docker",
    "run",
    "--rm",
    "--pull",
    "never",
    "--label",
    "com.docker.compose.project=",
)


def find_helper(configuration: Configuration, machine: Machine) -> str:
    """Return an image of the stack that is here and has a shell, or ""."""

    def rank(service: Service) -> tuple[bool, bool]:
        return service.name != "postgres", service.name != "app"

    for service in sorted(configuration.services.values(), key=rank):
        if machine.has_image(service.image):
            return service.image
    return ""


def try_port(helper: str, port: Port) -> str:
    """Return FREE when a container can publish the port, else what the engine says."""
    address = f"[{port.address}]:" if ":" in port.address else f"{port.address}:"
    published = f"{address if port.address else ''}{port.number}:1"
    try:
        command = (*TRY, "--publish", published, "--entrypoint", "true", helper)
        run(*command, merge=True, timeout=SECONDS)
    except CommandFailed as failed:
        lines = failed.output.strip().splitlines()
        first = lines[0] if lines else str(failed)
        return next(
            (line for line in lines if "address" in line or "port" in line), first
        )
    return FREE


def read_volume_major(helper: str, volume: str, wanted: str) -> str:
    """Return the major version of PostgreSQL that made the files of this volume.

    That is `wanted` for a volume without files, which takes any; "" when no container could read it.
    """
    script = "echo read; cat /v/PG_VERSION /v/*/docker/PG_VERSION 2>/dev/null; true"
    options = (
        "--network",
        "none",
        "--user",
        "0",
        "--volume",
        f"{volume}:/v:ro",
        "--entrypoint",
        "sh",
    )
    try:
        words = run(*TRY, *options, helper, "-c", script, timeout=SECONDS).split()
    except CommandFailed:
        return ""
    found = words[1:]
    if not found or wanted in found:
        return wanted
    return found[0]
