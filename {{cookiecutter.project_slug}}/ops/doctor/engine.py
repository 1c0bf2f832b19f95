"""Docker itself: is it here, does it respond, is it new enough, what has it left to give?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from ops.doctor.findings import Finding, note, ok, wrong
from ops.doctor.seen import Machine
from ops.process import CommandFailed, run, side_by_side

SECONDS_TO_RESPOND = 20
ENGINE, COMPOSE = (25, 0), (2, 24)
MANUAL = "# https://docs.docker.com/engine/install/ says how to install it."
# Docker has 31 ranges of addresses for networks, unless daemon.json says otherwise.
BRIDGES = 28
CLOCK_TOLERANCE = 60  # seconds


def read_engine() -> tuple[dict, str, str]:
    """Return what `docker info` says, the version of Compose, and why the engine does not respond."""
    info, version = side_by_side(
        lambda: attempt("docker", "info", "--format", "json"),
        lambda: attempt("docker", "compose", "version", "--short"),
    )
    try:
        engine = json.loads(info[0])
    except ValueError:
        engine = {}
    if not isinstance(engine, dict):
        engine = {}
    error = " ".join(engine.get("ServerErrors") or ()) or info[1]
    compose = "" if version[1] else version[0].strip().lstrip("v")
    return engine, compose, "" if engine.get("ServerVersion") else error


def attempt(*command: str) -> tuple[str, str]:
    """Return what a program printed, and why it failed or ""."""
    try:
        return run(*command, timeout=SECONDS_TO_RESPOND), ""
    except CommandFailed as failed:
        lines = failed.output.strip().splitlines() or ["It printed nothing."]
        return failed.output, lines[-1]


def check_engine(engine: Mapping, compose: str, error: str, user: str) -> list[Finding]:
    """Judge the versions of the engine and of Compose; `error` is why the engine does not respond."""
    if error.startswith("docker: "):
        return [
            wrong(
                "Docker",
                "there is no docker command",
                "All stacks run in containers.",
                MANUAL,
            )
        ]
    if "permission denied" in error.lower():
        return [
            wrong(
                *("Docker", f"{user} may not use the engine", error),
                f"sudo usermod --append --groups docker {user}",
                "# Then log out and log in again. Members of this group can become root.",
            )
        ]
    version = engine.get("ServerVersion")
    if not version:
        why = f"The engine does not respond. {error}".strip()
        return [
            wrong("Docker", "no engine responds", why, "sudo systemctl start docker")
        ]
    if older(version, ENGINE) or older(compose, COMPOSE):
        what = f"too old: Engine {version}, Compose {compose or 'none'}"
        return [
            wrong("Docker", what, "This project needs 25 and 2.24, or newer.", MANUAL)
        ]
    return [ok("Docker", f"Engine {version}, Compose {compose}")]


def older(version: str, wanted: tuple[int, int]) -> bool:
    """Whether a version such as 28.5.2+dfsg1 is older than this one; so is a text without numbers."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return not found or (int(found[1]), int(found[2])) < wanted


def check_networks(machine: Machine) -> list[Finding]:
    """Are there address ranges left for new networks?"""
    if machine.bridges < BRIDGES or machine.engine.get("DefaultAddressPools"):
        return []
    why = (
        "Docker has about 30 ranges of addresses, one for each network. When none is left, `up` fails with\n"
        '"all predefined address pools have been fully subnetted".'
    )
    what = f"{machine.bridges} networks use nearly all address ranges"
    return [
        wrong(
            "Docker",
            what,
            why,
            "docker network prune  # removes the networks without a container",
        )
    ]


def check_clock(machine: Machine) -> list[Finding]:
    """Is the time right? Certificates, sessions and tokens depend on it."""
    behind = machine.now - seconds(machine.engine.get("SystemTime", ""), machine.now)
    if abs(behind) > CLOCK_TOLERANCE:
        what = f"the engine's clock differs from this machine's by {abs(behind):.0f} seconds"
        why = "Containers see the engine's time: certificates, sessions and tokens are judged by it."
        return [
            wrong(
                "Docker",
                what,
                why,
                "sudo systemctl restart docker  # or restart Docker Desktop",
            )
        ]
    if machine.clock_is_synchronised is False:
        why = "Without NTP it drifts; certificates, sessions and tokens then fail."
        what = "the clock is not synchronised"
        return [note("machine", what, why, "sudo timedatectl set-ntp true")]
    return []


def seconds(moment: str, default: float) -> float:
    """Return a time in ISO 8601, as Docker writes it, as seconds since 1970."""
    found = re.match(
        r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)?", moment
    )
    if not found:
        return default
    zone = (found[3] or "Z").replace("Z", "+00:00").replace(":", "")
    return datetime.strptime(
        f"{found[1]}T{found[2]}{zone}", "%Y-%m-%dT%H:%M:%S%z"
    ).timestamp()
