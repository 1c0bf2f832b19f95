"""Load of the trivial view without a pause, minute by minute."""

from collections.abc import Callable

from benchmarks.contenders import Contender
from benchmarks.load import sockets_in_time_wait
from benchmarks.plan import Plan

CLIENTS = 32


def measure(contenders: dict[str, Contender], plan: Plan, say: Callable[[str], None]) -> list[dict]:
    """Return for each contender its requests per second in each minute, and its sockets in TIME_WAIT at the end."""
    rows = []
    for name, one in contenders.items():
        rates = []
        for minute in range(1, plan.minutes + 1):
            say(f"{name}, minute {minute} of {plan.minutes}")
            rates.append(one.load("trivial", CLIENTS, plan.minute_seconds).requests_per_second)
        waiting = sockets_in_time_wait(one.container)
        rows.append({"contender": name, "requests_per_second": rates, "time_wait": waiting})
    return rows
