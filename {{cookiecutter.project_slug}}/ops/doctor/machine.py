"""Read the machine: images, networks, volumes, ports, disks, the clock."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ops.doctor.seen import Disk, Machine, Owner, StoredImage
from ops.process import CommandFailed, run, side_by_side

UNITS = {"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
SECONDS_FOR_THE_BUILD_CACHE = 3


def read_machine(owner: Owner, engine: Mapping) -> Machine:
    """Ask the engine for all that the stacks share, side by side."""
    published, images, volumes, bridges, cache, clock = side_by_side(
        read_published_ports,
        read_images,
        read_volumes,
        count_bridges,
        read_build_cache,
        read_clock,
    )
    return Machine(
        owner=owner,
        engine=engine,
        published=published,
        images=images,
        volumes=volumes,
        bridges=bridges,
        build_cache=cache,
        disks=read_disks(engine.get("DockerRootDir", "")),
        clock_is_synchronised=clock,
        now=time.time(),
    )


def read_owner() -> Owner:
    """Return whose project this is. Root looks after the project of somebody else."""
    if os.getuid():
        return Owner(os.getuid(), os.getgid())
    folder = os.stat(".")
    return Owner(folder.st_uid, folder.st_gid)


def rows(*command: str) -> list[dict]:
    """Run a list command of the docker client and return its rows."""
    return [json.loads(line) for line in run(*command, "--format", "json").splitlines()]


def read_published_ports() -> dict[int, str]:
    """Return each port of this machine that a running container has, with the container's name."""
    found = {}
    for row in rows("docker", "ps", "--no-trunc"):
        for first, last in re.findall(
            r":(\d+)(?:-(\d+))?->\d+(?:-\d+)?/tcp", row["Ports"]
        ):
            for port in range(int(first), int(last or first) + 1):
                found[port] = row["Names"]
    return found


def read_images() -> list[StoredImage]:
    return [
        StoredImage(f"{row['Repository']}:{row['Tag']}", size(row["Size"]))
        for row in rows("docker", "image", "ls", "--all", "--no-trunc")
    ]


def read_volumes() -> frozenset[str]:
    return frozenset(run("docker", "volume", "ls", "--quiet").split())


def count_bridges() -> int:
    return len(
        run("docker", "network", "ls", "--filter", "driver=bridge", "--quiet").split()
    )


def read_build_cache() -> int:
    """Return the bytes of the build cache, or -1 when the engine does not say so in time."""
    try:
        printed = run("docker", "buildx", "du", timeout=SECONDS_FOR_THE_BUILD_CACHE)
    except CommandFailed:
        return -1
    found = re.search(r"^Total:\s+(\S+)", printed, re.MULTILINE)
    return size(found[1]) if found else -1


def size(text: str) -> int:
    """Return a size such as 1.5GB, as Docker prints it, in bytes; -1 for what is none."""
    found = re.match(r"([\d.]+)\s*([kKMGT]?B)", text)
    return round(float(found[1]) * UNITS[found[2]]) if found else -1


def read_disks(docker_folder: str) -> list[Disk]:
    """Return the file systems of the project and of Docker's data, each once."""
    found: dict[int, Disk] = {}
    for path, holds in (
        (docker_folder, "Docker's data"),
        (str(Path.cwd()), "this project"),
    ):
        try:
            device, usage = os.stat(path).st_dev, shutil.disk_usage(path)
        except (
            OSError
        ):  # with Docker Desktop the engine's folder is not on this machine
            continue
        found.setdefault(device, Disk(path, holds, usage.used, usage.free))
    return list(found.values())


def read_clock() -> bool | None:
    """Return whether the clock is synchronised, where systemd says so."""
    command = ("timedatectl", "show", "--property", "NTPSynchronized", "--value")
    answer = attempt(lambda: run(*command, timeout=2).strip(), "")
    return {"yes": True, "no": False}.get(answer)


def attempt(function: Callable[[], Any], default: Any) -> Any:
    """Return what the function returns, or `default` when its program fails."""
    try:
        return function()
    except CommandFailed:
        return default
