"""The docker client: its answers as dataclasses, its commands as functions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from ops.process import CommandFailed, run

LABEL = "com.docker.compose."

# One line of JSON for each container. `docker ps --format json` joins labels with commas, which their
# values may contain too.
CONTAINER = (
    '{"id": {{json .ID}}, "name": {{json .Names}}, "state": {{json .State}}, "status": {{json .Status}},'
    ' "service": {{json (.Label "com.docker.compose.service")}},'
    ' "created": {{json .CreatedAt}}, "volumes": {{json .Mounts}},'
    ' "folder": {{json (.Label "com.docker.compose.project.working_dir")}},'
    ' "oneoff": {{json (.Label "com.docker.compose.oneoff")}},'
    ' "image": {{json (.Label "com.docker.compose.image")}},'
    ' "config_hash": {{json (.Label "com.docker.compose.config-hash")}}}'
)
IMAGE = "{{.Repository}} {{.Tag}} {{.ID}}"


@dataclass(frozen=True)
class Container:
    """A container of the stack, as `docker ps` shows it."""

    id: str
    name: str
    service: str
    state: str  # created, running, paused, restarting, exited, dead
    status: str  # in Docker's words, such as "Up 2 minutes (healthy)"
    image: str  # the ID of the image
    config_hash: str  # what Compose made of the service's configuration
    oneoff: bool  # made by `docker compose run`
    created: datetime
    volumes: tuple[str, ...] = ()  # the volumes and folders that it mounts
    folder: str = ""  # the project's folder from which Compose made it

    @property
    def host_name(self) -> str:
        """The name by which the container knows itself, unless somebody gave it another one."""
        return self.id[:12]

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def exit_code(self) -> int:
        """The exit status of a container that has ended."""
        found = re.match(r"Exited \((\d+)\)", self.status)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Image:
    """A name of an image that is on this machine."""

    repository: str
    tag: str
    id: str

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True)
class Condition:
    """How a container is doing, as `docker inspect` shows it."""

    id: str
    name: str
    state: str
    health: str  # starting, healthy, unhealthy, or "" without a health check
    restarts: int
    exit_code: int
    out_of_memory: bool
    error: str  # why Docker could not start it
    probe: str  # what the last health check that failed printed
    started: str  # time in UTC, ISO 8601
    pid: int = 0  # of its first process on the engine's machine; 0 when it does not run


def containers(stack: str) -> list[Container]:
    """Return all containers of the stack with this name, running or not, the newest first."""
    mine = f"label={LABEL}project={stack}"
    printed = run(
        "docker", "ps", "--all", "--no-trunc", "--filter", mine, "--format", CONTAINER
    )
    return [container(json.loads(line)) for line in printed.splitlines()]


def networks(stack: str) -> dict[str, bool]:
    """Return the networks of the stack with this name, and whether each has IPv6."""
    mine = f"label={LABEL}project={stack}"
    printed = run(
        "docker", "network", "ls", "--filter", mine, "--format", "{{.Name}} {{.IPv6}}"
    )
    return {name: ipv6 == "true" for name, ipv6 in map(str.split, printed.splitlines())}


def container(row: dict) -> Container:
    """Make a Container of one line of `docker ps`."""
    # Such as "2026-11-26 15:45:45 +0000 UTC"; the name of the time zone has no use here.
    created = datetime.strptime(
        " ".join(row["created"].split()[:3]), "%Y-%m-%d %H:%M:%S %z"
    )
    volumes = tuple(row["volumes"].split(","))
    oneoff = row["oneoff"] == "True"
    return Container(
        **{**row, "oneoff": oneoff, "created": created, "volumes": volumes}
    )


def images() -> list[Image]:
    """Return all names of images on this machine, the newest image first."""
    printed = run("docker", "image", "ls", "--no-trunc", "--format", IMAGE)
    return [Image(*line.split()) for line in printed.splitlines()]


def find_image(repository: str, tag: str) -> list[Image]:
    """Return an image that `docker image ls` calls by another name, such as one by its digest, or none."""
    name = f"{repository}:{tag}"
    try:
        return [
            Image(
                repository,
                tag,
                run("docker", "image", "inspect", "-f", "{{.Id}}", name).strip(),
            )
        ]
    except CommandFailed:
        return []


def conditions(ids: list[str]) -> list[Condition]:
    """Return how these containers are doing. Raises CommandFailed when one of them was removed."""
    if not ids:
        return []
    return [condition(found) for found in json.loads(run("docker", "inspect", *ids))]


def conditions_by_id(ids: list[str]) -> dict[str, Condition]:
    """Return how these containers are doing, by ID; those that were removed are not in the result."""
    try:
        found = conditions(ids)
    except CommandFailed as failed:
        # It prints those that it found, then names those that it did not find.
        printed = failed.output[: failed.output.rfind("]") + 1]
        found = [condition(one) for one in json.loads(printed or "[]")]
    return {one.id: one for one in found}


def condition(found: dict) -> Condition:
    """Make a Condition of what `docker inspect` printed for one container."""
    state = found["State"]
    health = state.get("Health") or {}
    failures = [probe for probe in health.get("Log") or () if probe["ExitCode"]]
    return Condition(
        id=found["Id"],
        name=found["Name"].lstrip("/"),
        state=state["Status"],
        health=health.get("Status", "").replace("none", ""),
        restarts=found["RestartCount"],
        exit_code=state["ExitCode"],
        out_of_memory=state["OOMKilled"],
        error=state["Error"],
        probe=(failures[-1].get("Output") or "").strip() if failures else "",
        started=state["StartedAt"],
        pid=state.get("Pid", 0),
    )


def start(ids: list[str]) -> None:
    """Start containers."""
    if not ids:
        return
    run("docker", "start", *ids, merge=True)


def stop(ids: list[str]) -> None:
    """Stop containers, each within its own grace period."""
    if not ids:
        return
    run("docker", "stop", *ids, merge=True)


def remove(ids: list[str]) -> None:
    """Remove containers, also those that run."""
    if not ids:
        return
    run("docker", "rm", "--force", *ids, merge=True)


def execute(
    container: str, *command: str, stdin: str = "", timeout: float | None = None
) -> str:
    """Run a command in a running container, for `timeout` seconds at most; return what it printed on stdout."""
    client = ("docker", "exec", "--interactive", container)
    return run(*client, *command, stdin=stdin, timeout=timeout)


def logs(container: str, lines: int) -> str:
    """Return the last lines that a container printed."""
    return run("docker", "logs", "--tail", str(lines), container, merge=True)


def logs_since(container: str, moment: str) -> str:
    """Return what a container printed since this moment (UTC, ISO 8601)."""
    return run("docker", "logs", "--since", moment, container, merge=True)


def tag(image: str, name: str) -> None:
    run("docker", "tag", image, name)


def pull(image: str) -> None:
    run("docker", "pull", "--quiet", image, merge=True)


def remove_images(names: list[str]) -> None:
    """Remove names of images. One that a container still uses loses its name, and nothing else."""
    if not names:
        return
    run("docker", "image", "rm", "--force", *names, merge=True)
