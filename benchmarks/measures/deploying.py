"""A new version under load: seconds, failed requests, and the longest time without a page."""

import os
import time
from collections.abc import Callable
from itertools import pairwise

from benchmarks.plan import Plan
from benchmarks.refusal import Refusal
from tests.helpers.load import Load, load
from tests.helpers.stack import Stack, run

PAGE = "GET /benchmark/trivial/"


def gap(seen: Load) -> float:
    """Return the longest time in seconds from the end of one good response to the end of the next."""
    ends = sorted(one.asked + one.seconds for one in seen.answers if not one.failed)
    return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)


def under_load(stack: Stack, deploy: Callable[[], None]) -> dict:
    """Deploy while four clients request a page; return what they saw."""
    with load(stack, PAGE) as seen:
        time.sleep(1)
        begun = time.monotonic()
        deploy()
        seconds = time.monotonic() - begun
        time.sleep(1)
    return {
        "seconds": seconds,
        "requests": len(seen.answers),
        "failed": len(seen.failures()),
        "gap": gap(seen),
    }


def bin_deploy(stack: Stack) -> None:
    done = run("bin/deploy", "--yes", cwd=stack.path, env=os.environ | stack.ports)
    if done.returncode:
        raise Refusal(f"bin/deploy failed: {(done.stdout + done.stderr)[-500:]}")


def plain_up(stack: Stack) -> None:
    stack.compose("up", "--detach", "--build", "--wait")


def measure(
    ways: dict[str, tuple[Stack, str, Callable[[Stack], None]]],
    plan: Plan,
    say: Callable[[str], None],
) -> list[dict]:
    """Change a line and deploy, in each way in turn; a way comes with its stack and a source file."""
    rows = []
    for number in range(1, plan.deploys + 1):
        for name, (stack, source, way) in ways.items():
            say(f"{name}, {number} of {plan.deploys}")
            with (stack.path / source).open("a") as file:
                file.write(f"# deploy {number}: {name}\n")
            rows.append({"way": name, **under_load(stack, lambda w=way, s=stack: w(s))})
    return rows
