"""How long each measurement takes: in full (two hours at most), and quickly (ten minutes)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Counts, and durations in seconds."""

    rounds: int
    load_seconds: int
    clients: tuple[int, ...]
    minutes: int  # of load without a pause
    minute_seconds: int
    copies: tuple[int, ...]
    builds: int
    starts: int
    saves: int
    deploys: int
    sweep_seconds: int
    sweep_workers: tuple[int, ...]
    sweep_threads: tuple[int, ...]


FULL = Plan(
    rounds=5,
    load_seconds=6,
    clients=(1, 32, 256),
    minutes=10,
    minute_seconds=60,
    copies=(1, 2, 4),
    builds=3,
    starts=5,
    saves=9,
    deploys=3,
    sweep_seconds=4,
    sweep_workers=(1, 2, 4, 8),
    sweep_threads=(1, 2, 4),
)
QUICK = Plan(
    rounds=1,
    load_seconds=3,
    clients=(32,),
    minutes=3,
    minute_seconds=10,
    copies=(1, 2),
    builds=1,
    starts=1,
    saves=3,
    deploys=1,
    sweep_seconds=2,
    sweep_workers=(2, 8),
    sweep_threads=(1, 4),
)
