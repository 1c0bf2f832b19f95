"""Read the stacks, with few calls of the docker client, side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ops import compose, docker
from ops.doctor import app, database, ports, trials
from ops.doctor.engine import seconds
{%- if cookiecutter.proxy == "nginx-letsencrypt" %}
from ops.doctor.https import readings_of_https
{%- endif %}
from ops.doctor.memory import count_kills
from ops.doctor.seen import Configuration, Machine, Stack
from ops.process import CommandFailed, run, side_by_side

FILES = {"development": "", "production": compose.FILE}
RELEASE = re.compile(r"\d{8}-\d{6}")


def read_configuration(stack: str) -> Configuration:
    """Read what the files of a stack say, with .env filled in."""
    try:
        said = compose.read_configuration(FILES[stack])
    except CommandFailed as failed:
        lines = failed.output.strip().splitlines() or ["It printed nothing."]
        return Configuration(stack, error=lines[-1])
    said.setdefault("services", {})
    services = {
        name: compose.service(name, one, said["name"])
        for name, one in said["services"].items()
    }
    return Configuration(stack, said["name"], said, services)


def read_stack(configuration: Configuration, machine: Machine) -> Stack:
    """Look at the containers of a stack, then at all that depends on whether they run."""
    containers = docker.containers(configuration.project)
    conditions = docker.conditions_by_id([one.id for one in containers])
    containers = [one for one in containers if one.id in conditions]
    first = Stack(configuration, containers, conditions)
    wanted = {
        **readings_of_services(first),
        **readings_of_app(first),
        **readings_of_database(first, machine),
        **readings_of_machine(first, machine),
    }
    found = side_by_side(*wanted.values()) if wanted else []
    return Stack(
        configuration,
        containers,
        conditions,
        memory_kills=count_kills(conditions),
        releases=find_releases(configuration, machine),
        **dict(zip(wanted, found)),
    )


def readings_of_services(stack: Stack) -> dict[str, Callable[[], Any]]:
    """The log's last line of containers that ended badly."""
    broken = [
        one.id
        for one in stack.conditions.values()
        if one.exit_code
        or one.state == "restarting"
        or (one.restarts and one.state == "running")
    ]
    if not broken:
        return {}
    return {"last_words": lambda: dict(zip(broken, map(read_last_words, broken)))}


def read_last_words(container: str) -> str:
    try:
        lines = docker.logs(container, 5).splitlines()
    except CommandFailed:
        return ""
    words = [message for message in map(message_of, lines) if message]
    return f"The last line of its log: {words[-1][:300]}" if words else ""


def message_of(line: str) -> str:
    """Return what a line of a log says: for JSON its message; nothing for a request."""
    try:
        said = json.loads(line)
    except ValueError:
        return line.strip()
    return str(said.get("message", "")) if isinstance(said, dict) else line.strip()


def readings_of_app(stack: Stack) -> dict[str, Callable[[], Any]]:
    """What the app says, and the home page."""
    configuration = stack.configuration
    readings: dict[str, Callable[[], Any]] = {}
    container = stack.running("app")
    if container:
        readings["inside"] = lambda: app.read_inside(container.id)
    port = ports.port_of_site(configuration)
    if port and stack.running(port.service):
        readings["page"] = lambda: app.read_page(configuration)
{%- if cookiecutter.proxy == "nginx-letsencrypt" %}
    readings.update(readings_of_https(stack))
{%- endif %}
    return readings


def readings_of_database(
    stack: Stack, machine: Machine
) -> dict[str, Callable[[], Any]]:
    """Ask the database; where it does not run, look at its volume."""
    configuration = stack.configuration
    container = stack.running("postgres")
    if container and configuration.value("POSTGRES_PASSWORD"):
        return {"database": lambda: database.read_database(configuration, container.id)}
    volume, wanted = (
        database.volume_of(configuration),
        database.wanted_major(configuration),
    )
    helper = trials.find_helper(configuration, machine)
    if not helper or volume not in machine.volumes:
        return {}
    return {"volume_major": lambda: trials.read_volume_major(helper, volume, wanted)}


def readings_of_machine(stack: Stack, machine: Machine) -> dict[str, Callable[[], Any]]:
    """Try the ports that nothing in Docker has; read the age of the base images."""
    readings: dict[str, Callable[[], Any]] = {}
    helper = trials.find_helper(stack.configuration, machine)
    untried = [
        port
        for port in ports.ports_of(stack.configuration)
        if port.number not in machine.published
    ]
    if helper and untried:
        readings["ports"] = lambda: try_ports(helper, untried)
    if stack.name == "production":
        readings["base_dates"] = lambda: read_base_dates(stack.configuration, machine)
    return readings


def try_ports(helper: str, untried: list[ports.Port]) -> dict[int, str]:
    said = side_by_side(
        *[lambda port=port: trials.try_port(helper, port) for port in untried]
    )
    return {port.number: words for port, words in zip(untried, said)}


def read_base_dates(configuration: Configuration, machine: Machine) -> dict[str, float]:
    """Return when the base of each image of the stack that is here was made, in seconds since 1970."""
    named = {service.image for service in configuration.services.values()}
    images = sorted(filter(machine.has_image, named))
    if not images:
        return {}
    dates = side_by_side(
        *[lambda image=image: read_base_date(image) for image in images]
    )
    return {image: date for image, date in zip(images, dates) if date}


def read_base_date(image: str) -> float:
    """Return when the lowest layer of an image was made: its operating system's. 0 when it says nothing.

    The date of an official image itself is that of its Dockerfile, however new its packages are.
    """
    try:
        printed = run("docker", "history", "--human=false", "--format", "json", image)
    except CommandFailed:
        return 0
    lines = printed.splitlines()
    return seconds(json.loads(lines[-1])["CreatedAt"], 0) if lines else 0


def find_releases(configuration: Configuration, machine: Machine) -> tuple[str, ...]:
    """Return the names of the stack's releases whose images are here, the newest first."""
    if "app" not in configuration.services:
        return ()
    mine = configuration.services["app"].repository
    named = (image.name.rpartition(":") for image in machine.images)
    tags = {tag for repository, _, tag in named if repository == mine}
    return tuple(sorted(filter(RELEASE.fullmatch, tags), reverse=True))
