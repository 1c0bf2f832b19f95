"""How often the kernel killed a process because its container's memory limit was reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ops.docker import Condition
from ops.doctor.findings import Finding, wrong
from ops.doctor.seen import Stack

CGROUPS = Path("/sys/fs/cgroup")


def count_kills(conditions: Mapping[str, Condition]) -> dict[str, int]:
    """Return the number of processes that were killed in each running container.

    Only Linux says so, and only where the engine is on this machine; elsewhere the result is empty.
    """
    return {
        one.id: count
        for one in conditions.values()
        if one.pid and (count := kills(one)) is not None
    }


def kills(condition: Condition) -> int | None:
    """Return the kernel's count for one container, or None where it is not to be had."""
    try:
        lines = Path(f"/proc/{condition.pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if condition.id not in path or controllers not in ("", "memory"):
            continue
        version_2 = CGROUPS / path.lstrip("/") / "memory.events"
        version_1 = CGROUPS / "memory" / path.lstrip("/") / "memory.oom_control"
        for file in (version_2, version_1):
            with suppress(OSError):  # the other version, or the container has ended
                found = re.search(r"^oom_kill (\d+)", file.read_text(), re.MULTILINE)
                return int(found[1]) if found else None
    return None


def check_memory(stack: Stack) -> list[Finding]:
    """Did the kernel kill a process because its container's memory limit was reached?"""
    findings = []
    for container in stack.containers:
        count = stack.memory_kills.get(container.id, 0)
        if count:
            noun = "process" if count == 1 else "processes"
            what = f"{container.service} reached its memory limit: the kernel killed {count} {noun}"
            why = "Each took the requests or the work with it that it had. The container counts since its start."
            command = f"# Raise mem_limit of {container.service} in its compose file, or lower WEB_CONCURRENCY in .env."
            findings.append(wrong(stack.name, what, why, command))
    return findings
