"""Each service of a stack as it runs."""

from __future__ import annotations

from ops.compose import Service
from ops.docker import Condition, Container
from ops.doctor.engine import seconds
from ops.doctor.findings import Finding, note, ok, wrong
from ops.doctor.seen import Machine, Stack

RECENTLY = 600  # seconds


def check_services(stack: Stack, machine: Machine) -> list[Finding]:
    """Does each service run as the compose files say? A stack without a container is not running."""
    findings = []
    if not stack.is_started:
        up = f"{stack.configuration.command} up -d --wait"
        findings.append(note(stack.name, "not running", "", up))
    created = set()
    for service in stack.configuration.services.values():
        found = stack.containers_of(service.name)
        needed = without_leftovers(stack, service, found)
        for container in needed:
            findings += check_container(stack, service, container, machine.now)
            if waits(stack.conditions[container.id]):
                created.add(service.name)
        findings += [leftover(stack, one) for one in found if one not in needed]
        if stack.is_started:
            findings += check_count(stack, service, found)
    findings += [*check_created(stack, sorted(created)), *check_strangers(stack)]
    return findings or [ok(stack.name, "each service runs and is healthy")]


def without_leftovers(
    stack: Stack, service: Service, found: list[Container]
) -> list[Container]:
    """Return the service's containers without those that ended after others had taken their place."""
    running = [one for one in found if stack.conditions[one.id].state == "running"]
    if not service.restarts or len(running) < service.replicas:
        return found
    return [
        one
        for one in found
        if stack.conditions[one.id].state not in ("exited", "created")
    ]


def leftover(stack: Stack, container: Container) -> Finding:
    what = f"{container.name} is stopped, and another container does its work"
    why = "A deploy that was interrupted leaves such a container. The next one removes it."
    return note(stack.name, what, why, f"docker rm {container.name}")


def waits(condition: Condition) -> bool:
    """Whether the container was created, and nothing is wrong with it but that nobody started it."""
    return condition.state == "created" and not condition.error


def check_created(stack: Stack, names: list[str]) -> list[Finding]:
    """Name the services whose containers never started, because something before them failed."""
    if not names:
        return []
    verb = "was" if len(names) == 1 else "were"
    what = f"{', '.join(names)} {verb} created and never started"
    why = "A service that they depend on failed, or somebody interrupted `up`."
    return [wrong(stack.name, what, why, f"{stack.configuration.command} up -d --wait")]


def check_count(
    stack: Stack, service: Service, found: list[Container]
) -> list[Finding]:
    """Has a service that runs all the time as many containers as it should?"""
    missing = service.replicas - len(found)
    if not is_needed(stack, service) or missing <= 0:
        return []
    what = f"{service.name} has no container"
    if found:
        what = f"{service.name} has {len(found)} of {service.replicas} containers"
    why = "The compose files name it, and other services of the stack have containers."
    return [wrong(stack.name, what, why, f"{stack.configuration.command} up -d --wait")]


def is_needed(stack: Stack, service: Service) -> bool:
    """Whether the service runs as long as the stack does: not on demand, and not once."""
    return not service.profiles and not is_one_off(stack, service)


def is_one_off(stack: Stack, service: Service) -> bool:
    """Whether the service runs once: restart: "no", or another service waits for its end."""
    finished = "service_completed_successfully"
    waited_for = any(
        other.depends_on.get(service.name) == finished
        for other in stack.configuration.services.values()
    )
    return waited_for or not service.restarts


def check_container(
    stack: Stack, service: Service, container: Container, now: float
) -> list[Finding]:
    """Judge one container by its state and its health."""
    condition = stack.conditions[container.id]
    if condition.state == "running":
        return check_running(stack, service, condition, now)
    if (
        condition.state == "exited"
        and condition.exit_code == 0
        and is_one_off(stack, service)
    ):
        return []
    name = service.name if service.replicas == 1 else container.name
    up = f"{stack.configuration.command} up -d --wait"
    logs = f"{stack.configuration.command} logs --tail 50 {service.name}"
    if condition.state == "exited":
        return [
            wrong(
                stack.name,
                f"{name} {ending(condition)}",
                reason(stack, condition),
                logs,
                up,
            )
        ]
    if condition.state == "paused":
        why = "It keeps its connections and answers none of them."
        return [
            wrong(
                stack.name, f"{name} is paused", why, f"docker unpause {container.name}"
            )
        ]
    if condition.state == "restarting":
        what = f"{name} is restarting, {times(condition.restarts)} so far"
        return [wrong(stack.name, what, reason(stack, condition), logs)]
    if waits(condition):
        return []  # check_created names all of them at once
    if condition.state == "created":
        what = f"{name} was created and never started"
        return [wrong(stack.name, what, condition.error, up)]
    why = condition.error or "Docker could not remove it."
    remove = f"docker rm --force {container.name}"
    return [wrong(stack.name, f"{name} is {condition.state}", why, remove, up)]


def check_running(
    stack: Stack, service: Service, condition: Condition, now: float
) -> list[Finding]:
    """Judge a container that runs: its health, and whether it was restarted."""
    one = service.name if service.replicas == 1 else condition.name
    logs = f"{stack.configuration.command} logs --tail 50 {service.name}"
    if condition.health == "unhealthy":
        why = f"Its health check failed: {last_line(condition.probe) or 'it printed nothing.'}"
        restart = f"{stack.configuration.command} restart {service.name}"
        return [wrong(stack.name, f"{one} is unhealthy", why, logs, restart)]
    if condition.restarts:
        what = f"{one} ended and was restarted {times(condition.restarts)}"
        if now - seconds(condition.started, now) < RECENTLY:
            why = stack.last_words.get(condition.id, "") or "Its log says why."
            return [
                wrong(
                    stack.name,
                    f"{what}, the last time less than 10 minutes ago",
                    why,
                    logs,
                )
            ]
        return [note(stack.name, what, "Its log says why.", logs)]
    if condition.health == "starting":
        return [
            note(stack.name, f"{one} is starting: its health check has not passed yet")
        ]
    return []


def ending(condition: Condition) -> str:
    """Return what became of a container that has ended."""
    became = "is stopped" if condition.exit_code in (0, 137, 143) else "failed"
    return f"{became}: it ended with exit status {condition.exit_code}"


def reason(stack: Stack, condition: Condition) -> str:
    """Return why a container has ended: Docker's words, what killed it, the last line of its log."""
    lines = [condition.error]
    if condition.out_of_memory:
        lines.append(
            "The kernel killed it: its memory limit was reached. Raise mem_limit."
        )
    elif condition.exit_code == 137:
        lines.append(
            "SIGKILL ended it: `docker kill`, a stop that took longer than its grace period, or the kernel"
            " when the machine had no memory left."
        )
    elif condition.exit_code == 143:
        lines.append("SIGTERM ended it: somebody stopped it.")
    lines.append(stack.last_words.get(condition.id, ""))
    return "\n".join(filter(None, lines))


def check_strangers(stack: Stack) -> list[Finding]:
    """Name containers of services that the compose files do not name any more."""
    strangers = {one.service for one in stack.containers if not one.oneoff}
    strangers -= {*stack.configuration.services}
    if not strangers:
        return []
    what = f"containers of services that the compose files do not name: {', '.join(sorted(strangers))}"
    why = "The services were renamed or removed, and their containers stayed."
    return [
        note(
            stack.name,
            what,
            why,
            f"{stack.configuration.command} up -d --remove-orphans",
        )
    ]


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
