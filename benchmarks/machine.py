"""What the benchmark needs of a machine, and what it writes down about it."""

import json
import os
import platform
import shutil
from pathlib import Path

from benchmarks.refusal import Refusal
from tests.helpers.stack import run

MEMORY = 4 * 1024**3  # bytes: seven stacks run side by side
DISK = 8 * 1024**3  # bytes: their images, and build caches


def engine() -> dict:
    """Return what `docker info` says.

    Raises Refusal if there is no Docker, or no engine that responds.
    """
    try:
        found = run("docker", "info", "--format", "json")
    except FileNotFoundError:
        raise Refusal("The benchmarks need Docker, and there is no docker command.") from None
    if found.returncode:
        raise Refusal(f"No Docker Engine responds: {found.stderr.strip()}")
    return json.loads(found.stdout)


def available_memory() -> int:
    """Return the bytes of memory that programs can get without swapping."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    line = next(line for line in lines if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def check() -> None:
    """Raise Refusal if this machine cannot run the benchmarks."""
    folder = engine()["DockerRootDir"]
    memory = available_memory()
    if memory < MEMORY:
        raise Refusal(
            f"The benchmarks need {gigabytes(MEMORY)} of memory, and {gigabytes(memory)} are available."
        )
    disk = shutil.disk_usage(folder if os.path.exists(folder) else "/").free
    if disk < DISK:
        raise Refusal(
            f"The benchmarks need {gigabytes(DISK)} on the disk of {folder}, and {gigabytes(disk)} are free."
        )


def gigabytes(number: int) -> str:
    return f"{number / 1024**3:.1f} GB"


def description() -> dict[str, str]:
    """Return what a reader has to know of the machine and its tools."""
    info = engine()
    return {
        "cores": str(os.cpu_count()),
        "memory": gigabytes(info["MemTotal"]),
        "kernel": platform.release(),
        "Docker Engine": info["ServerVersion"],
        "Docker Compose": run("docker", "compose", "version", "--short").stdout.strip(),
    }
