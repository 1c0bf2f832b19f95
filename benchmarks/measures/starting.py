"""Seconds from `up` on empty volumes, with images built, to the first page."""

import time
from collections.abc import Callable

import httpx

from benchmarks.figures import in_turn
from benchmarks.plan import Plan
from benchmarks.refusal import Refusal
from tests.helpers.stack import Stack

PAGE = "/benchmark/query/"
LONGEST = 120  # seconds


def up(stack: Stack) -> float:
    """Start a stack, and return the seconds until a page with a query is served; remove its containers."""
    headers = {"X-Forwarded-Proto": "https"}
    begun = time.monotonic()
    stack.compose("up", "--detach")
    with httpx.Client(verify=False, headers=headers, timeout=5) as client:
        while not serves(client, stack.address + PAGE):
            if time.monotonic() - begun > LONGEST:
                raise Refusal(f"{stack.path.name} serves no page: {stack.logs()[-2000:]}")
            time.sleep(0.02)
    seconds = time.monotonic() - begun
    stack.compose("down", "--volumes", "--timeout", "5")
    return seconds


def serves(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False


def measure(stacks: dict[str, Stack], plan: Plan, say: Callable[[str], None]) -> list[dict]:
    """Return the seconds of each stack, which is built and does not run."""
    measures = {name: lambda one=stack: up(one) for name, stack in stacks.items()}
    return [
        {"contender": name, "seconds": [*figure.values]}
        for name, figure in in_turn(measures, plan.starts, say).items()
    ]
