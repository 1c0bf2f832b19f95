"""Print how many worker processes fit into this container."""

import os
from pathlib import Path

# In bytes: what a small Django project grows to.
MEMORY_OF_A_WORKER = 96 * 1024**2

CGROUP = Path("/sys/fs/cgroup")
UNLIMITED = float("inf")


def limit(*names: str) -> list[float]:
    """Return the numbers in the first of these control group files that exists (version 2, then 1)."""
    for name in names:
        if (file := CGROUP / name).exists():
            return [
                UNLIMITED if n in ("max", "-1") else float(n)
                for n in file.read_text().split()
            ]
    return [UNLIMITED]


def workers() -> int:
    """Return four for each core this container may use, as far as its memory allows, or one."""
    quota, *period = limit("cpu.max", "cpu/cpu.cfs_quota_us")
    period = period or limit("cpu/cpu.cfs_period_us")
    memory = limit("memory.max", "memory/memory.limit_in_bytes")[0]
    # os.cpu_count() would say how many cores the machine has.
    cores = min(len(os.sched_getaffinity(0)), quota / period[0])
    return max(1, int(min(4 * cores, memory / MEMORY_OF_A_WORKER)))


if __name__ == "__main__":
    print(workers())
