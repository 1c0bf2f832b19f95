"""Development: seconds from saving a file to its response, and CPU time while nobody types."""

import re
import time
from collections.abc import Callable

import httpx

from benchmarks.plan import Plan
from benchmarks.refusal import Refusal
from tests.helpers.stack import Stack, run

SAMPLES = 8
LONGEST = 30  # seconds


def save(stack: Stack, number: int) -> float:
    """Change what the trivial view returns, and return the seconds until it is served."""
    source = stack.path / "benchmark.py"
    text = re.sub(
        r'HttpResponse\("ok.*?"\)', f'HttpResponse("ok {number}")', source.read_text(), count=1
    )
    begun = time.monotonic()
    source.write_text(text)
    with httpx.Client(base_url=stack.address, timeout=5) as client:
        while shown(client) != f"ok {number}":
            if time.monotonic() - begun > LONGEST:
                raise Refusal(f"A saved file is not served after {LONGEST} seconds.")
            time.sleep(0.01)
    return time.monotonic() - begun


def shown(client: httpx.Client) -> str:
    try:
        return client.get("/benchmark/trivial/").text
    except httpx.TransportError:
        return ""


def idle_percent(stack: Stack) -> list[float]:
    """Return the CPU time of the app in percent of one core, over some seconds each."""
    container = stack.container("app")
    stats = ("docker", "stats", "--no-stream", "--format", "{{.CPUPerc}}", container)
    return [float(run(*stats).stdout.strip().rstrip("%")) for _ in range(SAMPLES)]


def measure(stack: Stack, plan: Plan, say: Callable[[str], None]) -> dict:
    """Return the seconds of each save, and the percents of a core while nobody types."""
    seconds = []
    for number in range(1, plan.saves + 1):
        say(f"save {number} of {plan.saves}")
        seconds.append(save(stack, number))
        time.sleep(1)
    say("nobody types")
    time.sleep(5)
    return {"seconds": seconds, "idle_percent": idle_percent(stack)}
