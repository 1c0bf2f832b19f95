"""Disks, and what Docker keeps on them."""

from __future__ import annotations

from pathlib import Path

from ops.doctor.findings import Finding, note, ok, wrong
from ops.doctor.seen import Machine, Stack

FULL = 0.9
LITTLE = 1e9  # bytes
MUCH = 10e9  # bytes
DAY = 24 * 60 * 60  # seconds
OLD = 30  # days


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"


def check_disks(machine: Machine) -> list[Finding]:
    """Is there room on the disks of the project and of Docker?"""
    findings = []
    for disk in machine.disks:
        used = disk.used / max(disk.used + disk.free, 1)
        what = f"the disk of {disk.path} is {used:.0%} full, {gigabytes(disk.free)} are free"
        if used <= FULL and disk.free >= LITTLE:
            findings.append(ok("machine", what))
            continue
        why = f"It holds {disk.holds}. A database that cannot write stops, and deploys fail."
        commands = (
            "docker system df  # what Docker keeps",
            "docker image prune",
            "docker builder prune",
        )
        findings.append(wrong("machine", what, why, *commands))
    return findings


def check_leftovers(machine: Machine) -> list[Finding]:
    """Name what Docker keeps and nobody needs, where it is much."""
    findings = []
    unnamed = [image for image in machine.images if image.name == "<none>:<none>"]
    total = sum(image.size for image in unnamed)
    if total > MUCH:
        what = f"{len(unnamed)} images without a name, up to {gigabytes(total)}"
        why = "They are what older builds left behind."
        findings.append(note("Docker", what, why, "docker image prune"))
    if machine.build_cache > MUCH:
        what = f"the build cache has {gigabytes(machine.build_cache)}"
        why = "It makes builds fast; you may remove what was not used for a week."
        findings.append(
            note("Docker", what, why, "docker builder prune --filter until=168h")
        )
    return findings


def check_base_images(stack: Stack, machine: Machine) -> list[Finding]:
    """Name images whose base is older than 30 days."""
    ages = {
        image: int((machine.now - moment) // DAY)
        for image, moment in stack.base_dates.items()
    }
    old = sorted(image for image, days in ages.items() if days > OLD)
    if not old:
        return []
    listed = ", ".join(f"{image} ({ages[image]} days)" for image in old)
    what = f"base images older than {OLD} days: {listed}"
    why = (
        "Security updates of Debian, Python and PostgreSQL come with newer base images."
    )
    return [note(stack.name, what, why, *commands_that_renew(stack))]


def commands_that_renew(stack: Stack) -> list[str]:
    """Return what to type for new base images; some projects have no bin/deploy."""
    if Path("bin/deploy").exists():
        return ["bin/deploy --pull"]
    say = stack.configuration.command
    return [
        f"{say} pull --ignore-buildable",
        f"{say} build --pull",
        f"{say} up -d --wait",
    ]
