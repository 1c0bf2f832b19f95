"""What bin/doctor looks at, in order."""

from __future__ import annotations

import getpass

from ops.doctor import (
    app,
    database,
    disk,
    engine,
    environment,
    files,
    machine,
    memory,
    ports,
    services,
)
from ops.doctor.findings import Finding, wrong
{%- if cookiecutter.proxy == "nginx-letsencrypt" %}
from ops.doctor.https import check_https
{%- endif %}
from ops.doctor.reading import FILES, read_configuration, read_stack
from ops.doctor.seen import Configuration, Machine, Stack
from ops.process import CommandFailed, side_by_side

__all__ = ["FILES", "look"]


def look(stacks: list[str]) -> list[Finding]:
    """Look at everything that these stacks need, and return what was found."""
    owner = machine.read_owner()
    (info, compose, error), found = side_by_side(
        engine.read_engine, lambda: files.check_files(owner)
    )
    found += engine.check_engine(info, compose, error, user_name())
    if any(finding.where == "Docker" and finding.level == "wrong" for finding in found):
        return found
    try:
        seen, *configurations = side_by_side(
            lambda: machine.read_machine(owner, info),
            *[lambda stack=stack: read_configuration(stack) for stack in stacks],
        )
        readable = [one for one in configurations if not one.error]
        looked = read_stacks(readable, seen)
    except CommandFailed as failed:
        lines = failed.output.strip().splitlines() or [""]
        return [*found, wrong("Docker", f"{failed}", lines[-1], "docker info")]
    return [*found, *judge(seen, configurations, looked)]


def read_stacks(configurations: list[Configuration], seen: Machine) -> list[Stack]:
    if not configurations:
        return []
    return side_by_side(
        *[lambda one=one: read_stack(one, seen) for one in configurations]
    )


def user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user ID without a name
        return "$(id -un)"


def judge(
    seen: Machine, configurations: list[Configuration], looked: list[Stack]
) -> list[Finding]:
    """Let all checks judge what was read."""
    found = [*engine.check_networks(seen), *engine.check_clock(seen)]
    found += [*disk.check_disks(seen), *disk.check_leftovers(seen)]
    readable = [one for one in configurations if not one.error]
    found += [
        *environment.check_unread_variables(readable),
        *environment.check_dollars(),
    ]
    stacks = {stack.name: stack for stack in looked}
    for configuration in configurations:
        found += environment.check_configuration(configuration)
        if configuration.stack in stacks:
            found += judge_stack(stacks[configuration.stack], seen)
    return found


def judge_stack(stack: Stack, seen: Machine) -> list[Finding]:
    """Let the checks of a stack judge it."""
    configuration = stack.configuration
    found = []
    if stack.name == "development":
        found += environment.check_ids(configuration, seen.owner)
    else:
        found += environment.check_secrets(stack)
    found += services.check_services(stack, seen)
    found += memory.check_memory(stack)
    found += ports.check_ports(stack, seen)
    found += [
        *app.check_page(stack, seen),
        *app.check_links(stack),
        *app.check_readiness(stack),
    ]
    found += database.check_database(stack, seen)
    if stack.name == "production":
        found += app.check_mail(stack)
        found += disk.check_base_images(stack, seen)
{%- if cookiecutter.proxy == "nginx-letsencrypt" %}
        found += check_https(stack, seen)
{%- endif %}
    return found
